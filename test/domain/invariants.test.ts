import { describe, expect, it } from 'vitest';
import { beforeOf } from '../../src/domain/before-operation.ts';
import type { SnapshotInfo, TableHealth } from '../../src/domain/health/health.ts';
import {
  abandonedCommit,
  checkInvariants,
  commitsSince,
  type InvariantInput,
  rollbackTarget,
  snapshotsToCount,
} from '../../src/domain/invariants.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { compact, healthOf, snapshotOf } from './table-fixture.ts';

const COMPACT = compact();
const EXPIRE: Operation = { kind: 'expire_snapshots', snapshotIds: ['1'] };

/** `appended('2', 10)`: a commit on top of 1 after which the table has 10 rows. */
const appended = (id: string, rows: number, more = {}) =>
  snapshotOf(id, 'append', { 'total-records': String(rows), ...more });
const replaced = (id: string, rows: number, more = {}) =>
  snapshotOf(id, 'replace', { 'total-records': String(rows), ...more });

const ONE = appended('1', 5);
const TWO = appended('2', 10);

function judge(
  before: readonly SnapshotInfo[],
  after: readonly SnapshotInfo[],
  more: Partial<Omit<InvariantInput, 'before' | 'after'>> & {
    readonly was?: Partial<TableHealth>;
    readonly is?: Partial<TableHealth>;
  } = {},
) {
  const operation = more.operation ?? COMPACT;
  const input: InvariantInput = {
    ...more,
    operation,
    before: beforeOf(healthOf(before, more.was), operation),
    after: healthOf(after, more.is),
  };
  const checks = checkInvariants(input);
  const broken = checks.filter((one) => !one.ok).map((one) => one.name);
  return { broken, checks, rollback: rollbackTarget(input, checks) };
}

describe('rows', () => {
  it('hold for a clean rewrite', () => {
    const { broken, rollback } = judge([ONE, TWO], [ONE, TWO, replaced('3', 10)]);
    expect(broken).toEqual([]);
    expect(rollback).toBeNull();
  });

  it('are lost: main goes back', () => {
    const { broken, rollback } = judge([ONE, TWO], [ONE, TWO, replaced('3', 9)]);
    expect(broken).toEqual(['rows_unchanged', 'totals_plausible']);
    expect(rollback).toEqual({ from: '3', to: '2' });
  });

  it('may be fewer by position deletes that were applied, not by one more', () => {
    const two = appended('2', 10, { 'total-position-deletes': '3' });
    const of = (rows: number) =>
      judge([ONE, two], [ONE, two, replaced('3', rows, { 'deleted-records': `${10 - rows}` })]);
    expect(of(7).broken).toEqual([]);
    expect(of(6).broken).toEqual(['rows_unchanged']);
  });

  it('are exact where an engine counted them', () => {
    const two = appended('2', 10, { 'total-equality-deletes': '1' });
    const three = replaced('3', 4, { 'deleted-records': '6' });
    const counted = (rows: number) =>
      judge([ONE, two], [ONE, two, three], { counted: new Map([['2', rows]]) }).broken;
    expect(counted(4)).toEqual([]);
    expect(counted(5)).toEqual(['rows_unchanged']);
    const commits = commitsSince(COMPACT, { snapshotId: '2' }, healthOf([ONE, two, three]));
    expect(snapshotsToCount(commits)).toEqual(['2', '3']);
  });
});

