/**
 * Every cell of the matrix against the real engines: a yes does its work on a table of that format
 * version and keeps every row, a no is the engine's own refusal.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineName } from '../../src/domain/engine.ts';
import type { CompactOperation } from '../../src/domain/operation.ts';
import { CAPABILITIES, type Capability, canRun } from '../../src/domain/planner/capability.ts';
import {
  deleteRows,
  type Engines,
  makeTable,
  NAMESPACE,
  nameOf,
  openEngines,
  scatter,
  VERSIONS,
  type Version,
} from './capability-shapes.ts';

let engines: Engines;

beforeAll(async () => {
  engines = openEngines();
  await engines.run('spark', `CREATE NAMESPACE IF NOT EXISTS lake.${NAMESPACE}`);
  for (const version of VERSIONS) {
    const table = nameOf(version);
    // The third is made in version 2, so that it has position deletes when it is upgraded.
    await makeTable(engines, table, version === 1 ? 1 : 2);
    await scatter(engines, table);
    if (version === 1) continue;
    await deleteRows(engines, table, '2, 3');
    await deleteRows(engines, table, '4, 5');
    if (version === 2) continue;
    await engines.run('spark', `ALTER TABLE ${table} SET TBLPROPERTIES ('format-version' = '3')`);
  }
});
afterAll(async () => {
  for (const version of VERSIONS) {
    for (const role of ['t', 'u', 'gc', 'p']) {
      await engines?.run('spark', `DROP TABLE IF EXISTS ${nameOf(version, role)}`);
    }
  }
  await engines?.close();
});

const COMPACT: CompactOperation = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: 128 * 2 ** 20,
  minInputFiles: 2,
  rewriteAll: true,
};

type Show = (table: string, engine: EngineName, version: Version) => Promise<void>;

async function showCompact(table: string, engine: EngineName, change: Partial<CompactOperation>) {
  await scatter(engines, table);
  const { before, after } = await engines.perform(engine, table, { ...COMPACT, ...change });
  expect(after.dataFiles).toBeLessThan(before.dataFiles);
  expect(after.dataFiles).toBe(2);
}

/** How a yes shows that it is one, in an order in which each finds something to do. */
const SHOWS: Readonly<Record<Capability, Show>> = {
  rewrite_deletes: async (table, engine, version) => {
    const operation = { kind: 'rewrite_deletes', where: null, minInputFiles: 2 } as const;
    const { before, after } = await engines.perform(engine, table, operation);
    expect(before.detail?.deletes).toMatchObject({ positionFiles: 4, positionRecords: 4 });
    const [files, records] = [after.detail?.deletes.positionFiles, after.detail?.deletes.vectors];
    // In version 3 position deletes become deletion vectors, one for each data file.
    if (version === 3) expect([files, records]).toEqual([0, expect.any(Number)]);
    else expect(files).toBe(2);
  },
  expire_snapshots: async (table, engine) => {
    await scatter(engines, table);
    const { snapshots } = await engines.measure(table);
    const snapshotIds = snapshots.slice(0, 1).map((one) => one.snapshotId);
    const operation = {
      kind: 'expire_snapshots',
      snapshotIds,
      cleanExpiredMetadata: true,
    } as const;
    const { after } = await engines.perform(engine, table, operation);
    expect(after.snapshots).toHaveLength(snapshots.length - 1);
  },
  // Removal is by exact list and shown in its own tests: here only that the engine finds and lists.
  remove_orphans: async (table, engine) => {
    const name = table.replace('lake.', '');
    const args = `table => '${name}', dry_run => true, prefix_listing => true`;
    const rows = await engines.run(engine, `CALL lake.system.remove_orphan_files(${args})`);
    expect(rows).toEqual([]);
  },
  compute_statistics: async (table, engine) => {
    const perPartition = engine === 'spark';
    const operation = { kind: 'compute_statistics', columns: ['id'], perPartition } as const;
    const { before, after } = await engines.perform(engine, table, operation);
    expect(after.snapshotId).toBe(before.snapshotId);
    const news = (after.statisticsFiles ?? []).filter(
      (one) => !before.statisticsFiles?.includes(one),
    );
    expect(news).toHaveLength(1);
    if (perPartition) expect(after.partitionStatisticsFiles).toHaveLength(1);
  },
  drop_statistics: async (table, engine) => {
    const { before, after } = await engines.perform(engine, table, { kind: 'drop_statistics' });
    expect(before.statisticsFiles).not.toEqual([]);
    expect(after.statisticsFiles).toEqual([]);
  },
  'compact binpack': (table, engine) => showCompact(table, engine, {}),
  'compact sort': (table, engine) =>
    showCompact(table, engine, { strategy: 'sort', columns: ['ts'] }),
  'compact zorder': (table, engine) =>
    showCompact(table, engine, { strategy: 'zorder', columns: ['id', 'ts'] }),
  rewrite_manifests: async (given, engine, version) => {
    const table = engine === 'trino' ? nameOf(version, 'u') : given;
    if (engine === 'trino') await makeTable(engines, table, version, {}, '');
    await scatter(engines, table);
    await scatter(engines, table);
    const { before, after } = await engines.perform(engine, table, { kind: 'rewrite_manifests' });
    expect(after.manifests ?? 0).toBeLessThan(before.manifests ?? 0);
  },
  set_properties: async (table, engine) => {
    const set = { 'icewright.shown': "it's", 'write.target-file-size-bytes': '134217728' };
    const remove = ['write.delete.granularity'];
    const { after } = await engines.perform(engine, table, { kind: 'set_properties', set, remove });
    expect(after.properties).toMatchObject(set);
    expect(Object.keys(after.properties)).not.toContain('write.delete.granularity');
  },
};

