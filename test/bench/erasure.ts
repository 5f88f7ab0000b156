/**
 * What it costs to forget a hundred people instead of one: `npm run bench:erasure`, on the running
 * stack (`npm start` first), with a worker, a ledger and a bucket of its own. BENCH_FILES (default
 * 24) files of some 3 MB for each of two tables; BENCH_REQUESTS (default 100).
 *
 * - `bytes100Of1`: bytes that one rewrite for all requests writes ÷ those for one request, in a table
 *   where everybody is in every file. Lower is better; aim ≤ 1.3.
 * - `seconds100Of1`: time that requests take, without their approval and the time in which a batch
 *   gathers them; aim ≤ 1.3. It is the sum of `findSeconds` (from the first request until all are
 *   found) and `batchSeconds` (from the batch's begin to its last certificate, both tables, verified).
 * - `rewrittenOfHeld1`, `rewrittenOfHeld100`: bytes of new data files ÷ bytes of the files that held
 *   the subjects, over both tables; in the second one people are in few files. Aim ≤ 1.1.
 * The last line is one line of JSON.
 */
import { randomUUID } from 'node:crypto';
import { cpus, loadavg, totalmem } from 'node:os';
import { readConfig } from '../../src/config.ts';
import { runIdAt } from '../../src/domain/ids.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { sealValues } from '../../src/proof/keyring.ts';
import { openKeys } from '../../src/proof/keys.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { wakeErasure } from '../../src/temporal/erasures.ts';
import { peoplePolicy } from '../live/erasure-people.ts';
import { type Office, openOffice } from '../live/erasure-support.ts';

const FILES = Number(process.env.BENCH_FILES ?? 24);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 100);
const ROWS_A_FILE = 40_000;
const PEOPLE = 1_000;
const TABLES = { scattered: 'lake.bench_erasure.scattered', few: 'lake.bench_erasure.few' };
const COLLECT_MS = 20_000;

interface Spent {
  readonly findSeconds: number;
  readonly batchSeconds: number;
  /** By table: bytes of data files that are new, and of those before that held a subject. */
  readonly bytes: Readonly<Record<string, { readonly written: number; readonly held: number }>>;
}

async function makeTable({ lake, base }: Office, table: string, isFew: boolean): Promise<void> {
  const name = table.split('.')[2];
  // Of a thousand people everybody is in every file, or each in one file alone.
  const person = isFew
    ? `CAST(floor(id / ${ROWS_A_FILE}) AS BIGINT) * 1000 + id % 40`
    : `id % ${PEOPLE}`;
  await lake.spark('CREATE NAMESPACE IF NOT EXISTS lake.bench_erasure');
  await lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await lake.spark(
    `CREATE TABLE ${table} (id BIGINT, customer_id BIGINT, email STRING, full_name STRING,
       note STRING, part INT) USING iceberg PARTITIONED BY (part) LOCATION '${base}/${name}'
     TBLPROPERTIES ('format-version' = '2', 'write.delete.mode' = 'merge-on-read')`,
  );
  await lake.spark(
    `INSERT INTO ${table} SELECT id, key, concat('user', key, '@example.org'),
       concat('Name Number ', key), sha2(CAST(id AS STRING), 256), part
     FROM (SELECT id, 1000000 + ${person} AS key, CAST(floor(id / ${ROWS_A_FILE}) AS INT) AS part
       FROM range(${FILES * ROWS_A_FILE}))`,
  );
}

async function dataFiles(office: Office, table: string): Promise<ReadonlyMap<string, number>> {
  const rows = await office.lake.spark(
    `SELECT file_path, file_size_in_bytes FROM ${table}.data_files`,
  );
  return new Map(rows.map((row) => [String(row.file_path), Number(row.file_size_in_bytes)]));
}

async function forgetAll(office: Office, keys: readonly string[]): Promise<Spent> {
  const before = new Map<string, ReadonlyMap<string, number>>();
  const held = new Map<string, number>();
  for (const table of Object.values(TABLES)) {
    const files = await dataFiles(office, table);
    before.set(table, files);
    const hit = await office.lake.spark(
      `SELECT DISTINCT _file AS f FROM ${table} WHERE customer_id IN (${keys.join(', ')})`,
    );
    held.set(
      table,
      hit.reduce((sum, row) => sum + (files.get(String(row.f)) ?? 0), 0),
    );
  }
  const begin = Date.now();
  const ids = await askAll(office, keys);
  await until(office, ids, 'awaiting_approval');
  const findSeconds = (Date.now() - begin) / 1000;
  await approveAll(office, ids);
  await until(office, ids, 'done');
  const batchSeconds = await secondsOfBatch(office, ids);
  const bytes: Record<string, { written: number; held: number }> = {};
  for (const table of Object.values(TABLES)) {
    const after = await dataFiles(office, table);
    const fresh = [...after].filter(([path]) => before.get(table)?.has(path) !== true);
    const written = fresh.reduce((sum, [, size]) => sum + size, 0);
    bytes[table] = { written, held: held.get(table) ?? 0 };
  }
  return { findSeconds, batchSeconds, bytes };
}

