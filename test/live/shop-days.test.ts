/** The shop on a real PostgreSQL, in databases of its own: seeded once, the same for one seed. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { advanceShop } from '../../stack/shop/advance.ts';
import { seedShop } from '../../stack/shop/seed.ts';
import { readShopTruth } from '../../stack/shop/truth.ts';

const shopUrl = process.env.ICEWRIGHT_SHOP_URL ?? '';
const names = ['a', 'b'].map((name) => `shop_days_${process.pid}_${name}`);
const [urlA, urlB] = names.map((name) => {
  const url = new URL(shopUrl);
  url.pathname = name;
  return url.href;
}) as [string, string];

async function sql(url: string, text: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

beforeAll(async () => {
  for (const name of names) await sql(shopUrl, `CREATE DATABASE ${name}`);
});
afterAll(async () => {
  for (const name of names) await sql(shopUrl, `DROP DATABASE IF EXISTS ${name}`);
});

test('is seeded once with what the contract says, also by two at the same time', async () => {
  const both = await Promise.all([seedShop(urlA, { seed: 7 }), seedShop(urlA, { seed: 7 })]);
  expect(both.map((one) => one.seeded).sort()).toEqual([false, true]);
  const { rows } = both[0];
  expect(rows).toMatchObject({
    customers: 1_000,
    products: 500,
    orders: 10_000,
    click_events: 15_000,
  });
  const [logged] = await sql(
    urlA,
    `SELECT count(*)::int AS n, count(*) FILTER (WHERE op = 'c')::int AS created FROM change_log`,
  );
  const all = Object.values(rows).reduce((sum, one) => sum + one, 0);
  expect(logged).toEqual({ n: all, created: all });
  await expect(seedShop(urlA, { seed: 8 })).rejects.toMatchObject({ code: 'SafetyRefused' });
});

test('the same seed and days give the same shop', async () => {
  await seedShop(urlB, { seed: 7 });
  const together = await advanceShop(urlA, { days: 2 });
  await advanceShop(urlB, { days: 1 });
  await advanceShop(urlB, { days: 1 });
  expect(await readShopTruth(urlA)).toEqual(await readShopTruth(urlB));
  for (const table of ['customers', 'orders'] as const) {
    const { created, updated, deleted } = together.changes[table];
    expect([created > 0, updated > 0, deleted > 0]).toEqual([true, true, true]);
  }
});

test('the change log played from its beginning gives the tables', async () => {
  const keys = { customers: 'customer_id', products: 'product_id', orders: 'order_id' };
  for (const [table, key] of Object.entries(keys)) {
    const rows = await sql(
      urlA,
      `WITH last AS (
         SELECT DISTINCT ON (coalesce(after, before) -> '${key}') op, after FROM change_log
         WHERE table_name = '${table}'
         ORDER BY coalesce(after, before) -> '${key}', ts_ms DESC, lsn DESC, id DESC
       ), played AS (SELECT after AS r FROM last WHERE op <> 'd'),
       live AS (SELECT to_jsonb(t) AS r FROM ${table} AS t)
       SELECT (SELECT count(*)::int FROM (TABLE played EXCEPT TABLE live) AS x) AS too_many,
              (SELECT count(*)::int FROM (TABLE live EXCEPT TABLE played) AS x) AS missing`,
    );
    expect(rows).toEqual([{ too_many: 0, missing: 0 }]);
  }
});

test('days that are none are refused, and so is a database without a shop', async () => {
  for (const days of [0, -1, 1.5, 367]) {
    await expect(advanceShop(urlA, { days })).rejects.toMatchObject({ code: 'UsageInvalid' });
  }
  const empty = new URL(shopUrl);
  empty.pathname = 'postgres';
  await expect(advanceShop(empty.href, { days: 1 })).rejects.toThrow(/no shop in this database/);
});

test('the command prints one JSON document, and exits 2 for what it does not know', async () => {
  const file = fileURLToPath(new URL('../../stack/shop/advance-main.ts', import.meta.url));
  const env = { ...process.env, ICEWRIGHT_SHOP_URL: urlA };
  const run = promisify(execFile);
  const { stdout } = await run(process.execPath, [file, '--json'], { env });
  expect(JSON.parse(stdout)).toMatchObject({ days: 1, changes: { customers: { deleted: 1 } } });
  await expect(run(process.execPath, [file, '--days', 'x'], { env })).rejects.toMatchObject({
    code: 2,
  });
});
