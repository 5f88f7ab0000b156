/** Compares the lake with the shop's own database, row by row. */
import { createHmac } from 'node:crypto';
import { expect } from 'vitest';
import type { EngineRow } from '../../src/domain/engine.ts';
import { readShopTruth, type ShopTruth } from '../../stack/shop/truth.ts';

export interface ShopComparison {
  readonly shopUrl: string;
  /** Runs one SELECT on Trino. */
  readonly query: (sql: string) => Promise<readonly EngineRow[]>;
  /** Catalog of the lake. Default `lake`. */
  readonly catalog?: string;
  /** Namespace of a layer. Default: the layer's own name. */
  readonly namespaceOf?: (layer: string) => string;
  /** Key of the keyed hashes in hex; with it every hash is computed again and compared. */
  readonly pseudonymKey?: string;
}

const time = (column: string) =>
  `replace(CAST(${column} AT TIME ZONE 'UTC' AS varchar), ' UTC', '')`;
const text = (column: string) => `CAST(${column} AS varchar)`;

/** Fails unless silver and gold say what the shop says: every row, every day, to the cent. */
export async function expectLakeEqualsShop(comparison: ShopComparison): Promise<void> {
  const truth = await readShopTruth(comparison.shopUrl);
  await expectSilverRows(comparison, truth);
  await expectPseudonyms(comparison, truth);
  await expectSessions(comparison, truth);
  await expectGold(comparison, truth);
}

async function expectSilverRows(comparison: ShopComparison, truth: ShopTruth): Promise<void> {
  const rowsOf = async (table: string, columns: readonly string[], key: string) => {
    const row = columns.join(` || '|' || `);
    const sql = `SELECT ${row} AS row FROM ${nameOf(comparison, `silver.${table}`)} ORDER BY ${key}`;
    return (await comparison.query(sql)).map((one) => one.row);
  };
  const customers = [text('customer_id'), 'country', `coalesce(card_number, '-')`];
  const products = ['sku', 'name', 'category', text('price'), text('stock'), time('updated_at')];
  const orders = ['order_id', 'customer_id'].map(text);
  const items = ['order_id', 'line_no', 'product_id', 'quantity', 'unit_price'].map(text);
  const created = [time('created_at'), time('updated_at')];
  const ordered = ['status', time('ordered_at'), time('updated_at')];
  expect(await rowsOf('customers', [...customers, ...created], 'customer_id')).toEqual(
    truth.rows.customers,
  );
  expect(await rowsOf('products', [text('product_id'), ...products], 'product_id')).toEqual(
    truth.rows.products,
  );
  expect(await rowsOf('orders', [...orders, ...ordered], 'order_id')).toEqual(truth.rows.orders);
  expect(await rowsOf('order_items', items, 'order_id, line_no')).toEqual(truth.rows.order_items);
}

/** No personal field in clear, and equal addresses have equal hashes. */
async function expectPseudonyms(comparison: ShopComparison, truth: ShopTruth): Promise<void> {
  const customers = nameOf(comparison, 'silver.customers');
  const rows = await comparison.query(`SELECT * FROM ${customers}`);
  for (const row of rows) {
    expect(Object.keys(row)).not.toContain('full_name');
    expect(Object.keys(row)).not.toContain('phone');
    expect(row.email_hash).toMatch(/^[0-9a-f]{64}$/);
    expect(row.card_number ?? '0000').toMatch(/^\d{4}$/);
    if (comparison.pseudonymKey === undefined) continue;
    const email = truth.emails.get(Number(row.customer_id)) ?? '';
    const key = Buffer.from(comparison.pseudonymKey, 'hex');
    expect(row.email_hash).toBe(createHmac('sha256', key).update(email).digest('hex'));
  }
}

async function expectSessions(comparison: ShopComparison, truth: ShopTruth): Promise<void> {
  const [row] = await comparison.query(`
    SELECT count(*) AS sessions, count(DISTINCT session_id) AS ids, sum(events) AS events
    FROM ${nameOf(comparison, 'silver.sessions')}`);
  expect({
    sessions: Number(row?.sessions),
    ids: Number(row?.ids),
    events: Number(row?.events),
  }).toEqual({
    sessions: truth.sessions,
    ids: truth.sessions,
    events: truth.liveRows.click_events,
  });
}

async function expectGold(comparison: ShopComparison, truth: ShopTruth): Promise<void> {
  const days = await comparison.query(`
    SELECT CAST(order_date AS varchar) AS order_date, orders, customers,
      CAST(revenue AS varchar) AS revenue
    FROM ${nameOf(comparison, 'gold.daily_revenue')} ORDER BY order_date`);
  const found = days.map((row) => ({
    orderDate: row.order_date,
    orders: Number(row.orders),
    customers: Number(row.customers),
    revenue: row.revenue,
  }));
  expect(found).toEqual(truth.dailyRevenue);
  const [users] = await comparison.query(`
    SELECT count(*) AS n, count(DISTINCT customer_id) AS ids
    FROM ${nameOf(comparison, 'gold.user_features')}`);
  expect(Number(users?.n)).toBe(truth.liveRows.customers);
  expect(Number(users?.ids)).toBe(truth.liveRows.customers);
  const [funnel] = await comparison.query(`
    SELECT sum(sessions) AS n FROM ${nameOf(comparison, 'gold.funnel_metrics')}
    WHERE step = 'visited'`);
  expect(Number(funnel?.n)).toBe(truth.sessions);
}

function nameOf({ catalog = 'lake', namespaceOf }: ShopComparison, table: string): string {
  const [layer = '', name = ''] = table.split('.');
  return `${catalog}.${namespaceOf?.(layer) ?? layer}.${name}`;
}
