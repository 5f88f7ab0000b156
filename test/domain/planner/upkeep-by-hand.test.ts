/** Requests by hand for what rewrites no data: deletes, manifests, statistics, properties. */
import { describe, expect, test } from 'vitest';
import { type HandRequest, titleOf } from '../../../src/domain/hand-request.ts';
import type { TableHealth } from '../../../src/domain/health/health.ts';
import type { Decision } from '../../../src/domain/operation.ts';
import { refusalOf } from '../../../src/domain/planner/hand-plan.ts';
import { DEFAULT_SETTINGS, type MaintenanceSettings } from '../../../src/domain/policy/policy.ts';
import { MB, partition } from '../health/fixture.ts';
import { COMPACT_REQUEST, decide } from './by-hand-fixture.ts';

function detail(positionFiles: number, vectors = 0): Pick<TableHealth, 'detail' | 'deleteFiles'> {
  const deletes = {
    positionFiles,
    positionRecords: positionFiles,
    equalityFiles: 0,
    equalityRecords: 0,
    vectors,
    vectorRecords: vectors,
  };
  const rest = { sizes: [], partitionSkew: 1, backlogFiles: 0, clustering: [] };
  return { detail: { deletes, ...rest }, deleteFiles: positionFiles + vectors };
}

describe('deletes', () => {
  const deletes: HandRequest = {
    kind: 'rewrite_deletes',
    where: null,
    rewriteAll: false,
    engine: null,
  };

  test('are rewritten where there are position deletes', () => {
    expect(decide(deletes, detail(3))).toMatchObject({
      action: 'run',
      engine: 'spark',
      operation: { kind: 'rewrite_deletes', where: null, minInputFiles: 2, rewriteAll: false },
    });
  });

  test('are skipped where there are none, and it is told what there is instead', () => {
    const decision = decide(deletes, { ...detail(0, 4), formatVersion: 3 });
    expect(decision.action).toBe('skip');
    expect(decision.reasons.at(-1)?.because).toMatch(/0 position delete files, 4 deletion vectors/);
  });

  test('are refused on Trino and of version 1', () => {
    expect(refusalOf(decide({ ...deletes, engine: 'trino' }, detail(3)))).toMatchObject({
      code: 'OperationUnsupported',
      message: expect.stringMatching(/no procedure .*; spark can$/),
    });
    const old = decide(deletes, { ...detail(3), formatVersion: 1 });
    expect(refusalOf(old)?.message).toMatch(/version 1 have no delete files/);
  });

  test('of an unknown column are invalid usage', () => {
    expect(() => decide({ ...deletes, where: 'nope = 1' }, detail(3))).toThrow(/no column nope/);
  });
});

describe('manifests', () => {
  const manifests = { kind: 'rewrite_manifests', engine: null, sortBy: ['ts_day'] } as const;
  const byTrino: MaintenanceSettings = {
    ...DEFAULT_SETTINGS,
    rewriteManifests: { ...DEFAULT_SETTINGS.rewriteManifests, engine: 'trino' },
  };

  test("an order is Spark's, whatever the policy's engine; a person's engine is not replaced", () => {
    expect(decide(manifests, {}, byTrino)).toMatchObject({
      engine: 'spark',
      operation: { sortBy: ['ts_day'] },
    });
    const named = decide({ ...manifests, engine: 'trino' });
    expect(refusalOf(named)?.message).toMatch(/in its own order; spark can/);
  });

  test('an unknown field is invalid usage', () => {
    expect(() => decide({ ...manifests, sortBy: ['ts'] })).toThrow(
      /no partition field ts; it has ts_day/,
    );
  });

  test('of a partitioned table are not left to Trino', () => {
    const decision = decide({ kind: 'rewrite_manifests', engine: 'trino' });
    expect(refusalOf(decision)?.message).toMatch(/manifest for each partition/);
  });
});

describe('statistics', () => {
  const compute = { kind: 'compute_statistics', columns: [], engine: null } as const;

  test('of a partitioned table are of partitions too, where Spark computes them', () => {
    expect(decide(compute).operation).toEqual({
      kind: 'compute_statistics',
      columns: [],
      perPartition: true,
    });
    expect(decide({ ...compute, engine: 'trino' }).operation).toEqual({
      kind: 'compute_statistics',
      columns: [],
    });
    expect(decide(compute, { partitionFields: [] }).operation).not.toHaveProperty('perPartition');
  });

  test('columns come from the request, else from the policy, and must be there', () => {
    const settings = {
      ...DEFAULT_SETTINGS,
      statistics: { ...DEFAULT_SETTINGS.statistics, columns: ['customer_id'] },
    };
    expect(decide(compute, {}, settings).operation).toMatchObject({ columns: ['customer_id'] });
    const named = decide({ ...compute, columns: ['ts'] }, {}, settings);
    expect(named.operation).toMatchObject({ columns: ['ts'] });
    expect(() => decide({ ...compute, columns: ['no'] })).toThrow(/no column no/);
    expect(() => decide({ ...compute, columns: ['ts', 'ts'] })).toThrow(/named twice/);
  });

  test('are dropped by Trino, the only one that can', () => {
    expect(decide({ kind: 'drop_statistics', engine: null })).toMatchObject({
      action: 'run',
      engine: 'trino',
    });
    const spark = decide({ kind: 'drop_statistics', engine: 'spark' });
    expect(refusalOf(spark)?.message).toMatch(/no statement that drops statistics; trino can/);
  });
});

