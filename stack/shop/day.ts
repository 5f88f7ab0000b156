/** What happens in the shop from one midnight to the next. */
import type { Client } from 'pg';
import { createClicks } from './clicks.ts';
import { type ShopClock, setTime } from './database.ts';
import { createOrder, type NewOrder, type PricedProduct } from './orders.ts';
import { COUNTRIES, cents, createCustomer, emailOf, phoneOf, toCents } from './people.ts';
import { createRandom, type Random } from './random.ts';
import { insertRows } from './rows.ts';

const HOUR_MS = 3_600_000;

interface DayContext {
  readonly client: Client;
  readonly clock: ShopClock;
  /** Chance of this seed and day, one stream per subject. */
  readonly chance: (subject: string) => Random;
}

/** Lives the clock's day inside the caller's transaction and returns the midnight it ends at. */
export async function liveDay(client: Client, clock: ShopClock): Promise<Date> {
  const day: DayContext = {
    client,
    clock,
    chance: (subject) => createRandom(clock.seed, `${subject}/${clock.dayNumber + 1}`),
  };
  await atHour(day, 6, () => changeProducts(day));
  await atHour(day, 9, () => editCustomers(day));
  const newCustomers = await atHour(day, 10, () => addCustomers(day));
  await atHour(day, 12, () => moveOrders(day));
  const newOrders = await atHour(day, 18, (now) => addOrders(day, now));
  // Some orders of the day are paid the same evening: two changes of one row in one batch.
  await atHour(day, 19, (now) => payOrders(day, now));
  await atHour(day, 20, () => removeOrders(day));
  await atHour(day, 21, () => removeCustomer(day));
  const newClicks = await atHour(day, 23, () => addClicks(day));
  const end = new Date(clock.now.getTime() + 24 * HOUR_MS);
  await client.query(
    `UPDATE shop_clock SET now_at = $1, day_number = day_number + 1,
       next_customer_id = next_customer_id + $2, next_order_id = next_order_id + $3,
       next_event_id = next_event_id + $4`,
    [end.toISOString(), newCustomers, newOrders, newClicks],
  );
  return end;
}

async function atHour<T>(
  { client, clock }: DayContext,
  hour: number,
  work: (now: Date) => Promise<T>,
): Promise<T> {
  const now = new Date(clock.now.getTime() + hour * HOUR_MS);
  await setTime(client, now);
  return work(now);
}

async function changeProducts({ client, chance }: DayContext): Promise<void> {
  const random = chance('products');
  const products = await readProducts(client);
  const priced = random.sample(products, 15).map((product) => ({
    id: product.product_id,
    price: cents(Math.max(99, Math.floor((toCents(product.price) * random.int(85, 118)) / 100))),
    stock: 0,
  }));
  const restocked = random
    .sample(products, 30)
    .map((product) => ({ id: product.product_id, price: null, stock: random.int(20, 120) }));
  await client.query(
    `UPDATE products AS p
     SET price = coalesce(n.price, p.price), stock = p.stock + n.stock, updated_at = c.now_at
     FROM shop_clock AS c, (
       SELECT id, max(price) AS price, sum(stock)::int AS stock
       FROM jsonb_to_recordset($1) AS x(id bigint, price numeric(10,2), stock int) GROUP BY id
     ) AS n WHERE p.product_id = n.id`,
    [JSON.stringify([...priced, ...restocked])],
  );
}

async function editCustomers({ client, chance }: DayContext): Promise<void> {
  const random = chance('edits');
  const { rows } = await client.query(
    'SELECT customer_id::int AS id, full_name FROM customers ORDER BY customer_id',
  );
  const edits = random.sample(rows, 12).map(({ id, full_name }) => ({
    id,
    email: random.chance(0.4) ? `new.${emailOf(random, full_name, id)}` : null,
    phone: random.chance(0.5) ? phoneOf(random) : null,
    country: random.pick(COUNTRIES),
  }));
  await client.query(
    `UPDATE customers AS t
     SET email = coalesce(n.email, t.email), phone = coalesce(n.phone, t.phone),
       country = n.country, updated_at = c.now_at
     FROM shop_clock AS c,
       jsonb_to_recordset($1) AS n(id bigint, email text, phone text, country text)
     WHERE t.customer_id = n.id`,
    [JSON.stringify(edits)],
  );
}

async function addCustomers({ client, clock, chance }: DayContext): Promise<number> {
  const random = chance('customers');
  const count = random.int(4, 9);
  const at = new Date(clock.now.getTime() + 10 * HOUR_MS);
  const rows = Array.from({ length: count }, (_, index) =>
    createCustomer(random, clock.nextCustomerId + index, at),
  );
  await insertRows(client, 'customers', rows);
  return count;
}

const NEXT_STATUS: Readonly<Record<string, string>> = {
  placed: 'paid',
  paid: 'shipped',
  shipped: 'delivered',
};

