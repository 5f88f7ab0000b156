/** What the shop's own policy does to a shop, on a real PostgreSQL: whatever came since it was read. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { SourceMapping, SubjectValues } from '../../src/domain/erasure/privacy.ts';
import { openProject } from '../../src/project/project.ts';
import { createSourceEraser } from '../../src/sources/postgres.ts';
import { startPostgres, type TestPostgres } from '../ledger/postgres.ts';

const ROOT = join(import.meta.dirname, '../..');
const KEY = '4711';
/** As the lake had it: one order and one session. */
const KNOWN: SubjectValues = { customer_id: [KEY], order_id: ['10'], session_key: ['home'] };

let server: TestPostgres;
let client: pg.Client;
let source: SourceMapping;
let eraser: ReturnType<typeof createSourceEraser>;

beforeAll(async () => {
  server = await startPostgres();
  const url = await server.createDatabase('shop');
  client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(await readFile(join(ROOT, 'stack/shop/schema.sql'), 'utf8'));
  const project = openProject({
    ...{ modelsDir: join(ROOT, 'models'), policiesDir: join(ROOT, 'policies') },
    catalogName: 'lake',
  });
  const policy = (await project.policies()).find((one) => one.kind === 'privacy');
  const [shop] = policy?.subjects.flatMap((one) => one.sources) ?? [];
  if (shop === undefined) throw new Error('the policy has no source');
  source = shop;
  eraser = createSourceEraser({ urls: { shop: url } });
}, 60_000);
afterAll(async () => {
  await client?.end();
  await server?.stop();
}, 60_000);

/** Order 11 and session "cafe" came after the lake was filled; the browser "hall" has two users. */
beforeEach(async () => {
  await client.query(`
    DELETE FROM customers; DELETE FROM orders; DELETE FROM order_items; DELETE FROM click_events;
    DELETE FROM change_log;
    INSERT INTO customers VALUES (${KEY}, 'a@b.example', 'A', null, 'DE', null, now(), now()),
      (1, 'c@d.example', 'C', null, 'DE', null, now(), now());
    INSERT INTO orders VALUES (10, ${KEY}, 'paid', now(), now()), (11, ${KEY}, 'paid', now(), now()),
      (20, 1, 'paid', now(), now());
    INSERT INTO order_items VALUES (10, 1, 1, 1, 1), (11, 1, 1, 1, 1), (20, 1, 1, 1, 1)`);
  const clicks = [
    ...[
      [1, KEY, 'home'],
      [2, null, 'home'],
      [3, KEY, 'cafe'],
      [4, null, 'cafe'],
    ],
    ...[
      [5, KEY, 'hall'],
      [6, 1, 'hall'],
      [7, null, 'hall'],
    ],
  ];
  for (const [id, customer, session] of clicks) {
    await client.query(
      `INSERT INTO click_events VALUES ($1, $2, $3, 'view', 1, '/', 'x', 'y', now())`,
      [id, customer, session],
    );
  }
});

async function left(): Promise<readonly string[]> {
  const { rows } = await client.query(`
    SELECT 'order ' || order_id AS what FROM orders
    UNION ALL SELECT 'line of ' || order_id FROM order_items
    UNION ALL SELECT 'customer ' || customer_id FROM customers
    UNION ALL SELECT 'click ' || event_id FROM click_events
    UNION ALL SELECT DISTINCT 'log: ' || table_name || ' ' || coalesce(
      coalesce(after, before)->>'order_id', coalesce(after, before)->>'event_id',
      coalesce(after, before)->>'customer_id') FROM change_log
`);
  return rows.map(({ what }) => String(what)).sort();
}

const OTHERS = [
  ...['click 6', 'click 7', 'customer 1', 'line of 20', 'order 20'],
  ...['log: click_events 6', 'log: click_events 7', 'log: customers 1', 'log: order_items 20'],
  'log: orders 20',
].sort();

test('it tells orders and sessions that the lake has not seen, and none that others share', async () => {
  const told = await eraser.tell(source, { customer_id: [KEY] });
  expect(new Set(told.map((row) => row.customer_id))).toEqual(new Set([KEY]));
  const values = (name: string) => [...new Set(told.flatMap((row) => row[name] ?? []))].sort();
  expect([values('order_id'), values('session_key')]).toEqual([
    ['10', '11'],
    ['cafe', 'home'],
  ]);
});

test('nothing of them is left in it, nor in its outbox, and everything of the others is', async () => {
  expect((await eraser.forget(source, KNOWN)).rowsRemoved).toBeGreaterThan(10);
  expect(await left()).toEqual(OTHERS);
  expect(await eraser.forget(source, KNOWN)).toEqual({ rowsRemoved: 0, told: [] });
});

test('also what an order, that was deleted before, has left in the outbox', async () => {
  await client.query(
    'DELETE FROM order_items WHERE order_id = 11; DELETE FROM orders WHERE order_id = 11',
  );
  await eraser.forget(source, KNOWN);
  expect(await left()).toEqual(OTHERS);
});

test('an order that comes while it is forgotten leaves no line in the outbox', async () => {
  // Whatever "tell" answers is not there yet: the deletion itself must know.
  const { tell: _asked, ...silent } = source;
  await eraser.forget(silent, { customer_id: [KEY], order_id: [], session_key: ['home', 'cafe'] });
  expect(await left()).toEqual(OTHERS);
});
