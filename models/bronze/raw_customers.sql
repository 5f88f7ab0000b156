/*
target: bronze.raw_customers
engine: trino
materialization: append
description: Every change of customer accounts, with every personal field, as the shop's outbox recorded it. Append-only.
owner: data-platform
sources: [shop.public.change_log, shop.public.customers]
columns:
  op: string
  ts_ms: bigint
  lsn: bigint
  tx_id: bigint
  change_id: bigint
  before: { type: string, pii: direct }
  after: { type: string, pii: direct }
  ingested_at: timestamptz
partitioning: [day(ingested_at)]
gates:
  - not_null: [op, ts_ms, lsn, tx_id, change_id]
  - unique: [change_id]
  - accepted_values: { column: op, values: [c, u, d, r] }
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  # Keeps the beginning of these out of manifests when Spark compacts. Trino ignores it: its own
  # appends leave 16 characters of each in the column bounds.
  write.metadata.metrics.column.before: none
  write.metadata.metrics.column.after: none
*/
-- PostgreSQL answers the inner query in one snapshot, and hands over only transactions older than
-- the oldest one still running: whatever commits later has a higher tx_id than all that is taken
-- here, so the next run's lower bound skips nothing. Trino pushes that bound down as well.
-- Who was forgotten is not handed over again: the source itself knows them by keyed hashes.
SELECT op, ts_ms, lsn, tx_id, change_id, before, after, current_timestamp(6) AS ingested_at
FROM TABLE(shop.system.query(query => '
  SELECT op, ts_ms, lsn, tx_id, id AS change_id, before::text AS before, after::text AS after
  FROM public.change_log
  WHERE table_name = ''customers''
    AND tx_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    AND NOT icewright_erasure.is_suppressed(''customer_id'', before->>''customer_id'')
    AND NOT icewright_erasure.is_suppressed(''customer_id'', after->>''customer_id'')'))
WHERE tx_id > (SELECT coalesce(max(tx_id), -1) FROM {{target}})
