/*
target: silver.orders
engine: spark
materialization: merge
description: Orders as they are now.
owner: data-platform
key: [order_id]
deletedWhen: is_deleted
inputs: [bronze.raw_orders]
columns:
  order_id: bigint
  customer_id: { type: bigint, pii: pseudonym }
  status: string
  ordered_at: timestamptz
  updated_at: timestamptz
sortOrder: [ordered_at]
gates:
  - not_null: [order_id, customer_id, status, ordered_at]
  - unique: [order_id]
  - accepted_values: { column: status, values: [placed, paid, shipped, delivered, cancelled] }
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  write.parquet.compression-codec: zstd
  # Merge-on-read: each night changes a few rows in most files, and copying them all would cost
  # more than the delete files that compaction takes away again.
  write.delete.mode: merge-on-read
  write.update.mode: merge-on-read
  write.merge.mode: merge-on-read
*/
WITH changes AS (
  SELECT op, ts_ms, lsn, change_id,
    from_json(
      coalesce(after, before),
      'order_id BIGINT, customer_id BIGINT, status STRING, ordered_at STRING, updated_at STRING',
      map('mode', 'FAILFAST')
    ) AS r
  FROM {{input('bronze.raw_orders')}}
), latest AS (
  SELECT op, r, row_number() OVER (
    PARTITION BY r.order_id ORDER BY ts_ms DESC, lsn DESC, change_id DESC
  ) AS newness
  FROM changes
)
SELECT
  r.order_id,
  r.customer_id,
  r.status,
  CAST(r.ordered_at AS TIMESTAMP) AS ordered_at,
  CAST(r.updated_at AS TIMESTAMP) AS updated_at,
  op = 'd' AS is_deleted
FROM latest
WHERE newness = 1