describe('another writer meanwhile', () => {
  it('is not blamed for its rows, and not undone', () => {
    const foreign = appended('3', 17);
    const below = judge([ONE, TWO], [ONE, TWO, foreign, replaced('4', 17)]);
    expect(below.broken).toEqual([]);
    const above = judge([ONE, TWO], [ONE, TWO, replaced('3', 10), appended('4', 12)]);
    expect(above.broken).toEqual([]);
    const lossy = judge([ONE, TWO], [ONE, TWO, foreign, replaced('4', 16)]);
    expect(lossy.rollback).toEqual({ from: '4', to: '3' });
    const covered = judge([ONE, TWO], [ONE, TWO, replaced('3', 9), appended('4', 12)]);
    expect(covered.broken).toContain('rows_unchanged');
    expect(covered.rollback).toBeNull();
  });

  it('may append during an expiry, tag, and advance a branch', () => {
    const branch = (snapshotId: string) => ({ name: 'b', type: 'branch', snapshotId }) as const;
    const tag = { name: 't', type: 'tag', snapshotId: '2' } as const;
    const { broken } = judge([ONE, TWO], [TWO, appended('3', 11)], {
      operation: EXPIRE,
      was: { refs: [branch('2')] },
      is: { refs: [branch('3'), tag] },
    });
    expect(broken).toEqual([]);
  });
});

describe('what no rollback cures', () => {
  const after = [ONE, TWO, replaced('3', 10)];

  it('is a ref that vanished or moved', () => {
    const tag = { name: 'audit', type: 'tag', snapshotId: '1' } as const;
    const gone = judge([ONE, TWO], after, { was: { refs: [tag] } });
    expect(gone.broken).toEqual(['refs_unchanged']);
    expect(gone.rollback).toBeNull();
    const moved = { refs: [{ ...tag, snapshotId: '2' }] };
    expect(judge([ONE, TWO], after, { was: { refs: [tag] }, is: moved }).broken).toEqual([
      'refs_unchanged',
    ]);
  });

  it('is a schema, a layout or a property that is another one', () => {
    const columns = [{ name: 'a', type: 'long' }];
    const is = { columns, properties: { owner: 'x', 'trino.stats.ndv.1': '7' } };
    const { broken, rollback } = judge([ONE, TWO], after, { is });
    expect(broken).toEqual(['schema_unchanged', 'properties_unchanged']);
    expect(rollback).toBeNull();
    const operation: Operation = { kind: 'set_properties', set: { owner: 'x' }, remove: [] };
    const set = judge([ONE, TWO], [ONE, TWO], { operation, is: { properties: { owner: 'x' } } });
    expect(set.broken).toEqual([]);
  });

  it('is a head that does not descend from where it began', () => {
    expect(judge([ONE, TWO], [ONE]).broken).toContain('head_descends');
  });
});

describe('files', () => {
  it('that are missing send main back, and their paths are not told', () => {
    const files = { checked: 9, missing: ['s3://l/t/data/mail=a@b.c/1.parquet'], missingCount: 1 };
    const { broken, checks, rollback } = judge([ONE, TWO], [ONE, TWO, replaced('3', 10)], {
      files,
    });
    expect(broken).toEqual(['reachable_files_exist']);
    expect(checks.find((one) => !one.ok)?.detail).toBe(
      '1 of 9 files are missing, 1.parquet among them',
    );
    expect(rollback).toEqual({ from: '3', to: '2' });
  });
});

describe('an expiry', () => {
  const three = appended('3', 12);

  it('that took too much or too little is seen', () => {
    const of = (after: readonly SnapshotInfo[]) =>
      judge([ONE, TWO, three], after, { operation: EXPIRE }).broken;
    expect(of([TWO, three])).toEqual([]);
    expect(of([three])).toEqual(['no_other_snapshot_gone']);
    expect(of([ONE, TWO, three])).toEqual(['named_snapshots_gone']);
  });
});

describe('a commit that an earlier attempt rolled back', () => {
  const rolledBack = { snapshotId: '2' };
  const left = replaced('3', 9);

  it('is known again by its parent and its time', () => {
    const find = (snapshots: readonly SnapshotInfo[], sinceMs: number) =>
      abandonedCommit(COMPACT, rolledBack, healthOf(snapshots, rolledBack), sinceMs);
    expect(find([ONE, TWO, left], 3)).toBe(left);
    expect(find([ONE, TWO, left], 4)).toBeNull();
    expect(find([ONE, TWO, snapshotOf('3', 'replace', {}, '1')], 3)).toBeNull();
    expect(abandonedCommit(COMPACT, rolledBack, healthOf([ONE, TWO, left]), 3)).toBeNull();
  });
});
