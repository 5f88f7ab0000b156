/** A partition named to either engine is exactly the files that it rewrites, for every transform. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineName } from '../../src/domain/engine.ts';
import type { PartitionHealth } from '../../src/domain/health/health.ts';
import type { CompactOperation, PartitionValue } from '../../src/domain/operation.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import * as sparkCompile from '../../src/engines/spark/compile.ts';
import * as trinoCompile from '../../src/engines/trino/compile.ts';
import { type Engines, openEngines } from './capability-shapes.ts';

const TABLE = 'lake.partitions.all';
/** Field → source, its type and transform. `tag` tells the rows apart, and holds awkward text. */
const FIELDS: Readonly<Record<string, Omit<PartitionValue, 'value'>>> = {
  tag: { source: 'tag', sourceType: 'string', transform: 'identity' },
  id_bucket: { source: 'id', sourceType: 'long', transform: 'bucket[64]' },
  s_trunc: { source: 's', sourceType: 'string', transform: 'truncate[2]' },
  i_trunc: { source: 'i', sourceType: 'int', transform: 'truncate[10]' },
  dc_trunc: { source: 'dc', sourceType: 'decimal(10, 2)', transform: 'truncate[100]' },
  y_year: { source: 'y', sourceType: 'date', transform: 'year' },
  m_month: { source: 'm', sourceType: 'timestamp', transform: 'month' },
  ts_day: { source: 'ts', sourceType: 'timestamptz', transform: 'day' },
  nt_hour: { source: 'nt', sourceType: 'timestamp', transform: 'hour' },
};
const NAMES = Object.keys(FIELDS);
const ON_SPARK_ALONE = ['id_bucket', 's_trunc'];
/** One row, partition and file each; the last is NULL throughout. */
const ROWS = 10;

let engines: Engines;

beforeAll(async () => {
  engines = openEngines();
  await engines.run('spark', 'CREATE NAMESPACE IF NOT EXISTS lake.partitions');
  await engines.run('spark', `DROP TABLE IF EXISTS ${TABLE}`);
  await engines.run(
    'spark',
    `CREATE TABLE ${TABLE} (tag STRING, id BIGINT, s STRING, i INT, dc DECIMAL(10, 2), y DATE,
       m TIMESTAMP_NTZ, ts TIMESTAMP, nt TIMESTAMP_NTZ) USING iceberg
     PARTITIONED BY (tag, bucket(64, id), truncate(2, s), truncate(10, i), truncate(100, dc),
       years(y), months(m), days(ts), hours(nt))`,
  );
  await addFiles();
  await addFiles();
});
afterAll(async () => {
  await engines?.run('spark', `DROP TABLE IF EXISTS ${TABLE}`);
  await engines?.close();
});

/** One more file in every partition; values before zero and before 1970 are among them. */
async function addFiles(): Promise<void> {
  await engines.run(
    'spark',
    `INSERT INTO ${TABLE} SELECT concat('o\\'br\\\\ien-', k), k, concat(char(97 + k), 'bc'),
       10 * k - 33, CAST(k - 2.75 AS DECIMAL(10, 2)), make_date(1966 + k, 3, 1),
       make_timestamp_ntz(1969, 3 + k, 15, 1, 2, 3), timestamp_seconds(86400 * (k - 2) + 3),
       make_timestamp_ntz(2026, 1, 1, k, 30, 0)
     FROM (SELECT CAST(id AS INT) AS k FROM range(${ROWS - 1}))`,
  );
  await engines.run('spark', `INSERT INTO ${TABLE} (tag) VALUES (NULL)`);
}

/** The files of each row's partition, by the row's tag. */
async function filesByTag(): Promise<ReadonlyMap<string, string>> {
  const rows = await engines.run(
    'spark',
    `SELECT coalesce(tag, 'null') AS tag, array_join(array_sort(collect_set(_file)), ' ') AS files
     FROM ${TABLE} GROUP BY tag`,
  );
  return new Map(rows.map((row) => [String(row.tag), String(row.files)]));
}

async function partitions(): Promise<readonly PartitionHealth[]> {
  return (await engines.measure(TABLE)).partitionHealth ?? [];
}

function statementOf(engine: EngineName, values: readonly PartitionValue[]) {
  const operation: CompactOperation = {
    kind: 'compact',
    strategy: 'binpack',
    columns: [],
    where: null,
    targetFileSizeBytes: 128 * 2 ** 20,
    minInputFiles: 2,
    rewriteAll: true,
    partitions: [values],
  };
  const { compileOperation } = engine === 'spark' ? sparkCompile : trinoCompile;
  return compileOperation(tableFromKey(TABLE), operation);
}

/** Compacts by one field alone: the tags whose files are others afterwards, and those named. */
async function rewrite(engine: EngineName, name: string, row: number) {
  const all = await partitions();
  const mine = [...all].sort((a, b) =>
    (a.partition.tag ?? '~') < (b.partition.tag ?? '~') ? -1 : 1,
  );
  const value = mine[row]?.partition[name] ?? null;
  const named = all.filter((one) => (one.partition[name] ?? null) === value);
  const compiled = statementOf(engine, [{ ...(FIELDS[name] as PartitionValue), value }]);
  if ('refused' in compiled) throw new Error(compiled.refused);
  const before = await filesByTag();
  for (const { sql, settings } of compiled)
    await engines.run(engine, sql, { ...(settings ? { settings } : {}) });
  const after = await filesByTag();
  const changed = [...after].filter(([tag, files]) => before.get(tag) !== files);
  return {
    changed: changed.map(([tag]) => tag).sort(),
    named: named.map((one) => one.partition.tag ?? 'null').sort(),
  };
}

test('values are printed as the predicates read them', async () => {
  const all = await partitions();
  expect(all).toHaveLength(ROWS);
  for (const { partition } of all) expect(Object.keys(partition).sort()).toEqual([...NAMES].sort());
});

describe('on Spark', () => {
  test.each(NAMES.map((name, row) => [name, row] as const))('%s', async (name, row) => {
    const { changed, named } = await rewrite('spark', name, row);
    expect(changed).toEqual(named);
  });

  test('the partition of no value', async () => {
    const { changed } = await rewrite('spark', 'ts_day', ROWS - 1);
    expect(changed).toEqual(['null']);
  });
});

describe('on Trino', () => {
  beforeAll(addFiles);
  const able = NAMES.filter((name) => !ON_SPARK_ALONE.includes(name));

  test.each(able.map((name, row) => [name, row] as const))('%s', async (name, row) => {
    const { changed, named } = await rewrite('trino', name, row);
    expect(changed).toEqual(named);
  });

  test('the partition of no value', async () => {
    const { changed } = await rewrite('trino', 'nt_hour', ROWS - 1);
    expect(changed).toEqual(['null']);
  });

  test.each([
    ['id_bucket', 'id = 3'],
    ['s_trunc', `s >= 'ab' AND s < 'ac'`],
  ])('%s cannot be said, and Trino refuses what comes near', async (name, near) => {
    const value = { ...(FIELDS[name] as PartitionValue), value: '3' };
    expect(statementOf('trino', [value])).toHaveProperty('refused');
    const sql = `ALTER TABLE ${TABLE} EXECUTE optimize WHERE ${near}`;
    expect(await engines.refusal('trino', sql)).toMatch(/Unexpected FilterNode/);
  });
});
