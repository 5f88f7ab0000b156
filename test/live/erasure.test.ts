/**
 * A customer of a shop of three layers is forgotten: nothing of them is left in any version of any
 * object, everybody else is as before, and another night does not bring them back.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { SignedCertificate } from '../../src/domain/erasure/certificate.ts';
import type { ErasureRequest } from '../../src/domain/erasure/request.ts';
import { until } from './command-line.ts';
import { deleteByValue } from './equality-delete.ts';
import { othersOf, SUBJECT } from './erasure-people.ts';
import {
  ALL,
  EMAIL_BEFORE,
  inShop,
  liveADay,
  makeShopTables,
  openShop,
  replaySubject,
  SESSION,
  shopModels,
  shopPolicy,
  shopUrl,
} from './erasure-shop.ts';
import {
  approve,
  ask,
  certificateOf,
  type Office,
  openOffice,
  readRequest,
  untilState,
} from './erasure-support.ts';
import { scanBucket } from './independent-scan.ts';

/** Besides the shop's: its deletes are equality deletes, as Flink writes them. */
const LETTERS = 'lake.silver.er_letters';
const MORE = `      - table: silver.er_letters
        match: { customer_id: customer_id }
        holds: { email: mail }
`;
/** Rows of the subject: by key, by browser, by order. */
const KNOWN = [SUBJECT.key, SESSION, '88000012[0-9]'];

let office: Office;
/** Of the shop and the letters, those that hold anybody. */
let tables: readonly string[];
let requestId: string;
let certificate: SignedCertificate;
const before = new Map<string, unknown>();

beforeAll(async () => {
  await openShop();
  const env = { ICEWRIGHT_SOURCE_SHOP_URL: shopUrl() };
  office = await openOffice('erasure', { policy: shopPolicy(MORE), models: shopModels(), env });
  const models = await makeShopTables(office);
  tables = [...models.map(({ name }) => `lake.${name}`), LETTERS];
  await office.startWorker();
  await night();
  await office.lake.spark('ALTER TABLE lake.bronze.er_customers CREATE TAG before_the_day');
  await office.lake.spark('ALTER TABLE lake.silver.er_orders CREATE BRANCH audit');
  await makeLetters();
  await liveADay();
  await night();
});
afterAll(async () => {
  for (const table of tables ?? []) await office.lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await office?.close();
});

async function night(): Promise<void> {
  const { failed } = (await office.succeed(['nightly'])) as { readonly failed: readonly string[] };
  expect(failed).toEqual([]);
}

/**
 * The subject's letters were deleted once, by value, and one came later; a tag, with a number for a
 * name, is from before a column was renamed.
 */
async function makeLetters(): Promise<void> {
  const { spark } = office.lake;
  await spark(`DROP TABLE IF EXISTS ${LETTERS}`);
  await spark(
    `CREATE TABLE ${LETTERS} (letter BIGINT, customer_id BIGINT, email STRING) USING iceberg
     LOCATION '${office.base}/silver/letters' TBLPROPERTIES ('format-version' = '2',
       'write.delete.mode' = 'merge-on-read')`,
  );
  const subject = `${SUBJECT.key}L, '${SUBJECT.email}'`;
  await spark(
    `INSERT INTO ${LETTERS} SELECT id, 7700000200 + id % 9, concat('person', id % 9, '@example.org')
     FROM range(90) UNION ALL SELECT 1000, ${subject}`,
  );
  await spark(`ALTER TABLE ${LETTERS} CREATE TAG \`20251231\``);
  await spark(`ALTER TABLE ${LETTERS} RENAME COLUMN email TO mail`);
  await deleteByValue(LETTERS, 'customer_id', SUBJECT.key);
  await spark(`INSERT INTO ${LETTERS} SELECT 1001, ${subject}`);
}

it('before, the scan from outside finds key, e-mail and name, in every layer', async () => {
  const scanned = await scanBucket(office.bucket, ALL);
  const labels = new Set(scanned.where.map((one) => / (\w+) in /.exec(one)?.[1]));
  const texts = ['email', 'former', 'key', 'name', 'session'];
  expect([...labels].sort()).toEqual([...texts, 'first', 'second', 'third'].sort());
  const lines = scanned.where.filter((one) => /items/.test(one) && /: (first|third) in/.test(one));
  expect(lines.length).toBeGreaterThan(0);
  const layers = new Set(scanned.where.map((one) => one.split('/')[0]));
  expect([...layers].sort()).toEqual(['bronze', 'gold', 'silver']);
  process.stdout.write(`traces before: ${scanned.traces} in ${scanned.versions} versions\n`);
  const equality = await office.lake.spark(
    `SELECT count(*) AS n FROM ${LETTERS}.delete_files WHERE content = 2`,
  );
  expect(Number(equality[0]?.n)).toBe(1);
  for (const table of tables) before.set(table, await othersOf(office.lake, table, 'main', KNOWN));
});

