/*
target: silver.order_items
engine: spark
materialization: merge
description: Lines of orders as they are now.
owner: data-platform
key: [order_id, line_no]
deletedWhen: is_deleted
inputs: [bronze.raw_order_items]
columns:
  order_id: bigint
  line_no: int
  product_id: bigint
  quantity: int
  unit_price: decimal(10,2)
gates:
  - not_null: [order_id, line_no, quantity, unit_price]
  - unique: [order_id, line_no]
  - relationships: { column: order_id, to: silver.orders, field: order_id }
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  write.parquet.compression-codec: zstd
  # Merge-on-read: lines are added and removed, hardly ever changed; see silver.orders.
  write.delete.mode: merge-on-read
  write.update.mode: merge-on-read
  write.merge.mode: merge-on-read
*/
WITH changes AS (
  SELECT op, ts_ms, lsn, change_id,
    from_json(
      coalesce(after, before),
      'order_id BIGINT, line_no INT, product_id BIGINT, quantity INT, unit_price DECIMAL(10, 2)',
      map('mode', 'FAILFAST')
    ) AS r
  FROM {{input('bronze.raw_order_items')}}
), latest AS (
  SELECT op, r, row_number() OVER (
    PARTITION BY r.order_id, r.line_no ORDER BY ts_ms DESC, lsn DESC, change_id DESC
  ) AS newness
  FROM changes
)
SELECT
  r.order_id,
  r.line_no,
  r.product_id,
  r.quantity,
  r.unit_price,
  op = 'd' AS is_deleted
FROM latest
WHERE newness = 1
