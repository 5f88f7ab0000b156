/*
target: silver.customers
engine: spark
materialization: merge
description: >-
  Customers as they are now. No name and no phone; the e-mail address as a keyed hash; card_number
  holds the card's last four digits only.
owner: data-platform
key: [customer_id]
deletedWhen: is_deleted
inputs: [bronze.raw_customers]
columns:
  customer_id: { type: bigint, pii: pseudonym }
  email_hash: { type: string, pii: pseudonym }
  country: string
  card_number: { type: string, pii: pseudonym }
  created_at: timestamptz
  updated_at: timestamptz
gates:
  - not_null: [customer_id, email_hash]
  - unique: [customer_id]
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  write.parquet.compression-codec: zstd
  # Copy-on-write: few customers change in a night, and every gold model reads them.
  write.delete.mode: copy-on-write
  write.update.mode: copy-on-write
  write.merge.mode: copy-on-write
  write.metadata.metrics.column.email_hash: none
  write.metadata.metrics.column.card_number: none
*/
WITH changes AS (
  SELECT op, ts_ms, lsn, change_id,
    from_json(
      coalesce(after, before),
      'customer_id BIGINT, email STRING, country STRING, card_number STRING,
       created_at STRING, updated_at STRING',
      map('mode', 'FAILFAST')
    ) AS r
  FROM {{input('bronze.raw_customers')}}
), latest AS (
  SELECT op, r, row_number() OVER (
    PARTITION BY r.customer_id ORDER BY ts_ms DESC, lsn DESC, change_id DESC
  ) AS newness
  FROM changes
)
SELECT
  r.customer_id,
  {{keyed_hash('lower(trim(r.email))')}} AS email_hash,
  r.country,
  right(r.card_number, 4) AS card_number,
  CAST(r.created_at AS TIMESTAMP) AS created_at,
  CAST(r.updated_at AS TIMESTAMP) AS updated_at,
  op = 'd' AS is_deleted
FROM latest
WHERE newness = 1