/** The engine is asked for the very thing, in its own words, and answers. */
const REFUSALS: Readonly<
  Partial<Record<`${Capability} on ${EngineName}`, (table: string) => readonly [string, RegExp]>>
> = {
  'compact binpack on trino': (table) => [
    `ALTER TABLE ${table} EXECUTE optimize`,
    /OPTIMIZE is not supported for Iceberg table format version > 2.*NOT_SUPPORTED/,
  ],
  'compact sort on trino': (table) => [
    `ALTER TABLE ${table} EXECUTE optimize(sort_order => ARRAY['ts'])`,
    /procedure 'OPTIMIZE' property 'sort_order' does not exist/,
  ],
  'compact zorder on trino': (table) => [
    `ALTER TABLE ${table} EXECUTE optimize(strategy => 'zorder(id, ts)')`,
    /procedure 'OPTIMIZE' property 'strategy' does not exist/,
  ],
  // No procedure refuses here: there is nothing that it could ever find.
  'rewrite_deletes on spark': (table) => [
    `DELETE FROM ${table} WHERE id = 2`,
    /Deletes are supported in V2 and above/,
  ],
  'rewrite_deletes on trino': (table) => [
    `ALTER TABLE ${table} EXECUTE rewrite_position_delete_files`,
    /Table procedure not registered/,
  ],
  'expire_snapshots on trino': (table) => [
    `ALTER TABLE ${table} EXECUTE expire_snapshots(snapshot_ids => ARRAY[1])`,
    /procedure 'EXPIRE_SNAPSHOTS' property 'snapshot_ids' does not exist/,
  ],
  'remove_orphans on trino': (table) => [
    `ALTER TABLE ${table} EXECUTE remove_orphan_files(dry_run => true)`,
    /procedure 'REMOVE_ORPHAN_FILES' property 'dry_run' does not exist/,
  ],
  'drop_statistics on spark': (table) => [
    `ALTER TABLE ${table} DROP STATISTICS`,
    /PARSE_SYNTAX_ERROR/,
  ],
  'set_properties on trino': (table) => [
    `ALTER TABLE ${table} SET PROPERTIES extra_properties = MAP(ARRAY['a'], ARRAY[NULL])`,
    /Extra table property value cannot be null/,
  ],
};

describe.each(VERSIONS)('format version %i', (version) => {
  const table = nameOf(version);
  const rows = Object.keys(SHOWS) as Capability[];
  const cells = rows.flatMap((row) =>
    (['spark', 'trino'] as const).map((one) => [row, one] as const),
  );
  test.each(cells)('%s on %s', async (row, engine) => {
    const answer = canRun(row, engine, { formatVersion: version });
    if (row === 'compute_statistics' && engine === 'trino' && version === 3) {
      // Trino reads no deletion vectors: what it can do is shown on a table without them.
      expect(canRun(row, engine, await engines.measure(table))).toMatch(/deletion vectors/);
      expect(await engines.refusal('trino', `ANALYZE ${table}`)).toMatch(/PUFFIN/);
      await engines.perform('spark', table, COMPACT);
    }
    if (answer === true) return SHOWS[row](table, engine, version);
    const [sql, pattern] = REFUSALS[`${row} on ${engine}`]?.(table) ?? [];
    if (sql === undefined || pattern === undefined) throw new Error(`${answer}: not shown`);
    expect(await engines.refusal(engine, sql)).toMatch(pattern);
  });
});

