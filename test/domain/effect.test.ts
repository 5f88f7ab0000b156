import { describe, expect, test } from 'vitest';
import { beforeOf } from '../../src/domain/before-operation.ts';
import { checkEffect, hasChanged } from '../../src/domain/effect.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import { checkInvariants } from '../../src/domain/invariants.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { operationCommitted } from '../../src/domain/reconcile.ts';
import { health, line } from './health/fixture.ts';

const COMPUTE: Operation = { kind: 'compute_statistics', columns: [] };
const DROP: Operation = { kind: 'drop_statistics' };
const SET: Operation = { kind: 'set_properties', set: { a: '1' }, remove: ['b'] };

const broken = (operation: Operation, before: TableHealth, after: TableHealth) =>
  checkEffect(operation, beforeOf(before), after)
    .filter((one) => !one.ok)
    .map((one) => one.name);

describe('statistics', () => {
  const none = health({ statisticsFiles: [], partitionStatisticsFiles: [] });
  const some = health({ statisticsFiles: ['s3://lake/x.stats'] });

  test('count as changed when the table names other files, whatever the snapshots', () => {
    expect(hasChanged(COMPUTE, beforeOf(none), some)).toBe(true);
    expect(hasChanged(COMPUTE, beforeOf(some), some)).toBe(false);
    expect(hasChanged(DROP, beforeOf(some), none)).toBe(true);
    expect(hasChanged(DROP, beforeOf(none), none)).toBe(false);
    const partitions = health({ partitionStatisticsFiles: ['s3://lake/p.parquet'] });
    expect(hasChanged(COMPUTE, beforeOf(none), partitions)).toBe(true);
  });

  test('must be there after they were computed, and gone after they were dropped', () => {
    expect(broken(COMPUTE, none, some)).toEqual([]);
    expect(broken(COMPUTE, none, none)).toEqual(['statistics_there']);
    expect(broken(DROP, some, none)).toEqual([]);
    expect(broken(DROP, some, some)).toEqual(['statistics_gone']);
  });

  test('leave the head; a writer who commits meanwhile only moves it on', () => {
    const written = { ...some, snapshots: line([3, 2, 1, 0]), snapshotId: '4' };
    expect(broken(COMPUTE, none, written)).toEqual([]);
    const replaced = { ...some, snapshots: line([1], 9), snapshotId: '9' };
    expect(broken(COMPUTE, none, replaced)).toEqual(['head_kept']);
    const checks = checkInvariants({ operation: COMPUTE, before: beforeOf(none), after: some });
    expect(checks.map((one) => one.name)).toContain('head_kept');
  });
});

describe('properties', () => {
  const was = health({ properties: { b: '2', c: '3' } });
  const is = health({ properties: { a: '1', c: '3' } });

  test('count as changed when one that is named is another', () => {
    expect(hasChanged(SET, beforeOf(was), is)).toBe(true);
    expect(hasChanged(SET, beforeOf(is), is)).toBe(false);
    expect(operationCommitted(SET, beforeOf(was), is)).toBe(true);
    expect(operationCommitted(SET, beforeOf(was), was)).toBe(false);
  });

  test('must be as asked, and no other may change', () => {
    expect(broken(SET, was, is)).toEqual([]);
    expect(broken(SET, was, was)).toEqual(['properties_set_and_removed']);
    const more = health({ properties: { a: '1', c: '4', d: '5' } });
    expect(checkEffect(SET, beforeOf(was), more).at(-1)).toEqual({
      name: 'no_other_property_changed',
      ok: false,
      detail: 'changed: c, d',
    });
  });

  test('the format version is one of them', () => {
    const upgrade: Operation = {
      kind: 'set_properties',
      set: { 'format-version': '3' },
      remove: [],
    };
    const after = health({ formatVersion: 3 });
    expect(hasChanged(upgrade, beforeOf(health()), after)).toBe(true);
    expect(broken(upgrade, health(), after)).toEqual([]);
    expect(broken(upgrade, health(), health())).toEqual(['properties_set']);
    expect(operationCommitted(upgrade, beforeOf(health()), after)).toBe(true);
  });
});
