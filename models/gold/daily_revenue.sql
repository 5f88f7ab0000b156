/*
target: gold.daily_revenue
engine: spark
materialization: replace
description: Orders that are not cancelled and what they brought, by UTC day of the order.
owner: analytics
inputs: [silver.orders, silver.order_items]
columns:
  order_date: date
  orders: bigint
  customers: bigint
  revenue: decimal(18,2)
sortOrder: [order_date]
gates:
  - not_null: [order_date, orders, customers, revenue]
  - unique: [order_date]
  - row_count_delta: { maxRatio: 0.5 }
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  write.parquet.compression-codec: zstd
*/
WITH per_order AS (
  SELECT order_id, sum(quantity * unit_price) AS revenue
  FROM {{input('silver.order_items')}}
  GROUP BY order_id
)
SELECT
  CAST(o.ordered_at AS DATE) AS order_date,
  count(*) AS orders,
  count(DISTINCT o.customer_id) AS customers,
  CAST(coalesce(sum(p.revenue), 0) AS DECIMAL(18, 2)) AS revenue
FROM {{input('silver.orders')}} AS o
LEFT JOIN per_order AS p ON p.order_id = o.order_id
WHERE o.status <> 'cancelled'
GROUP BY CAST(o.ordered_at AS DATE)