test('every row of the matrix is shown', () => {
  expect(Object.keys(SHOWS).sort()).toEqual(Object.keys(CAPABILITIES).sort());
});

test('drop procedures of statistics are not to be had in Spark either', async () => {
  const sql = `CALL lake.system.drop_table_stats(table => '${NAMESPACE}.t2')`;
  expect(await engines.refusal('spark', sql)).toMatch(/FAILED_TO_LOAD_ROUTINE/);
});

test('a table of version 3 cannot go back', async () => {
  const sql = `ALTER TABLE ${nameOf(3)} SET TBLPROPERTIES ('format-version' = '2')`;
  expect(await engines.refusal('spark', sql)).toMatch(/Cannot downgrade v3 table to v2/);
});

test('Trino leaves more manifests of a partitioned table than there were', async () => {
  const table = nameOf(2, 'p');
  await makeTable(engines, table, 2, {}, 'PARTITIONED BY (bucket(8, id))');
  await scatter(engines, table);
  await scatter(engines, table);
  const before = await engines.measure(table);
  expect(canRun('rewrite_manifests', 'trino', before)).toMatch(/manifest for each partition/);
  await engines.run('trino', `ALTER TABLE ${table} EXECUTE optimize_manifests`);
  expect((await engines.measure(table)).manifests).toBeGreaterThan(before.manifests ?? 0);
});

describe('where gc.enabled is false', () => {
  const table = nameOf(2, 'gc');
  const name = table.replace('lake.', '');
  const able = (row: Capability, engine: EngineName) =>
    engines.measure(table).then((health) => canRun(row, engine, health));

  beforeAll(async () => {
    await makeTable(engines, table, 2, { 'gc.enabled': 'false' });
    await scatter(engines, table);
  });

  test('both engines refuse to expire', async () => {
    const ids = 'snapshot_ids => array(1L)';
    const spark = `CALL lake.system.expire_snapshots(table => '${name}', ${ids})`;
    expect(await engines.refusal('spark', spark)).toMatch(/GC is disabled/);
    expect(await able('expire_snapshots', 'spark')).toMatch(/gc.enabled is false/);
    const trino = `ALTER TABLE ${table} EXECUTE expire_snapshots(retention_threshold => '7d')`;
    expect(await engines.refusal('trino', trino)).toMatch(/GC is disabled/);
  });

  test('Spark refuses even to look for orphans; Trino would delete them', async () => {
    const args = `table => '${name}', dry_run => true, prefix_listing => true`;
    const spark = `CALL lake.system.remove_orphan_files(${args})`;
    expect(await engines.refusal('spark', spark)).toMatch(/GC is disabled/);
    expect(await able('remove_orphans', 'spark')).toMatch(/gc.enabled is false/);
    await engines.run('trino', `ALTER TABLE ${table} EXECUTE remove_orphan_files`);
    expect(await able('remove_orphans', 'trino')).toMatch(/no dry run/);
  });

  test('the rest goes on', async () => {
    expect(await able('compact binpack', 'spark')).toBe(true);
    await engines.perform('spark', table, COMPACT);
    await scatter(engines, table);
    await engines.perform('trino', table, COMPACT);
    await engines.perform('spark', table, { kind: 'rewrite_manifests' });
  });
});

test('Trino refuses by age below the floors of its catalog, and by format version', async () => {
  const expire = (version: Version, age: string) =>
    `ALTER TABLE ${nameOf(version)} EXECUTE expire_snapshots(retention_threshold => '${age}')`;
  expect(await engines.refusal('trino', expire(2, '6d'))).toMatch(/shorter than the minimum/);
  expect(await engines.refusal('trino', expire(3, '7d'))).toMatch(/format version > 2/);
  const orphans = `ALTER TABLE ${nameOf(3)} EXECUTE remove_orphan_files`;
  expect(await engines.refusal('trino', orphans)).toMatch(/format version > 2/);
});
