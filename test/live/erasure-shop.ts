/**
 * A small shop beside the stack's own, with the shop's own models and privacy policy under other
 * names: three layers, whose tables lie in a bucket with versions.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { PROJECT_DIR, readConfig } from '../../src/config.ts';
import type { Model } from '../../src/domain/model/model.ts';
import { compileModel as compileSpark } from '../../src/engines/spark/compile-model.ts';
import { compileModel as compileTrino } from '../../src/engines/trino/compile-model.ts';
import { requireModels } from '../../src/project/models.ts';
import { insertRows, type ShopTable } from '../../stack/shop/rows.ts';
import { SOUGHT, SUBJECT } from './erasure-people.ts';
import type { Office } from './erasure-support.ts';

/** Stands before every name: `lake.bronze.er_customers`. */
const PREFIX = 'er_';
const SCHEMA = 'er_shop';
const ROOT = new URL('../../', import.meta.url).pathname;

/** The shop's models and policy speak of other tables, and of another schema of the source. */
function renamed(text: string): string {
  return text
    .replace(/\bbronze\.raw_(\w+)/g, `bronze.${PREFIX}$1`)
    .replace(/\b(silver|gold)\.(?!er_)(\w+)/g, `$1.${PREFIX}$2`)
    .replaceAll('public.change_log', `${SCHEMA}.change_log`);
}

/** One table of each format version and way of deleting. */
function withVariety(file: string, text: string): string {
  return file === 'silver/order_items.sql'
    ? text.replace('format-version: 2', 'format-version: 3')
    : text;
}

export function shopModels(): Readonly<Record<string, string>> {
  const files = ['bronze', 'silver', 'gold'].flatMap((layer) =>
    readdirSync(join(ROOT, 'models', layer)).map((file) => `${layer}/${file}`),
  );
  return Object.fromEntries(
    files.map((file) => {
      const text = withVariety(file, readFileSync(join(ROOT, 'models', file), 'utf8'));
      const [layer, name = ''] = file.split('/');
      return [`models/${layer}/${PREFIX}${name.replace(/^raw_/, '')}`, renamed(text)];
    }),
  );
}

/** @param more tables that are mapped besides, as lines of YAML */
export function shopPolicy(more: string): string {
  const text = renamed(readFileSync(join(PROJECT_DIR, 'policies/privacy.yaml'), 'utf8'));
  return text.replace('\n# Copies that no erasure', `${more}\n# Copies that no erasure`);
}

/** The address that makes the small shop the one that is meant. */
export function shopUrl(): string {
  const url = new URL(process.env.ICEWRIGHT_SHOP_URL ?? '');
  url.searchParams.set('options', `-c search_path=${SCHEMA}`);
  return url.href;
}

export async function inShop<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: shopUrl() });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const OTHERS = 12;
const FIRST_KEY = 7_700_000_200;
const AT = '2026-03-01T10:00:00Z';
export const SESSION = 'sess-7f31-quast-0001';
export const EMAIL_BEFORE = 'w.quast.former@example.org';
/** What of the subject is looked for from outside. */
export const ALL = {
  ...SOUGHT,
  texts: { ...SOUGHT.texts, former: EMAIL_BEFORE, session: SESSION },
  // Lines of orders are the subject's by the order alone.
  numbers: { ...SOUGHT.numbers, first: '880000120', second: '880000121', third: '880000122' },
  columns: [...SOUGHT.columns, 'order_id'],
} as const;

/** Rows of one person: three orders of two lines, clicks before and after the login. */
function rowsOf(key: number, at: number): Record<ShopTable, readonly object[]> {
  const isSubject = String(key) === SUBJECT.key;
  const session = isSubject ? SESSION : `sess-other-${at}-xyz`;
  const orders = [0, 1, 2].map((n) => ({
    order_id: 880_000_000 + at * 10 + n,
    customer_id: key,
    status: n === 2 ? 'cancelled' : 'paid',
    ordered_at: `2026-02-${10 + n}T09:00:00Z`,
    updated_at: AT,
  }));
  const customer = {
    customer_id: key,
    email: isSubject ? EMAIL_BEFORE : `person${at}@example.org`,
    full_name: isSubject ? SUBJECT.name : `Person Number ${at}`,
    phone: `+49 151 ${key}`,
    country: at % 2 === 0 ? 'DE' : 'FR',
    card_number: isSubject ? '4929123487654321' : `49290000${10_000_000 + at}`,
    created_at: '2025-06-01T08:00:00Z',
    updated_at: AT,
  };
  const click = (n: number) => ({
    event_id: 990_000_000 + at * 10 + n,
    customer_id: n === 0 ? null : key,
    session_key: session,
    event_type: 'view',
    product_id: 1 + (n % 3),
    url: `/p/${n}`,
    user_agent: 'Firefox',
    ip: '192.0.2.7',
    occurred_at: `2026-02-20T10:0${n}:00Z`,
  });
  return {
    customers: [customer],
    products: [],
    orders,
    order_items: orders.flatMap(({ order_id }) =>
      [1, 2].map((line) => ({
        order_id,
        line_no: line,
        product_id: line,
        quantity: line + (at % 3),
        unit_price: '9.50',
      })),
    ),
    click_events: [0, 1, 2, 3].map(click),
  };
}

