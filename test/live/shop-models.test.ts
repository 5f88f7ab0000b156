/** The shop's models on the real engines: right answers, and nothing written where nothing is new. */
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SHOP_SEED } from '../../src/cli/commands/stack.ts';
import { readConfig } from '../../src/config.ts';
import { advanceShop } from '../../stack/shop/advance.ts';
import { seedShop } from '../../stack/shop/seed.ts';
import { openShopLake, type ShopLake } from './shop-support.ts';
import { expectLakeEqualsShop } from './shop-truth.ts';

const config = readConfig();
const shopUrl = process.env.ICEWRIGHT_SHOP_URL ?? '';
let lake: ShopLake;

beforeAll(async () => {
  await seedShop(shopUrl, { seed: SHOP_SEED });
  lake = openShopLake('shop_models');
});
afterAll(() => lake?.close());

async function expectEqual(): Promise<void> {
  await expectLakeEqualsShop({
    shopUrl,
    query: lake.query,
    catalog: config.catalog.name,
    namespaceOf: lake.namespaceOf,
    ...(config.pseudonymKey === undefined ? {} : { pseudonymKey: config.pseudonymKey }),
  });
}

async function inShop<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: shopUrl });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

test('after the first night the lake equals the shop', async () => {
  await lake.night();
  await expectEqual();
});

test.each([1, 2])('after %i more days the lake equals the shop', async (days) => {
  await advanceShop(shopUrl, { days });
  await lake.night();
  await expectEqual();
});

test('a night without changes commits nothing and asks Spark nothing', async () => {
  const night = await lake.night();
  for (const [model, outcome] of night) {
    if (model.startsWith('bronze.')) {
      expect(outcome).not.toBe('unchanged');
      if (outcome !== 'unchanged') expect(outcome.after).toBe(outcome.before);
    } else expect(outcome, model).toBe('unchanged');
  }
});

test('a transaction that commits late with a lower id is not skipped', async () => {
  const bump = 'UPDATE products SET stock = stock + 1 WHERE product_id = $1';
  await inShop(async (slow) => {
    await slow.query('BEGIN');
    await slow.query(bump, [1]);
    await inShop((quick) => quick.query(bump, [2]));
    await lake.night('bronze.raw_products+');
    await slow.query('COMMIT');
  });
  await lake.night('bronze.raw_products+');
  await expectEqual();
});

test('a key that changes, and one that is deleted and comes again, end as in the shop', async () => {
  await inShop(async (client) => {
    await client.query('BEGIN');
    await client.query('UPDATE products SET product_id = 900001 WHERE product_id = 3');
    const { rows } = await client.query('DELETE FROM products WHERE product_id = 4 RETURNING *');
    const { sku, name, category, updated_at } = rows[0];
    await client.query('INSERT INTO products VALUES (4, $1, $2, $3, 0.10, 5, $4)', [
      sku,
      name,
      category,
      updated_at,
    ]);
    await client.query('COMMIT');
    await client.query('DELETE FROM customers WHERE customer_id = 5');
  });
  await lake.night();
  await expectEqual();
  await expect(inShop((client) => client.query('TRUNCATE products'))).rejects.toThrow(/use DELETE/);
});

test('the watermark in a snapshot is what was read', async () => {
  const name = config.catalog.name;
  const silver = await lake.measure(`${name}.${lake.namespaceOf('silver')}.orders`);
  const bronzeKey = `${name}.${lake.namespaceOf('bronze')}.raw_orders`;
  const bronze = await lake.measure(bronzeKey);
  const head = silver?.snapshots.find((one) => one.snapshotId === silver.snapshotId);
  const inputs = JSON.parse(head?.summary['icewright.inputs'] ?? '{}');
  expect(bronze?.snapshots.map((one) => one.snapshotId)).toContain(inputs[bronzeKey]);
  expect(head?.summary['icewright.model']).toBe('silver.orders');
  expect(head?.summary['icewright.model-digest']).toMatch(/^[0-9a-f]{64}$/);
});
