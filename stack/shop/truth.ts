/** What the shop itself says, for comparing the lake with it. */
import type { Client } from 'pg';
import { inTransaction } from './database.ts';
import type { ShopTable } from './rows.ts';

export interface RevenueDay {
  /** `2026-03-14`, UTC. */
  readonly orderDate: string;
  readonly orders: number;
  readonly customers: number;
  /** Decimal text with two places. */
  readonly revenue: string;
}

export interface ShopTruth {
  readonly liveRows: Readonly<Record<ShopTable, number>>;
  /** Rows as text, columns joined by `|`, in the order of the key. */
  readonly rows: Readonly<Record<keyof typeof ROW_TEXTS, readonly string[]>>;
  /** E-mail addresses by customer, to compare their keyed hashes. */
  readonly emails: ReadonlyMap<number, string>;
  readonly dailyRevenue: readonly RevenueDay[];
  /** Browsers split wherever more than half an hour passed. */
  readonly sessions: number;
}

const time = (column: string) => `to_char(${column}, 'YYYY-MM-DD HH24:MI:SS.US')`;

/** What silver must hold of each table, as one text a row. */
const ROW_TEXTS = {
  customers: `SELECT concat_ws('|', customer_id, country, coalesce(right(card_number, 4), '-'),
    ${time('created_at')}, ${time('updated_at')}) AS row FROM customers ORDER BY customer_id`,
  products: `SELECT concat_ws('|', product_id, sku, name, category, price, stock,
    ${time('updated_at')}) AS row FROM products ORDER BY product_id`,
  orders: `SELECT concat_ws('|', order_id, customer_id, status, ${time('ordered_at')},
    ${time('updated_at')}) AS row FROM orders ORDER BY order_id`,
  order_items: `SELECT concat_ws('|', order_id, line_no, product_id, quantity, unit_price) AS row
    FROM order_items ORDER BY order_id, line_no`,
};

const LIVE_ROWS = `
  SELECT (SELECT count(*)::int FROM customers) AS customers,
         (SELECT count(*)::int FROM products) AS products,
         (SELECT count(*)::int FROM orders) AS orders,
         (SELECT count(*)::int FROM order_items) AS order_items,
         (SELECT count(*)::int FROM click_events) AS click_events`;

const DAILY_REVENUE = `
  SELECT to_char(o.ordered_at, 'YYYY-MM-DD') AS "orderDate",
         count(DISTINCT o.order_id)::int AS orders,
         count(DISTINCT o.customer_id)::int AS customers,
         coalesce(sum(i.quantity * i.unit_price), 0)::numeric(18,2)::text AS revenue
  FROM orders o LEFT JOIN order_items i USING (order_id)
  WHERE o.status <> 'cancelled' GROUP BY 1 ORDER BY 1`;

const SESSIONS = `
  SELECT count(*)::int AS sessions FROM (
    SELECT occurred_at - lag(occurred_at)
      OVER (PARTITION BY session_key ORDER BY occurred_at, event_id) AS pause
    FROM click_events) AS e
  WHERE pause IS NULL OR pause > interval '30 minutes'`;

/** Reads everything in one snapshot of the database. */
export async function readShopTruth(url: string): Promise<ShopTruth> {
  return inTransaction(url, async (client) => {
    await client.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
    await client.query(`SET LOCAL TIME ZONE 'UTC'`);
    const people = await client.query('SELECT customer_id::int AS id, email FROM customers');
    return {
      liveRows: (await client.query(LIVE_ROWS)).rows[0],
      rows: await readRows(client),
      emails: new Map(people.rows.map(({ id, email }) => [id, email])),
      dailyRevenue: (await client.query(DAILY_REVENUE)).rows,
      sessions: (await client.query(SESSIONS)).rows[0].sessions,
    };
  });
}

async function readRows(client: Client): Promise<ShopTruth['rows']> {
  const read = async (table: keyof typeof ROW_TEXTS): Promise<string[]> =>
    (await client.query(ROW_TEXTS[table])).rows.map((one) => one.row);
  return {
    customers: await read('customers'),
    products: await read('products'),
    orders: await read('orders'),
    order_items: await read('order_items'),
  };
}