/** Everybody, also the subject, in a shop that was empty. */
export async function openShop(): Promise<void> {
  const schema = await readFile(join(ROOT, 'stack/shop/schema.sql'), 'utf8');
  const suppression = await readFile(join(ROOT, 'src/sources/suppression.sql'), 'utf8');
  await inShop(async (client) => {
    await client.query(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE; CREATE SCHEMA ${SCHEMA}`);
    await client.query(schema);
    await client.query(suppression);
    // Somebody may have been forgotten here before.
    await client.query('TRUNCATE icewright_erasure.suppressed');
    const products = [1, 2, 3].map((id) => ({
      product_id: id,
      sku: `S${id}`,
      name: `Thing ${id}`,
      category: 'things',
      price: '9.50',
      stock: 5,
      updated_at: AT,
    }));
    await insertRows(client, 'products', products);
    await insertPeople(client);
  });
}

async function insertPeople(client: pg.Client): Promise<void> {
  const others = Array.from({ length: OTHERS }, (_, at) => rowsOf(FIRST_KEY + at, at));
  const all = [...others, rowsOf(Number(SUBJECT.key), OTHERS)];
  for (const table of ['customers', 'orders', 'order_items', 'click_events'] as const) {
    await insertRows(
      client,
      table,
      all.flatMap((one) => one[table]),
    );
  }
}

/** A day later: others and the subject have changed, an order and a customer are gone. */
export async function liveADay(): Promise<void> {
  await inShop(async (client) => {
    await client.query(
      `UPDATE customers SET email = $1, updated_at = now() WHERE customer_id = $2`,
      [SUBJECT.email, SUBJECT.key],
    );
    await client.query(`UPDATE orders SET status = 'shipped' WHERE order_id % 10 = 1`);
    await client.query(`UPDATE order_items SET quantity = quantity + 1 WHERE order_id % 20 = 0`);
    await client.query('DELETE FROM customers WHERE customer_id = $1', [FIRST_KEY + 3]);
    await client.query('DELETE FROM order_items WHERE order_id = 880000041');
    await client.query('DELETE FROM orders WHERE order_id = 880000041');
  });
}

/** The subject's rows once more, as a backup that is put back or a late replica would bring them. */
export async function replaySubject(): Promise<void> {
  const rows = rowsOf(Number(SUBJECT.key), OTHERS);
  await inShop(async (client) => {
    for (const table of ['customers', 'orders', 'order_items', 'click_events'] as const) {
      await insertRows(client, table, rows[table]);
    }
  });
}

/** All tables of the models, empty, in the office's bucket: models fill tables that are there. */
export async function makeShopTables(office: Office): Promise<readonly Model[]> {
  const { pseudonymKey, catalog } = readConfig();
  const models = await requireModels(office.env.ICEWRIGHT_MODELS as string, catalog.name);
  for (const model of models) {
    const inputs = Object.fromEntries(model.inputs.map((key) => [key, '1']));
    const context = { runId: 'none', inputs, pseudonymKey };
    const compile = model.engine === 'spark' ? compileSpark : compileTrino;
    const { namespace, name } = model.target;
    const place = `${office.base}/${namespace}/${name}`;
    await office.lake.trino(`DROP TABLE IF EXISTS lake.${namespace}.${name}`).catch(() => []);
    for (const { sql } of compile(model, context).ensure) {
      const run = model.engine === 'spark' ? office.lake.spark : office.lake.trino;
      await run(
        model.engine === 'spark'
          ? sql.replace('TBLPROPERTIES', `LOCATION '${place}'\nTBLPROPERTIES`)
          : sql.replace(/\bWITH \((?=format)/, `WITH (location = '${place}', `),
      );
    }
  }
  return models;
}
