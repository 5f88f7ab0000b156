/*
target: gold.user_features
engine: spark
materialization: replace
description: >-
  What each customer bought and visited, for models and segments. One row for every customer,
  also for those who did nothing yet; known by number only.
owner: analytics
inputs:
  - silver.customers
  - silver.orders
  - silver.order_items
  - silver.products
  - silver.sessions
columns:
  customer_id: { type: bigint, pii: pseudonym }
  country: string
  customer_since: date
  orders: bigint
  cancelled_orders: bigint
  items: bigint
  revenue: decimal(18,2)
  average_order_value: decimal(18,2)
  first_order_date: date
  last_order_date: date
  distinct_products: bigint
  favourite_category: string
  sessions: bigint
  sessions_with_purchase: bigint
  last_seen_date: date
gates:
  - not_null: [customer_id]
  - unique: [customer_id]
  - relationships: { column: customer_id, to: silver.customers, field: customer_id }
properties:
  format-version: 2
  write.metadata.delete-after-commit.enabled: true
  write.metadata.previous-versions-max: 50
  write.parquet.compression-codec: zstd
*/
WITH orders AS (
  SELECT
    customer_id,
    count_if(status <> 'cancelled') AS orders,
    count_if(status = 'cancelled') AS cancelled_orders,
    min(CASE WHEN status <> 'cancelled' THEN CAST(ordered_at AS DATE) END) AS first_order_date,
    max(CASE WHEN status <> 'cancelled' THEN CAST(ordered_at AS DATE) END) AS last_order_date
  FROM {{input('silver.orders')}}
  GROUP BY customer_id
), lines AS (
  SELECT o.customer_id, i.product_id, i.quantity, i.quantity * i.unit_price AS revenue, p.category
  FROM {{input('silver.orders')}} AS o
  JOIN {{input('silver.order_items')}} AS i ON i.order_id = o.order_id
  LEFT JOIN {{input('silver.products')}} AS p ON p.product_id = i.product_id
  WHERE o.status <> 'cancelled'
), bought AS (
  SELECT
    customer_id,
    sum(quantity) AS items,
    sum(revenue) AS revenue,
    count(DISTINCT product_id) AS distinct_products
  FROM lines
  GROUP BY customer_id
), favourites AS (
  -- Of equal categories the first by name, so that the same rows always give the same answer.
  SELECT customer_id, min_by(category, struct(-quantity, category)) AS favourite_category
  FROM (
    SELECT customer_id, category, sum(quantity) AS quantity
    FROM lines
    WHERE category IS NOT NULL
    GROUP BY customer_id, category
  )
  GROUP BY customer_id
), visits AS (
  SELECT
    customer_id,
    count(*) AS sessions,
    count_if(purchased) AS sessions_with_purchase,
    max(CAST(ended_at AS DATE)) AS last_seen_date
  FROM {{input('silver.sessions')}}
  WHERE customer_id IS NOT NULL
  GROUP BY customer_id
)
SELECT
  c.customer_id,
  c.country,
  CAST(c.created_at AS DATE) AS customer_since,
  coalesce(o.orders, 0) AS orders,
  coalesce(o.cancelled_orders, 0) AS cancelled_orders,
  coalesce(b.items, 0) AS items,
  CAST(coalesce(b.revenue, 0) AS DECIMAL(18, 2)) AS revenue,
  CAST(b.revenue / nullif(o.orders, 0) AS DECIMAL(18, 2)) AS average_order_value,
  o.first_order_date,
  o.last_order_date,
  coalesce(b.distinct_products, 0) AS distinct_products,
  f.favourite_category,
  coalesce(v.sessions, 0) AS sessions,
  coalesce(v.sessions_with_purchase, 0) AS sessions_with_purchase,
  v.last_seen_date
FROM {{input('silver.customers')}} AS c
LEFT JOIN orders AS o ON o.customer_id = c.customer_id
LEFT JOIN bought AS b ON b.customer_id = c.customer_id
LEFT JOIN favourites AS f ON f.customer_id = c.customer_id
LEFT JOIN visits AS v ON v.customer_id = c.customer_id