describe('properties', () => {
  const ask = (
    set: Readonly<Record<string, string>>,
    more: { remove?: readonly string[]; allow?: readonly string[] } = {},
    table: Partial<TableHealth> = {},
  ) => decide({ kind: 'set_properties', set, remove: [], allow: [], ...more }, table);

  test('only what is not so yet is set and removed', () => {
    const table = { properties: { a: '1', b: '2' } };
    const decision = ask({ a: '1', c: '3' }, { remove: ['b', 'b', 'never'] }, table);
    expect(decision).toMatchObject({ action: 'run', engine: 'spark' });
    expect(decision.operation).toEqual({
      kind: 'set_properties',
      set: { c: '3' },
      remove: ['b'],
    });
    expect(ask({ a: '1' }, { remove: ['x'] }, table).action).toBe('skip');
  });

  test('also of a table without a snapshot', () => {
    expect(ask({ a: '1' }, {}, { snapshots: [] }).action).toBe('run');
  });

  test.each([
    'gc.enabled',
    'write.data.path',
    'write.metadata.path',
    'write.object-storage.enabled',
    'write.location-provider.impl',
    'write.format.default',
    'write.metadata.delete-after-commit.enabled',
    'history.expire.max-ref-age-ms',
    'write.merge.isolation-level',
    'encryption.key-id',
  ])('%s is changed only when a person says so', (name) => {
    const refused = ask({ [name]: 'x' });
    expect(refusalOf(refused)?.code).toBe('SafetyRefused');
    expect(refusalOf(refused)?.message).toContain(`(--allow ${name})`);
    expect(ask({ [name]: 'x' }, { allow: [name] }).action).toBe('run');
  });

  test.each(['location', 'current-snapshot-id', 'sort-order', 'provider', 'UUID'])(
    '%s is no property, whoever says so',
    (name) => {
      const refused = ask({ [name]: 'x' }, { allow: [name] });
      expect(refusalOf(refused)?.message).toMatch(/cannot be changed as a property/);
    },
  );

  test('the format version goes up when it is said, and never down', () => {
    const to = (version: string, allow: readonly string[]) =>
      ask({ 'format-version': version }, { allow });
    expect(refusalOf(to('3', []))?.message).toMatch(/cannot be undone.*--allow format-version/);
    expect(to('3', ['format-version']).action).toBe('run');
    expect(to('2', []).action).toBe('skip');
    expect(refusalOf(to('1', ['format-version']))?.message).toMatch(/cannot go down from 2 to 1/);
    expect(refusalOf(to('4', ['format-version']))?.message).toMatch(/4 is not known/);
    const removed = ask({}, { remove: ['format-version'], allow: ['format-version'] });
    expect(refusalOf(removed)?.message).toMatch(/cannot be removed/);
  });

  test('nothing, or both at once, is invalid usage', () => {
    expect(() => ask({})).toThrow(/no property is named/);
    expect(() => ask({ a: '1' }, { remove: ['a'] })).toThrow(/to be set and to be removed/);
  });
});

describe('partitions of a compaction', () => {
  const table = {
    partitionHealth: [
      { ...partition('x', 5, 50 * MB), partition: { ts_day: '2026-11-20' } },
      { ...partition('y', 9, 90 * MB), partition: { ts_day: '2026-11-21' } },
    ],
  };
  const compact = (ts_day: string | null, more = {}): Decision =>
    decide({ ...COMPACT_REQUEST, partitions: [{ ts_day }], ...more }, table);

  test('are looked up in the table, and only they are estimated', () => {
    const decision = compact('2026-11-20');
    expect(decision.operation).toMatchObject({
      partitions: [
        [{ source: 'ts', sourceType: 'timestamptz', transform: 'day', value: '2026-11-20' }],
      ],
    });
    expect(decision.estimate?.bytesRewritten).toBe(50 * MB);
    const all = compact('2026-11-20', { rewriteAll: true });
    expect(all.operation).toMatchObject({ rewriteAll: true });
  });

  test('that are not there are invalid usage', () => {
    expect(() => compact('2026-11-22')).toThrow(/no file in partition ts_day=2026-11-22/);
    expect(() => compact(null)).toThrow(/ts_day=null/);
    const wrong = { partitions: [{ day: '2026-11-20' }] };
    expect(() => compact('', wrong)).toThrow(/no partition field day; it has ts_day/);
  });

  test('deletes decide on Spark only', () => {
    const deletes = { minDeleteFiles: 1 };
    expect(compact('2026-11-20', { deletes }).operation).toMatchObject({ deletes });
    const trino = compact('2026-11-20', { deletes, engine: 'trino' });
    expect(refusalOf(trino)?.message).toMatch(/by size only.*spark can/);
    const tuned = compact('2026-11-20', { tuning: { concurrentFileGroups: 2 }, engine: 'trino' });
    expect(refusalOf(tuned)?.message).toMatch(/no file groups.*spark can/);
    expect(() => compact('2026-11-20', { deletes: { minDeleteRatio: 2 } })).toThrow(/0 and 1/);
  });
});

test('titles tell the wish without its values', () => {
  const compact: HandRequest = {
    kind: 'compact',
    strategy: 'binpack',
    columns: [],
    where: "email = 'a@b.c'",
    targetFileSizeBytes: null,
    engine: null,
    partitions: [{ region: 'secret' }],
  };
  expect(titleOf(compact)).toBe('compact binpack of 1 partition where …');
  const deletes: HandRequest = {
    kind: 'rewrite_deletes',
    where: "x = 'y'",
    rewriteAll: true,
    engine: null,
  };
  expect(titleOf(deletes)).toBe('rewrite deletes where …');
  const properties: HandRequest = {
    kind: 'set_properties',
    set: { a: 'secret' },
    remove: ['b'],
    allow: [],
  };
  expect(titleOf(properties)).toBe('set properties a, -b');
  const statistics: HandRequest = {
    kind: 'compute_statistics',
    columns: ['a', 'b'],
    engine: null,
  };
  expect(titleOf(statistics)).toBe('compute statistics of a, b');
});