it('the tag and the branch are told with what to do; a second person approves', async () => {
  const request = await ask(office, SUBJECT.key);
  requestId = request.requestId;
  expect(request.state).toBe('awaiting_approval');
  const blockers = request.blockers.map(({ table, kind, name }) => `${kind} ${name} of ${table}`);
  expect(blockers.sort()).toEqual([
    'branch audit of lake.silver.er_orders',
    `tag 20251231 of ${LETTERS}`,
    'tag before_the_day of lake.bronze.er_customers',
  ]);
  const letters = request.found.find(({ table }) => table === LETTERS)?.refs;
  expect(letters?.map(({ name, rows }) => [name, rows]).sort()).toEqual([
    ['20251231', 1],
    ['main', 1],
  ]);
  expect(request.blockers[0]?.remedy).toMatch(/drop it|move it/);
  const own = await office.icewright(['erase', 'approve', requestId]);
  expect([own.exitCode, own.json.error.message]).toEqual([
    3,
    expect.stringMatching(/second person/),
  ]);
  expect((await approve(office, requestId)).exitCode).toBe(0);
});

it('it does not end while they reach old files; then nothing is left in any version', async () => {
  const waits = await until(async () => {
    const request = await readRequest(office, requestId);
    return request.error?.message.includes('still reach old files') ? request : null;
  });
  expect(waits.state).toBe('forgetting');
  const { spark } = office.lake;
  await spark('ALTER TABLE lake.bronze.er_customers DROP TAG before_the_day');
  await spark(`ALTER TABLE ${LETTERS} DROP TAG \`20251231\``);
  const head = (await office.lake.measure('lake.silver.er_orders')).snapshotId;
  await spark(`ALTER TABLE lake.silver.er_orders REPLACE BRANCH audit AS OF VERSION ${head}`);
  await office.succeed(['erase', 'retry', requestId]);
  await untilState(office, requestId, ['done']);
  certificate = await certificateOf(office, requestId);
  const scanned = await scanBucket(office.bucket, ALL);
  expect(scanned.where).toEqual([]);
  process.stdout.write(`traces after: ${scanned.traces} in ${scanned.versions} versions\n`);
});

it('everybody else is as before, in every table and in the branch that stays', async () => {
  for (const table of tables) {
    // These were made anew from what is left: the sums over days still count the subject.
    expect([table, await othersOf(office.lake, table, 'main', KNOWN)]).toEqual([
      table,
      before.get(table),
    ]);
  }
  const orders = 'lake.silver.er_orders';
  expect(await othersOf(office.lake, orders, 'audit', KNOWN)).toEqual(before.get(orders));
  const features = await office.lake.trino(
    'SELECT customer_id, orders, revenue FROM lake.gold.er_user_features ORDER BY 1',
  );
  const truth = await inShop(async (client) => {
    const { rows } = await client.query(
      `SELECT c.customer_id, count(DISTINCT o.order_id) AS orders,
         coalesce(sum(i.quantity * i.unit_price), 0) AS revenue
       FROM customers c
       LEFT JOIN orders o ON o.customer_id = c.customer_id AND o.status <> 'cancelled'
       LEFT JOIN order_items i ON i.order_id = o.order_id GROUP BY 1 ORDER BY 1`,
    );
    return rows as { customer_id: string; orders: string; revenue: string }[];
  });
  const plain = (rows: readonly Record<string, unknown>[]) =>
    rows.map((one) => [Number(one.customer_id), Number(one.orders), Number(one.revenue)]);
  expect(plain(features)).toEqual(plain(truth));
  expect(truth.length).toBe(11);
});

it('the certificate tells what was done, and verifies', async () => {
  const { tables: told, verification, remains, sources } = certificate.certificate;
  expect(sources[0]?.rowsRemoved).toBeGreaterThan(10);
  for (const one of told.filter(({ action }) => action !== 'keep')) {
    const { before: rows, matched, after, matchedAfter, othersBefore, othersAfter } = one.oracle;
    expect([one.table, after, matchedAfter, othersAfter]).toEqual([
      one.table,
      rows - matched,
      0,
      othersBefore,
    ]);
  }
  const rows = Object.fromEntries(told.map((one) => [one.table, one.rowsMatched]));
  expect(rows['lake.silver.er_orders']).toBe(3);
  expect(verification.tables.flatMap((one) => one.traces)).toEqual([]);
  expect(remains.map((one) => one.where)).toEqual(["backups of the shop's database"]);
  const verified = await office.succeed(['erase', 'verify', requestId, '--lake']);
  expect(verified).toMatchObject({ ok: true, lake: { tables: tables.length - 4 } });
});

