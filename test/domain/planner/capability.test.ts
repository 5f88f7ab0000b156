import { describe, expect, test } from 'vitest';
import {
  CAPABILITIES,
  type Capability,
  canRun,
  type RoutedTable,
  route,
} from '../../../src/domain/planner/capability.ts';

const ROWS = Object.keys(CAPABILITIES) as Capability[];

test('the matrix, as a table: + is a stated yes, - has a reason', () => {
  const cell = (row: Capability, engine: 'spark' | 'trino') =>
    [1, 2, 3]
      .map((version) => (canRun(row, engine, { formatVersion: version }) === true ? '+' : '-'))
      .join('');
  const table = ROWS.map(
    (row) => `${row}: spark ${cell(row, 'spark')} trino ${cell(row, 'trino')}`,
  );
  expect(table).toEqual([
    'compact binpack: spark +++ trino ++-',
    'compact sort: spark +++ trino ---',
    'compact zorder: spark +++ trino ---',
    'rewrite_deletes: spark -++ trino ---',
    'rewrite_manifests: spark +++ trino +++',
    'expire_snapshots: spark +++ trino ---',
    'remove_orphans: spark +++ trino ---',
    'compute_statistics: spark +++ trino +++',
    'drop_statistics: spark --- trino +++',
    'set_properties: spark +++ trino ---',
  ]);
});

test('every no has a reason of a whole sentence', () => {
  for (const row of ROWS) {
    for (const engine of ['spark', 'trino'] as const) {
      for (const version of [1, 2, 3, 4, 0, Number.NaN]) {
        const answer = canRun(row, engine, { formatVersion: version });
        if (answer !== true) expect(answer.length).toBeGreaterThan(20);
      }
    }
  }
});

describe('routing', () => {
  test('auto takes the first engine that can', () => {
    expect(route('compact binpack', 'auto', { formatVersion: 2 })).toMatchObject({
      kind: 'routed',
      engine: 'spark',
    });
  });
  test('a named engine is taken when it can', () => {
    expect(route('compact binpack', 'trino', { formatVersion: 2 })).toMatchObject({
      kind: 'routed',
      engine: 'trino',
    });
  });
  test('a named engine that cannot is refused, with the one that can', () => {
    const answer = route('compact binpack', 'trino', { formatVersion: 3 });
    expect(answer).toMatchObject({ kind: 'refused', engine: 'trino', instead: ['spark'] });
    expect(answer.because).toMatch(/format version 3; spark can/);
  });
  test('an unknown format version is refused by all', () => {
    const answer = route('rewrite_manifests', 'auto', { formatVersion: 4 });
    expect(answer).toMatchObject({ kind: 'refused', engine: null, instead: [] });
    expect(answer.because).toContain('nothing is known of tables of format version 4');
  });
});

describe('circumstances', () => {
  const row = (capability: Capability, table: RoutedTable) => ({
    spark: canRun(capability, 'spark', table) === true,
    trino: canRun(capability, 'trino', table) === true,
  });

  test('without garbage collection nothing is deleted, and all else goes on', () => {
    const table = { formatVersion: 2, properties: { 'gc.enabled': 'FALSE' } };
    const able = ROWS.filter((one) => Object.values(row(one, table)).some(Boolean));
    expect(ROWS.filter((one) => !able.includes(one))).toEqual([
      'expire_snapshots',
      'remove_orphans',
    ]);
    expect(canRun('expire_snapshots', 'spark', table)).toMatch(/garbage collection of the catalog/);
  });

  test('where no commit is accepted nothing can be done, and it is said once', () => {
    const traits = { sendsEtags: true, acceptsCommits: false, trinoFloors: null };
    const table = { formatVersion: 2, traits };
    for (const one of ROWS) expect(row(one, table)).toEqual({ spark: false, trino: false });
    const answer = route('compact binpack', 'auto', table);
    expect(answer.because).toBe(
      'the catalog accepts no commits to tables: it can be read, not maintained',
    );
  });

  test('Trino reads no deletion vectors; before the manifests are read any delete file counts', () => {
    const table = { formatVersion: 3, deleteFiles: 2 };
    expect(row('compute_statistics', table)).toEqual({ spark: true, trino: false });
    expect(row('compute_statistics', { ...table, formatVersion: 2 }).trino).toBe(true);
    expect(row('compute_statistics', { ...table, deleteFiles: 0 }).trino).toBe(true);
    expect(row('drop_statistics', table).trino).toBe(true);
  });

  test("the floor of Trino's catalog is told with its refusal", () => {
    const trinoFloors = { expireSnapshotsMs: 7 * 86_400_000, removeOrphansMs: 3_600_000 };
    const traits = { sendsEtags: null, acceptsCommits: null, trinoFloors };
    const told = (capability: Capability) =>
      canRun(capability, 'trino', { formatVersion: 2, traits });
    expect(told('expire_snapshots')).toMatch(/snapshots of a plan, and nothing younger than 7 d$/);
    expect(told('remove_orphans')).toMatch(/about to delete, and nothing younger than 1 h$/);
  });

  test('an engine that is not the first says why it is taken', () => {
    expect(route('drop_statistics', 'auto', { formatVersion: 2 })).toEqual({
      kind: 'routed',
      engine: 'trino',
      because: 'trino can (spark: Spark has no statement that drops statistics)',
    });
  });
});