/** As the command does it, a hundred times in one process. */
async function askAll(office: Office, keys: readonly string[]): Promise<readonly string[]> {
  return withLedger(office, async ({ ledger, proof, wake }) => {
    const ids: string[] = [];
    for (const key of keys) {
      const requestId = runIdAt(Date.now(), randomUUID());
      const at = new Date();
      await ledger.erasures.openRequest(
        {
          requestId,
          subject: 'customer',
          subjectHash: proof.hasher().hash('customer', 'customer_id', key),
          ground: 'bench',
          requestedBy: 'cli:ana',
          requestedAt: at.toISOString(),
          deadlineAt: new Date(at.getTime() + 30 * 86_400_000).toISOString(),
        },
        sealValues(proof.keyring(), requestId, { customer_id: [key] }),
      );
      await wake(requestId);
      ids.push(requestId);
    }
    return ids;
  });
}

async function approveAll(office: Office, ids: readonly string[]): Promise<void> {
  await withLedger(office, async ({ ledger, wake }) => {
    for (const requestId of ids) {
      const at = new Date().toISOString();
      await ledger.erasures.actOn({ requestId, act: { kind: 'approve' }, by: 'cli:ben', at });
    }
    await Promise.all(ids.map(wake));
  });
}

interface Parts {
  readonly ledger: ReturnType<typeof createLedger>;
  readonly proof: ReturnType<typeof openKeys>;
  readonly wake: (requestId: string) => Promise<void>;
}

async function withLedger<T>(office: Office, work: (parts: Parts) => Promise<T>): Promise<T> {
  const config = readConfig({ ...process.env, ...office.env });
  const proof = openKeys(config.erasure);
  const ledger = createLedger({ url: config.ledgerUrl, sealer: proof.sealer });
  const { client, close } = await connectTemporal(config.temporal);
  try {
    return await work({ ledger, proof, wake: (id) => wakeErasure(client, id) });
  } finally {
    await close();
    await ledger.close();
  }
}

async function until(office: Office, ids: readonly string[], state: string): Promise<void> {
  for (;;) {
    const [row] = await office.sql(
      `SELECT count(*) FILTER (WHERE state = '${state}') AS n, count(*) FILTER (WHERE state = 'failed')
         AS failed FROM icewright.erasure_request WHERE request_id IN (${list(ids)})`,
    );
    if (Number(row?.failed) > 0) {
      const [one] = await office.sql(
        `SELECT error FROM icewright.erasure_request WHERE state = 'failed' LIMIT 1`,
      );
      throw new Error(JSON.stringify(one));
    }
    if (Number(row?.n) === ids.length) return;
    await new Promise((resume) => setTimeout(resume, 200));
  }
}

/** From the time at which the batch took no more to its last certificate. */
async function secondsOfBatch(office: Office, ids: readonly string[]): Promise<number> {
  const rows = await office.sql(
    `SELECT count(DISTINCT batch_id) AS batches,
       extract(epoch FROM max(updated_at) - min(closed_at)) AS s
     FROM icewright.erasure_request JOIN icewright.erasure_batch USING (batch_id)
     WHERE request_id IN (${list(ids)})`,
  );
  if (Number(rows[0]?.batches) !== 1) tell(`they went in ${rows[0]?.batches} batches`);
  return Number(rows[0]?.s);
}

function list(ids: readonly string[]): string {
  return ids.map((id) => `'${id}'`).join(', ');
}

async function main(): Promise<void> {
  const policy = peoplePolicy(Object.values(TABLES), `${COLLECT_MS / 1000}s`);
  const office = await openOffice(`bench-erasure-${Date.now() % 100_000}`, { policy });
  try {
    await makeTable(office, TABLES.scattered, false);
    await makeTable(office, TABLES.few, true);
    await office.startWorker();
    // The first one also compiles the engine's code: it counts for nobody.
    await forgetAll(office, ['1000039']);
    const one = await forgetAll(office, ['1000038']);
    tell(JSON.stringify(one));
    // In the second table these are in three files of all.
    const keys = Array.from({ length: REQUESTS }, (_, at) => 1_000_000 + (at % 3) * 1000 + at / 3);
    const many = await forgetAll(
      office,
      keys.map((key) => String(Math.floor(key))),
    );
    tell(JSON.stringify(many));
    report(one, many);
  } finally {
    for (const table of Object.values(TABLES)) {
      await office.lake.spark(`DROP TABLE IF EXISTS ${table}`);
    }
    await office.close();
  }
}

function report(one: Spent, many: Spent): void {
  const sum = ({ bytes }: Spent, what: 'written' | 'held') =>
    Object.values(bytes).reduce((all, table) => all + table[what], 0);
  const scattered = (spent: Spent) => spent.bytes[TABLES.scattered]?.written ?? Number.NaN;
  const seconds = ({ findSeconds, batchSeconds }: Spent) => findSeconds + batchSeconds;
  const ratios = {
    bytes100Of1: scattered(many) / scattered(one),
    seconds100Of1: seconds(many) / seconds(one),
    findSeconds100Of1: many.findSeconds / one.findSeconds,
    batchSeconds100Of1: many.batchSeconds / one.batchSeconds,
    rewrittenOfHeld1: sum(one, 'written') / sum(one, 'held'),
    rewrittenOfHeld100: sum(many, 'written') / sum(many, 'held'),
  };
  const rounded = Object.fromEntries(
    Object.entries(ratios).map(([name, value]) => [name, Number(value.toFixed(2))]),
  );
  const machine = {
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    load: loadavg(),
  };
  const line = { bench: 'erasure', ratios: rounded, figures: { one, many }, machine };
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}

await main();
