/** What the shop itself says, for comparing the lake with it. */
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
  readonly dailyRevenue: readonly RevenueDay[];
  /** Browsers split wherever more than half an hour passed. */
  readonly sessions: number;
}

/** Reads everything in one snapshot of the database. */
export async function readShopTruth(url: string): Promise<ShopTruth> {
  return inTransaction(url, async (client) => {
    await client.query(`SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY`);
    const live = await client.query(`
      SELECT (SELECT count(*)::int FROM customers) AS customers,
             (SELECT count(*)::int FROM products) AS products,
             (SELECT count(*)::int FROM orders) AS orders,
             (SELECT count(*)::int FROM order_items) AS order_items,
             (SELECT count(*)::int FROM click_events) AS click_events`);
    const revenue = await client.query(`
      SELECT to_char(o.ordered_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS "orderDate",
             count(DISTINCT o.order_id)::int AS orders,
             count(DISTINCT o.customer_id)::int AS customers,
             coalesce(sum(i.quantity * i.unit_price), 0)::numeric(18,2)::text AS revenue
      FROM orders o LEFT JOIN order_items i USING (order_id)
      WHERE o.status <> 'cancelled' GROUP BY 1 ORDER BY 1`);
    const sessions = await client.query(`
      SELECT count(*)::int AS sessions FROM (
        SELECT occurred_at - lag(occurred_at)
          OVER (PARTITION BY session_key ORDER BY occurred_at, event_id) AS pause
        FROM click_events) AS e
      WHERE pause IS NULL OR pause > interval '30 minutes'`);
    return {
      liveRows: live.rows[0],
      dailyRevenue: revenue.rows,
      sessions: sessions.rows[0].sessions,
    };
  });
}
