/*
target: gold.funnel_metrics
engine: spark
materialization: replace
description: >-
  How many visits of a UTC day came how far. A visit counts for every step that it reached, on the
  day it began.
owner: analytics
inputs: [silver.sessions]
columns:
  event_date: date
  step: string
  step_no: int
  sessions: bigint
gates:
  - not_null: [event_date, step, sessions]
  - unique: [event_date, step]
  - accepted_values: { column: step, values: [visited, viewed, added_to_cart, checked_out, purchased] }
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  write.parquet.compression-codec: zstd
*/
WITH days AS (
  SELECT
    CAST(started_at AS DATE) AS event_date,
    count(*) AS visited,
    count_if(viewed) AS viewed,
    count_if(added_to_cart) AS added_to_cart,
    count_if(checked_out) AS checked_out,
    count_if(purchased) AS purchased
  FROM {{input('silver.sessions')}}
  GROUP BY CAST(started_at AS DATE)
)
SELECT event_date, step, step_no, sessions
FROM days
LATERAL VIEW stack(
  5,
  1, 'visited', visited,
  2, 'viewed', viewed,
  3, 'added_to_cart', added_to_cart,
  4, 'checked_out', checked_out,
  5, 'purchased', purchased
) AS step_no, step, sessions
