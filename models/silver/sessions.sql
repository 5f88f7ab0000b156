/*
target: silver.sessions
engine: spark
materialization: replace
description: >-
  Visits: clicks of one browser with never more than 30 minutes between two of them. No network
  address and no browser text. customer_id is null for a visitor who is not known.
owner: data-platform
inputs: [bronze.raw_clickstream]
columns:
  session_id: { type: string, pii: pseudonym }
  customer_id: { type: bigint, pii: pseudonym }
  started_at: timestamptz
  ended_at: timestamptz
  duration_seconds: bigint
  events: bigint
  page_views: bigint
  products_viewed: bigint
  viewed: boolean
  added_to_cart: boolean
  checked_out: boolean
  purchased: boolean
  first_page: string
  last_page: string
  device: string
sortOrder: [started_at]
gates:
  - not_null: [session_id, started_at, ended_at]
  - unique: [session_id]
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  write.parquet.compression-codec: zstd
*/
WITH changes AS (
  SELECT op, ts_ms, lsn, change_id,
    from_json(
      coalesce(after, before),
      'event_id BIGINT, customer_id BIGINT, session_key STRING, event_type STRING,
       product_id BIGINT, url STRING, user_agent STRING, occurred_at STRING',
      map('mode', 'FAILFAST')
    ) AS r
  FROM {{input('bronze.raw_clickstream')}}
), latest AS (
  SELECT op, r, row_number() OVER (
    PARTITION BY r.event_id ORDER BY ts_ms DESC, lsn DESC, change_id DESC
  ) AS newness
  FROM changes
), clicks AS (
  SELECT
    r.event_id, r.customer_id, r.session_key, r.event_type, r.product_id,
    -- What follows the ? may hold what a visitor typed.
    substring_index(r.url, '?', 1) AS page,
    r.user_agent LIKE '%Mobile%' AS on_mobile,
    CAST(r.occurred_at AS TIMESTAMP) AS occurred_at
  FROM latest
  WHERE newness = 1 AND op <> 'd'
), paused AS (
  SELECT *, lag(occurred_at) OVER (
    PARTITION BY session_key ORDER BY occurred_at, event_id
  ) AS previous_at
  FROM clicks
), numbered AS (
  SELECT *, sum(
    CASE WHEN previous_at IS NULL OR occurred_at > previous_at + INTERVAL '30' MINUTE
      THEN 1 ELSE 0 END
  ) OVER (PARTITION BY session_key ORDER BY occurred_at, event_id) AS session_no
  FROM paused
)
SELECT
  sha2(concat_ws('|', session_key, CAST(min(event_id) AS STRING)), 256) AS session_id,
  max(customer_id) AS customer_id,
  min(occurred_at) AS started_at,
  max(occurred_at) AS ended_at,
  unix_seconds(max(occurred_at)) - unix_seconds(min(occurred_at)) AS duration_seconds,
  count(*) AS events,
  count_if(event_type = 'page_view') AS page_views,
  count(DISTINCT CASE WHEN event_type = 'product_view' THEN product_id END) AS products_viewed,
  bool_or(event_type = 'product_view') AS viewed,
  bool_or(event_type = 'add_to_cart') AS added_to_cart,
  bool_or(event_type = 'checkout') AS checked_out,
  bool_or(event_type = 'purchase') AS purchased,
  min_by(page, struct(occurred_at, event_id)) AS first_page,
  max_by(page, struct(occurred_at, event_id)) AS last_page,
  CASE WHEN bool_or(on_mobile) THEN 'mobile' ELSE 'desktop' END AS device
FROM numbered
GROUP BY session_key, session_no
