/**
 * Accidents at the commit. The catalog commits, and its answer never arrives; or somebody else
 * commits first. First what an engine does then by itself; then
 * that our operations end in one truth: one commit, all files, the same rows, an honest receipt.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineName } from '../../src/domain/engine.ts';
import type { HandRequest } from '../../src/domain/hand-request.ts';
import { atCommit, type Fault } from './fault-proxy.ts';
import { compactOn, EXPIRE_ALL, type Faults, makeSmall, openFaults } from './faults-support.ts';
import { checksum, forgetTable, replaces } from './lake.ts';

let faults: Faults;
/** Rows that each table must have in the end. */
const rows = new Map<string, number>();

beforeAll(async () => {
  faults = await openFaults('faults-commit', ['spark', 'trino']);
});
afterAll(() => faults?.close());

const manifestsOn = (engine: EngineName): HandRequest => ({ kind: 'rewrite_manifests', engine });

const CUT: Fault = { kind: 'cut' };
const SERVER_ERROR: Fault = { kind: 'answer', status: 500 };
/** Spark's and Trino's clients send a request again after this. */
const TRY_AGAIN: Fault = { kind: 'answer', status: 503, headers: { 'Retry-After': '0' } };
const REPEAT: Fault = { kind: 'repeat' };

describe('the danger', () => {
  it('is real: Spark deletes the live manifests of its own commit when a request is repeated', async () => {
    const table = 'lake.faults_commit.danger';
    await makeSmall(faults.lake, table);
    faults.catalog.use(atCommit(table, REPEAT));
    const sql = `CALL lake.system.rewrite_manifests(table => '${table}')`;
    const session = 'may-delete';
    const running = faults.spark.run({ engine: 'spark', sql }, { key: `raw/${table}`, session });
    await expect(running).rejects.toMatchObject({ code: 'EngineRejected' });
    const found = (await faults.verify([table])).get(table);
    expect(found?.rows).toBeNull();
    expect(found?.missing.length).toBeGreaterThan(0);
    await expect(checksum(faults.lake, table)).rejects.toThrow();
    await forgetTable(table);
  });
});

/** Request, engine, and what befalls the answer to the commit. */
const CASES: readonly (readonly [string, HandRequest, string, Fault])[] = [
  ['compaction on spark', compactOn('spark'), 'is cut off', CUT],
  ['compaction on spark', compactOn('spark'), 'becomes a server error', SERVER_ERROR],
  ['compaction on spark', compactOn('spark'), 'is lost by a gateway that repeats', REPEAT],
  ['compaction on trino', compactOn('trino'), 'is cut off', CUT],
  ['compaction on trino', compactOn('trino'), 'becomes a server error', SERVER_ERROR],
  ['compaction on trino', compactOn('trino'), 'is lost by a gateway that repeats', REPEAT],
  ['manifest rewrite on spark', manifestsOn('spark'), 'is cut off', CUT],
  ['manifest rewrite on spark', manifestsOn('spark'), 'becomes "try again"', TRY_AGAIN],
  ['manifest rewrite on spark', manifestsOn('spark'), 'is lost by a gateway that repeats', REPEAT],
  ['manifest rewrite on trino', manifestsOn('trino'), 'is cut off', CUT],
  ['manifest rewrite on trino', manifestsOn('trino'), 'becomes a server error', SERVER_ERROR],
  ['expiry on spark', EXPIRE_ALL, 'is cut off', CUT],
  ['expiry on spark', EXPIRE_ALL, 'becomes a server error', SERVER_ERROR],
  ['expiry on spark', EXPIRE_ALL, 'is lost by a gateway that repeats', REPEAT],
];

describe('the answer to the commit', () => {
  it.each(CASES.map((one, at) => [...one, at] as const))(
    'of a %s (%o) %s (%o)',
    async (_what, request, _how, fault, at) => {
      const table = `lake.faults_commit.t${at}`;
      await makeSmall(faults.lake, table);
      const before = await checksum(faults.lake, table);
      faults.catalog.use(atCommit(table, fault));
      const receipt = await faults.perform(table, request);
      expect(faults.catalog.met.at(-1)).toMatchObject({ fault, status: 200 });
      expect(receipt).toMatchObject({ status: 'done', error: null });
      expect(receipt.invariants.filter((one) => !one.ok)).toEqual([]);
      // A connection that broke is never told as an answer.
      if (fault === CUT) expect(receipt.notes?.join()).toContain('the answer was lost');
      const health = await faults.lake.measure(table);
      expect(replaces(health)).toHaveLength(request.kind === 'expire_snapshots' ? 0 : 1);
      expect(receipt.snapshotAfter).toBe(health.snapshotId);
      expect(await checksum(faults.lake, table)).toEqual(before);
      rows.set(table, Number(before?.n));
    },
  );
});

/** What another writer does when a compaction of ours is about to commit. */
const WRITERS: readonly (readonly [
  EngineName,
  'appends' | 'deletes' | 'updates',
  (table: string) => string,
])[] = [
  ['spark', 'appends', (table) => `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 10`],
  ['spark', 'deletes', (table) => `DELETE FROM ${table} WHERE customer_id % 2 = 0`],
  ['spark', 'updates', (table) => `UPDATE ${table} SET note = 'x' WHERE customer_id % 3 = 0`],
  ['trino', 'appends', (table) => `INSERT INTO ${table} SELECT * FROM ${table} LIMIT 10`],
  ['trino', 'deletes', (table) => `DELETE FROM ${table} WHERE customer_id % 2 = 0`],
];

describe('another writer', () => {
  it.each(WRITERS.map((one, at) => [...one, at] as const))(
    'while %s compacts %s: both take effect, and the receipt names it',
    async (engine, what, sql, at) => {
      const table = `lake.faults_commit.w${at}`;
      await makeSmall(faults.lake, table);
      const write = () => faults.lake.trino(sql(table));
      faults.catalog.use(atCommit(table, { kind: 'late', after: write }));
      const receipt = await faults.perform(table, compactOn(engine));
      expect(receipt).toMatchObject({ status: 'done', error: null });
      expect(receipt.invariants.filter((one) => !one.ok)).toEqual([]);
      const health = await faults.lake.measure(table);
      const [theirs, ours] = health.snapshots.slice(-2);
      expect(ours).toMatchObject({ operation: 'replace', snapshotId: receipt.snapshotAfter });
      const operation = { appends: 'append', deletes: 'delete', updates: 'overwrite' }[what];
      expect(theirs?.operation).toBe(operation);
      expect(receipt.notes?.join()).toContain(`another writer committed: ${theirs?.operation}`);
      expect(receipt.notes?.join()).toContain('by trino query');
      const after = await checksum(faults.lake, table);
      const written = `${table} FOR VERSION AS OF ${theirs?.snapshotId}`;
      expect(await checksum(faults.lake, written)).toEqual(after);
      rows.set(table, Number(after?.n));
    },
  );
});

describe('a reader that is not ours', () => {
  it('finds every file and every row of all these tables', async () => {
    const found = await faults.verify([...rows.keys()]);
    for (const [table, count] of rows) {
      expect(found.get(table), table).toMatchObject({ rows: count, missing: [] });
    }
  });
});
