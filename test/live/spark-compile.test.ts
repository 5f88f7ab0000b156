import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CompactOperation, Operation } from '../../src/domain/operation.ts';
import type { TableRef } from '../../src/domain/table.ts';
import { compileOperation, readOutcome } from '../../src/engines/spark/compile.ts';
import { CATALOG, openSpark, rejection, type Spark } from './spark-support.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });
let spark: Spark;

beforeAll(async () => {
  spark = await openSpark('spark-compile');
});
afterAll(() => spark?.close());

const COMPACT: CompactOperation = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: 128 * 2 ** 20,
  minInputFiles: 2,
  rewriteAll: false,
};

/** A table with an awkward name and column, one file a row. */
async function create(name: string, files: number, properties = ''): Promise<TableRef> {
  const table = spark.at(name);
  await spark.run(
    `CREATE TABLE ${table} (a BIGINT, \`it's a\` STRING, st STRUCT<x: INT>) USING iceberg ` +
      `PARTITIONED BY (truncate(10, a)) ${properties}`,
  );
  for (let a = 0; a < files; a += 1) {
    const value = "'o\\'br\\\\ien'";
    await spark.run(`INSERT INTO ${table} VALUES (${a * 5}, ${value}, named_struct('x', ${a}))`);
  }
  return { catalog: CATALOG, namespace: spark.namespace, name };
}

async function perform(table: TableRef, operation: Operation) {
  const compiled = compileOperation(table, operation);
  if ('refused' in compiled) throw new Error(compiled.refused);
  const results = [];
  for (const { sql } of compiled) results.push(await spark.rows(sql));
  return readOutcome(operation, results.at(-1) ?? []);
}

async function filesOf(name: string): Promise<number> {
  const rows = await spark.rows(`SELECT count(*) AS n FROM ${spark.at(name)}.files`);
  return Number(rows[0]?.n);
}

async function snapshotsOf(name: string): Promise<string[]> {
  const sql = `SELECT snapshot_id FROM ${spark.at(name)}.snapshots ORDER BY committed_at`;
  return (await spark.rows(sql)).map((row) => String(row.snapshot_id));
}

describe('compact', () => {
  it('bin-packs only what the predicate may touch, quotes and backslashes included', async () => {
    const table = await create('bin-pack', 6);
    const where = "`it's a` = 'o\\'br\\\\ien' AND a >= 20";
    expect(await perform(table, { ...COMPACT, where })).toMatchObject({
      filesRewritten: 2,
      filesAdded: 1,
      filesRemoved: 0,
    });
    expect(await filesOf('bin-pack')).toBe(5);
    expect(await perform(table, COMPACT)).toMatchObject({ filesRewritten: 4, filesAdded: 2 });
    expect(await perform(table, COMPACT)).toMatchObject({ filesRewritten: 0, bytesRewritten: 0 });
    const count = await spark.rows(`SELECT count(*) AS n FROM ${spark.at('bin-pack')}`);
    expect(count[0]?.n).toBe(6n);
  });

  it.each([
    ['sort', ["it's a", 'a']],
    ['sort', ['st.x']],
    ['zorder', ["it's a", 'a']],
  ] as const)('rewrites by %s of %j', async (strategy, columns) => {
    const name = `by_${strategy}_${columns.length}`;
    const table = await create(name, 4);
    const operation = { ...COMPACT, strategy, columns, rewriteAll: true };
    expect(await perform(table, operation)).toMatchObject({ filesRewritten: 4, filesAdded: 2 });
    expect(await filesOf(name)).toBe(2);
  });

  it('is refused by Spark, not obeyed, when names or predicates try to break out', async () => {
    const table = await create('guarded', 2);
    const where = "1=1\\', options => map('rewrite-all', 'true'), x => '";
    const columns = ['a`) , (`b'];
    for (const part of [{ where }, { strategy: 'zorder', columns } as const]) {
      const error = await rejection(perform(table, { ...COMPACT, ...part }));
      expect(error.code).toBe('EngineRejected');
    }
    expect(await snapshotsOf('guarded')).toHaveLength(2);
  });
});

describe('expire_snapshots', () => {
  it('expires the named ids and no other, however old the table deems them', async () => {
    const old = "TBLPROPERTIES ('history.expire.max-snapshot-age-ms' = '1')";
    const table = await create('expired', 5, old);
    const before = await snapshotsOf('expired');
    const snapshotIds = [before[1] as string, before[2] as string];
    const outcome = await perform(table, { kind: 'expire_snapshots', snapshotIds });
    expect(outcome.filesRemoved).toBeGreaterThan(0);
    expect(await snapshotsOf('expired')).toEqual(before.filter((id) => !snapshotIds.includes(id)));
  });

  it('is refused for a snapshot that a branch or tag still needs', async () => {
    const table = await create('tagged', 2);
    const [first] = await snapshotsOf('tagged');
    await spark.run(`ALTER TABLE ${spark.at('tagged')} CREATE TAG keep AS OF VERSION ${first}`);
    const operation = { kind: 'expire_snapshots', snapshotIds: [first as string] } as const;
    const error = await rejection(perform(table, operation));
    expect(error.message).toContain('Still referenced by refs: [keep]');
    expect(await snapshotsOf('tagged')).toHaveLength(2);
  });
});

describe('rewrite_manifests', () => {
  it('makes one of many', async () => {
    const table = await create('many_manifests', 3);
    expect(await perform(table, { kind: 'rewrite_manifests' })).toMatchObject({
      filesRewritten: 3,
      filesAdded: 1,
    });
  });
});