async function moveOrders({ client, chance }: DayContext): Promise<void> {
  const random = chance('status');
  const { rows } = await client.query(
    `SELECT order_id::int AS id, status FROM orders
     WHERE status IN ('placed', 'paid', 'shipped') ORDER BY order_id`,
  );
  const moves = rows.flatMap(({ id, status }) => {
    if (status !== 'shipped' && random.chance(0.04)) return [{ id, status: 'cancelled' }];
    return random.chance(0.6) ? [{ id, status: NEXT_STATUS[status] }] : [];
  });
  await setStatus(client, moves);
}

async function setStatus(client: Client, moves: readonly object[]): Promise<void> {
  await client.query(
    `UPDATE orders AS o SET status = n.status, updated_at = c.now_at
     FROM shop_clock AS c, jsonb_to_recordset($1) AS n(id bigint, status text)
     WHERE o.order_id = n.id`,
    [JSON.stringify(moves)],
  );
}

async function addOrders({ client, clock, chance }: DayContext, now: Date): Promise<number> {
  const random = chance('orders');
  const products = await readProducts(client);
  const customerIds = await readIds(client, 'customers', 'customer_id');
  const count = random.int(90, 140);
  const times = Array.from({ length: count }, () => random.int(clock.now.getTime(), now.getTime()));
  const made = times
    .sort((a, b) => a - b)
    .map((atMs, index) => {
      const orderedAt = new Date(atMs);
      const orderId = clock.nextOrderId + index;
      const customerId = random.pick(customerIds);
      const wish = { orderId, customerId, status: 'placed', orderedAt, updatedAt: orderedAt };
      return createOrder(random, wish, products);
    });
  await insertRows(
    client,
    'orders',
    made.map((one) => one.order),
  );
  await insertRows(
    client,
    'order_items',
    made.flatMap((one) => one.items),
  );
  await takeFromStock(client, made);
  return count;
}

async function takeFromStock(client: Client, made: readonly NewOrder[]): Promise<void> {
  await client.query(
    `UPDATE products AS p SET stock = greatest(0, p.stock - n.quantity), updated_at = c.now_at
     FROM shop_clock AS c, (
       SELECT product_id, sum(quantity)::int AS quantity
       FROM jsonb_to_recordset($1) AS x(product_id bigint, quantity int) GROUP BY product_id
     ) AS n WHERE p.product_id = n.product_id`,
    [JSON.stringify(made.flatMap((one) => one.items))],
  );
}

async function payOrders({ client, clock, chance }: DayContext, now: Date): Promise<void> {
  const { rows } = await client.query(
    `SELECT order_id::int AS id FROM orders
     WHERE status = 'placed' AND ordered_at BETWEEN $1 AND $2 ORDER BY order_id`,
    [clock.now.toISOString(), now.toISOString()],
  );
  const random = chance('payments');
  const paid = rows.filter(() => random.chance(0.5));
  await setStatus(
    client,
    paid.map(({ id }) => ({ id, status: 'paid' })),
  );
}

async function removeOrders({ client, chance }: DayContext): Promise<void> {
  const ids = chance('removals').sample(await readIds(client, 'orders', 'order_id'), 3);
  await client.query('DELETE FROM order_items WHERE order_id = ANY($1)', [ids]);
  await client.query('DELETE FROM orders WHERE order_id = ANY($1)', [ids]);
}

/** A customer who leaves takes the orders along; the clicks stay, but belong to nobody. */
async function removeCustomer({ client, chance }: DayContext): Promise<void> {
  const id = chance('leaving').pick(await readIds(client, 'customers', 'customer_id'));
  await client.query(
    `DELETE FROM order_items WHERE order_id IN (SELECT order_id FROM orders WHERE customer_id = $1)`,
    [id],
  );
  await client.query('DELETE FROM orders WHERE customer_id = $1', [id]);
  await client.query('UPDATE click_events SET customer_id = NULL WHERE customer_id = $1', [id]);
  await client.query('DELETE FROM customers WHERE customer_id = $1', [id]);
}

async function addClicks({ client, clock, chance }: DayContext): Promise<number> {
  const random = chance('clicks');
  const fromMs = clock.now.getTime();
  const rows = createClicks(random, {
    count: random.int(400, 600),
    fromMs,
    toMs: fromMs + 23 * HOUR_MS,
    customerIds: await readIds(client, 'customers', 'customer_id'),
    productIds: await readIds(client, 'products', 'product_id'),
    firstEventId: clock.nextEventId,
    keyPrefix: `v${clock.dayNumber + 1}`,
  });
  await insertRows(client, 'click_events', rows);
  return rows.length;
}

async function readProducts(client: Client): Promise<PricedProduct[]> {
  const { rows } = await client.query(
    'SELECT product_id::int AS product_id, price::text AS price FROM products ORDER BY product_id',
  );
  return rows;
}

async function readIds(client: Client, table: string, column: string): Promise<number[]> {
  const { rows } = await client.query(
    `SELECT ${column}::int AS id FROM ${table} ORDER BY ${column}`,
  );
  return rows.map((row) => row.id);
}
