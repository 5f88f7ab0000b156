import { describe, expect, test } from 'vitest';
import type { Decision, TablePlan } from '../../../src/domain/operation.ts';
import { diffDecisions, diffSchedulesOf, diffSettings } from '../../../src/domain/policy/diff.ts';
import { effectivePolicy } from '../../../src/domain/policy/effective.ts';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import { parseTable } from '../../../src/domain/table.ts';
import { readPolicy } from '../../../src/project/policies.ts';

const ORDERS = parseTable('bronze.raw_orders', 'lake');

function policies(...texts: readonly string[]): readonly Policy[] {
  return texts.map((text, index) => {
    const { policy, faults } = readPolicy(text, `policies/${index}.yaml`);
    if (policy === null) throw new Error(JSON.stringify(faults));
    return policy;
  });
}

function maintenance(name: string, tables: string, ...lines: readonly string[]): string {
  return [`kind: maintenance`, `name: ${name}`, `tables: ${tables}`, ...lines].join('\n');
}

function changes(before: readonly string[], after: readonly string[]) {
  const [old, now] = [policies(...before), policies(...after)];
  return diffSettings(effectivePolicy(old, ORDERS), effectivePolicy(now, ORDERS));
}

describe('settings', () => {
  test('old and new value as people read them, each with its place', () => {
    const before = maintenance('all', '"*"', 'compact: {targetFileSize: 512MB}');
    const after = maintenance(
      'all',
      '"*"',
      'compact: {targetFileSize: 128MB, trigger: {any: [{metric: small_files, atLeast: 9}]}}',
      'cadence: {window: {zone: UTC, from: "01:00", to: "05:00"}, mustRunWithin: 7d}',
    );
    expect(changes([before], [after])).toEqual([
      {
        field: 'compact.targetFileSize',
        before: '512 MB',
        after: '128 MB',
        beforeFrom: { policy: 'all', file: 'policies/0.yaml', line: 4 },
        afterFrom: { policy: 'all', file: 'policies/0.yaml', line: 4 },
      },
      expect.objectContaining({
        field: 'compact.trigger',
        before: 'file_reduction ≥ 4',
        after: 'any(small_files ≥ 9)',
        beforeFrom: { policy: 'built-in', file: 'built-in defaults', line: 0 },
      }),
      expect.objectContaining({ field: 'cadence.mustRunWithin', before: 'none', after: '7 d' }),
      expect.objectContaining({ field: 'cadence.window', after: '01:00 to 05:00 UTC' }),
    ]);
  });

  test('the same value written elsewhere is no change', () => {
    const before = maintenance('all', '"*"', 'expire: {keepLast: 9}');
    const after = maintenance('orders', 'bronze.raw_orders', 'expire: {keepLast: 9}');
    expect(changes([before], [after])).toEqual([]);
  });

  test('a policy for other tables changes nothing here', () => {
    expect(changes([], [maintenance('gold', '{layer: gold}', 'expire: {keepLast: 9}')])).toEqual(
      [],
    );
  });
});

test('decisions differ in what would be done, not in their reasons', () => {
  const decision: Decision = {
    kind: 'compact',
    action: 'skip',
    engine: null,
    operation: null,
    reasons: [],
    nextEligibleAt: null,
    estimate: null,
  };
  const plan = (one: Decision): TablePlan => ({
    table: 'lake.a.b',
    tableUuid: 'u',
    snapshotId: '1',
    decisions: [one],
  });
  const because = { metric: 'm', value: 1, threshold: 2, met: false, because: 'few' };
  expect(diffDecisions(plan(decision), plan({ ...decision, reasons: [because] }))).toEqual([]);
  const run: Decision = { ...decision, action: 'run', engine: 'spark' };
  expect(diffDecisions(plan(decision), plan(run))).toEqual([
    { kind: 'compact', before: decision, after: run },
  ]);
});

test('nights and sweeps: added, removed, and which fields of them changed', () => {
  const night = 'kind: nightly\nname: night\nzone: UTC\nat: "02:00"\n';
  const sweep = 'kind: sweep\nname: upkeep\n';
  const before = policies(night, 'kind: nightly\nname: old\nzone: UTC\nat: "02:00"\n');
  const after = policies(sweep, night.replace('02:00', '03:00'));
  expect(diffSchedulesOf(before, after)).toEqual([
    { kind: 'nightly', name: 'night', change: 'changed', fields: ['cron'] },
    { kind: 'nightly', name: 'old', change: 'removed', fields: [] },
    { kind: 'sweep', name: 'upkeep', change: 'added', fields: [] },
  ]);
  expect(diffSchedulesOf(before, before)).toEqual([]);
});
