/** Fills an empty shop: everything in one transaction, so that it is there as a whole or not. */
import { readFile } from 'node:fs/promises';
import type { Client } from 'pg';
import { IcewrightError } from '../../src/domain/errors.ts';
import { createClicks } from './clicks.ts';
import { inTransaction, lockClock } from './database.ts';
import { createOrder, statusAtAge } from './orders.ts';
import { createCustomer, createProduct } from './people.ts';
import { createRandom } from './random.ts';
import { type ClickRow, type ItemRow, insertRows, type OrderRow, type ShopTable } from './rows.ts';

const CUSTOMERS = 1_000;
const PRODUCTS = 500;
const ORDERS = 10_000;
const CLICKS = 15_000;
const DAY_MS = 86_400_000;
/** The shop's history before it opens here. */
const ORDER_DAYS = 180;
const CLICK_DAYS = 30;

export interface SeedOptions {
  /** A whole number of 0 or more; the same seed gives the same rows. */
  readonly seed: number;
  /** Called before each table is written, and once at the end. */
  readonly onProgress?: ((message: string) => void) | undefined;
}

export interface SeedResult {
  /** `false`: the shop was there already, and nothing was changed. */
  readonly seeded: boolean;
  readonly rows: Readonly<Record<ShopTable, number>>;
}

const SUPPRESSION_SQL = new URL('../../src/sources/suppression.sql', import.meta.url);

/**
 * Creates the shop's tables and rows unless they are there.
 * Rejects with `StackFailed` when the database does not answer, and with `SafetyRefused` when
 * another seed's shop is there.
 */
export async function seedShop(url: string, options: SeedOptions): Promise<SeedResult> {
  const schema = await readFile(new URL('schema.sql', import.meta.url), 'utf8');
  // Ingestion asks it from the first night on, long before anybody is forgotten.
  const suppression = await readFile(SUPPRESSION_SQL, 'utf8');
  return inTransaction(url, async (client) => {
    // Two seeders at once: the second waits here, then finds the shop seeded.
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('icewright-shop-seed'))`);
    await client.query(schema);
    await client.query(suppression);
    const clock = await lockClock(client);
    if (clock !== null && clock.seed !== options.seed) {
      throw new IcewrightError(
        'SafetyRefused',
        `the shop is there with seed ${clock.seed}, not ${options.seed}: ` +
          'use that seed, or remove the data with: npm run reset',
        { seed: clock.seed },
      );
    }
    if (clock === null) await fill(client, options);
    return { seeded: clock === null, rows: await countRows(client) };
  });
}

/** Midnight UTC of a day in spring 2026 that the seed chooses. */
export function openingTime(seed: number): Date {
  return new Date(Date.UTC(2026, 2, 1 + (seed % 28)));
}

async function fill(client: Client, { seed, onProgress }: SeedOptions): Promise<void> {
  const now = openingTime(seed);
  await client.query(
    `INSERT INTO shop_clock
       (seed, day_number, now_at, next_customer_id, next_order_id, next_event_id)
     VALUES ($1, 0, $2, $3, $4, $5)`,
    [seed, now.toISOString(), CUSTOMERS + 1, ORDERS + 1, CLICKS + 1],
  );
  for (const [table, rows] of Object.entries(createRows(seed, now))) {
    onProgress?.(`shop: ${rows.length} ${table}`);
    await insertRows(client, table as ShopTable, rows);
  }
  await client.query('ANALYZE');
  onProgress?.('shop: ready');
}

function createRows(seed: number, now: Date): Record<ShopTable, readonly object[]> {
  const nowMs = now.getTime();
  const customerIds = Array.from({ length: CUSTOMERS }, (_, index) => index + 1);
  const people = createRandom(seed, 'customers');
  const customers = customerIds.map((id) =>
    createCustomer(people, id, new Date(nowMs - people.int(ORDER_DAYS + 1, 800) * DAY_MS)),
  );
  const shelf = createRandom(seed, 'products');
  const products = Array.from({ length: PRODUCTS }, (_, index) =>
    createProduct(shelf, index + 1, new Date(nowMs - shelf.int(1, 300) * DAY_MS)),
  );
  return {
    customers,
    products,
    ...createOrders(seed, nowMs, customerIds, products),
    click_events: seedClicks(
      seed,
      nowMs,
      customerIds,
      products.map((one) => one.product_id),
    ),
  };
}

function createOrders(
  seed: number,
  nowMs: number,
  customerIds: readonly number[],
  products: Parameters<typeof createOrder>[2],
): { orders: OrderRow[]; order_items: ItemRow[] } {
  const random = createRandom(seed, 'orders');
  const times = Array.from({ length: ORDERS }, () => random.int(1, ORDER_DAYS * DAY_MS));
  const made = times
    .sort((a, b) => b - a)
    .map((ageMs, index) => {
      const wish = {
        orderId: index + 1,
        customerId: random.pick(customerIds),
        status: statusAtAge(random, ageMs / DAY_MS),
        orderedAt: new Date(nowMs - ageMs),
        updatedAt: new Date(nowMs - random.int(0, Math.min(ageMs, 10 * DAY_MS))),
      };
      return createOrder(random, wish, products);
    });
  return { orders: made.map((one) => one.order), order_items: made.flatMap((one) => one.items) };
}

function seedClicks(
  seed: number,
  nowMs: number,
  customerIds: readonly number[],
  productIds: readonly number[],
): ClickRow[] {
  return createClicks(createRandom(seed, 'clicks'), {
    count: CLICKS,
    fromMs: nowMs - CLICK_DAYS * DAY_MS,
    toMs: nowMs,
    customerIds,
    productIds,
    firstEventId: 1,
    keyPrefix: 'v0',
  });
}

async function countRows(client: Client): Promise<Record<ShopTable, number>> {
  const { rows } = await client.query(`
    SELECT (SELECT count(*)::int FROM customers) AS customers,
           (SELECT count(*)::int FROM products) AS products,
           (SELECT count(*)::int FROM orders) AS orders,
           (SELECT count(*)::int FROM order_items) AS order_items,
           (SELECT count(*)::int FROM click_events) AS click_events`);
  return rows[0];
}
