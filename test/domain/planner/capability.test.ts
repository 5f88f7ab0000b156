import { describe, expect, test } from 'vitest';
import {
  CAPABILITIES,
  type Capability,
  canRun,
  route,
} from '../../../src/domain/planner/capability.ts';

const ROWS = Object.keys(CAPABILITIES) as Capability[];

test('the matrix, as a table: + is a stated yes, - has a reason', () => {
  const cell = (row: Capability, engine: 'spark' | 'trino') =>
    [1, 2, 3].map((version) => (canRun(row, engine, version) === true ? '+' : '-')).join('');
  const table = ROWS.map(
    (row) => `${row}: spark ${cell(row, 'spark')} trino ${cell(row, 'trino')}`,
  );
  expect(table).toEqual([
    'compact binpack: spark +++ trino ++-',
    'compact sort: spark +++ trino ---',
    'compact zorder: spark +++ trino ---',
    'rewrite_deletes: spark +++ trino ---',
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
        const answer = canRun(row, engine, version);
        if (answer !== true) expect(answer.length).toBeGreaterThan(20);
      }
    }
  }
});

describe('routing', () => {
  test('auto takes the first engine that can', () => {
    expect(route('compact binpack', 'auto', 2)).toMatchObject({ kind: 'routed', engine: 'spark' });
  });
  test('a named engine is taken when it can', () => {
    expect(route('compact binpack', 'trino', 2)).toMatchObject({ kind: 'routed', engine: 'trino' });
  });
  test('a named engine that cannot is refused, with the one that can', () => {
    const answer = route('compact binpack', 'trino', 3);
    expect(answer).toMatchObject({ kind: 'refused', engine: 'trino', instead: ['spark'] });
    expect(answer.because).toMatch(/format version 3; spark can/);
  });
  test('an unknown format version is refused by all', () => {
    const answer = route('rewrite_manifests', 'auto', 4);
    expect(answer).toMatchObject({ kind: 'refused', engine: null, instead: [] });
    expect(answer.because).toContain('nothing is known of tables of format version 4');
  });
});