it('nothing of it stands in histories, ledger, logs and metrics', async () => {
  const home = process.env.ICEWRIGHT_HOME ?? '';
  const dump = await office.sql(
    `SELECT table_name AS t, query_to_xml(format('SELECT * FROM icewright.%I', table_name),
       true, false, '')::text AS rows
     FROM information_schema.tables WHERE table_schema = 'icewright'`,
  );
  const texts: [string, string][] = [
    ...dump.map((one) => [`ledger ${one.t}`, String(one.rows)] as [string, string]),
    ['metrics', await office.metrics()],
    ['log of the worker', readFileSync(office.logFile, 'latin1')],
    ['certificate', JSON.stringify(certificate)],
  ];
  const folder = join(home, 'data', 'temporal');
  for (const file of readdirSync(folder)) {
    texts.push([`temporal ${file}`, readFileSync(join(folder, file), 'latin1')]);
  }
  const needles = [SUBJECT.key, SUBJECT.email, SUBJECT.name, EMAIL_BEFORE, SESSION];
  const seen = texts.flatMap(([where, text]) =>
    needles
      .filter((one) => text.toLowerCase().includes(one.toLowerCase()))
      .map((one) => [where, one]),
  );
  expect(seen).toEqual([]);
  // What the engines themselves log: docs/erasure.md tells of it.
  const logs = join(home, 'logs');
  for (const file of readdirSync(logs)) {
    const text = readFileSync(join(logs, file), 'latin1').toLowerCase();
    const found = needles.filter((one) => text.includes(one.toLowerCase()));
    process.stdout.write(`log ${file}: ${found.length === 0 ? 'nothing' : found.join(', ')}\n`);
  }
});

it('the same rows come once more, and a night does not bring them back', async () => {
  await replaySubject();
  await night();
  expect((await scanBucket(office.bucket, ALL)).where).toEqual([]);
  expect(await office.succeed(['erase', 'verify', requestId, '--lake'])).toMatchObject({
    ok: true,
  });
  const revenue = await office.lake.trino(
    'SELECT sum(revenue) AS r FROM lake.gold.er_daily_revenue',
  );
  const [truth] = await inShop(async (client) => {
    const { rows } = await client.query(
      `SELECT sum(quantity * unit_price) AS r FROM orders JOIN order_items USING (order_id)
       WHERE status <> 'cancelled' AND customer_id <> $1`,
      [SUBJECT.key],
    );
    return rows as { r: string }[];
  });
  expect(Number(revenue[0]?.r)).toBe(Number(truth?.r));
});

it('a changed byte, a removed row of the ledger, a row that is back: each is seen', async () => {
  const file = join(office.folder, 'certificate.json');
  await office.succeed(['erase', 'certificate', requestId, '--out', file]);
  expect(await office.succeed(['erase', 'verify', file])).toMatchObject({ ok: true });
  writeFileSync(file, readFileSync(file, 'utf8').replace('"rowsMatched":3', '"rowsMatched":2'));
  const changed = await office.icewright(['erase', 'verify', file]);
  expect([changed.exitCode, changed.json.ok]).toEqual([1, false]);
  await expect(office.sql('DELETE FROM icewright.proof WHERE entry = 2')).rejects.toThrow();
  await office.sql(`CREATE TABLE public.kept AS SELECT entry, document, previous, digest, key_id,
    public_key, signature FROM icewright.proof WHERE entry = 2;
    ALTER TABLE icewright.proof DISABLE TRIGGER ALL; DELETE FROM icewright.proof WHERE entry = 2`);
  const removed = await office.icewright(['erase', 'verify', requestId]);
  expect([removed.exitCode, removed.json.faults[0].code]).toEqual([1, 'entry_missing']);
  await office.sql(`INSERT INTO icewright.proof (entry, document, previous, digest, key_id,
    public_key, signature) SELECT * FROM public.kept`);
  expect(await office.succeed(['erase', 'verify', requestId])).toMatchObject({ ok: true });
  await office.lake.spark(`INSERT INTO lake.silver.er_orders SELECT 1, ${SUBJECT.key}L, 'paid',
    current_timestamp(), current_timestamp()`);
  expect(await office.succeed(['erase', 'verify', requestId])).toMatchObject({ ok: true });
  const back = await office.icewright(['erase', 'verify', requestId, '--lake']);
  expect([back.exitCode, back.json.faults[0]]).toEqual([
    1,
    expect.objectContaining({
      code: 'subject_back',
      message: expect.stringContaining('er_orders'),
    }),
  ]);
});

it('who is not there is verified all the same, and the certificate says so', async () => {
  const request: ErasureRequest = await ask(office, '7799999999');
  await untilState(office, request.requestId, ['done']);
  const { certificate: none } = await certificateOf(office, request.requestId);
  expect(none.tables.every((one) => one.rowsMatched === 0)).toBe(true);
  expect(none.approvedBy).toBeNull();
  expect(none.verification.tables.length).toBeGreaterThan(5);
});
