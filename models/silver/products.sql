/*
target: silver.products
engine: spark
materialization: merge
description: The catalogue as it is now.
owner: data-platform
key: [product_id]
deletedWhen: is_deleted
inputs: [bronze.raw_products]
columns:
  product_id: bigint
  sku: string
  name: string
  category: string
  price: decimal(10,2)
  stock: int
  updated_at: timestamptz
gates:
  - not_null: [product_id, price]
  - unique: [product_id]
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  write.parquet.compression-codec: zstd
  # Copy-on-write: a table of one small file, where a delete file would only slow its readers.
  write.delete.mode: copy-on-write
  write.update.mode: copy-on-write
  write.merge.mode: copy-on-write
*/
WITH changes AS (
  SELECT op, ts_ms, lsn, change_id,
    from_json(
      coalesce(after, before),
      'product_id BIGINT, sku STRING, name STRING, category STRING, price DECIMAL(10, 2),
       stock INT, updated_at STRING',
      map('mode', 'FAILFAST')
    ) AS r
  FROM {{input('bronze.raw_products')}}
), latest AS (
  SELECT op, r, row_number() OVER (
    PARTITION BY r.product_id ORDER BY ts_ms DESC, lsn DESC, change_id DESC
  ) AS newness
  FROM changes
)
SELECT
  r.product_id,
  r.sku,
  r.name,
  r.category,
  r.price,
  r.stock,
  CAST(r.updated_at AS TIMESTAMP) AS updated_at,
  op = 'd' AS is_deleted
FROM latest
WHERE newness = 1
