import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Policy } from '../../../src/domain/policy/policy.ts';
import { arrivalsOf, type HistoryPoint } from '../../../src/domain/policy/replay.ts';
import { type SimulatedTable, simulate } from '../../../src/domain/policy/simulate.ts';
import { untoldNights } from '../../../src/domain/policy/simulated-looks.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { tableFromKey } from '../../../src/domain/table.ts';
import { readPolicy } from '../../../src/project/policies.ts';
import { DAY_MS, MB, receipt } from '../health/fixture.ts';

const HOUR_MS = 3_600_000;
const FROM_MS = Date.parse('2026-11-01T00:00:00Z');

function policies(...texts: readonly string[]): readonly Policy[] {
  return texts.map((text) => {
    const { policy, faults } = readPolicy(text, 'p.yaml');
    if (policy === null) throw new Error(JSON.stringify(faults));
    return policy;
  });
}

const SWEEP = 'kind: sweep\nname: upkeep\nevery: 1h\n';
const NIGHT = 'kind: nightly\nname: night\nzone: UTC\nat: "02:00"\n';

function point(hours: number, files: number, change: Partial<HistoryPoint> = {}): HistoryPoint {
  return {
    atMs: FROM_MS + hours * HOUR_MS,
    dataFiles: files,
    smallFiles: files,
    totalBytes: files * MB,
    snapshots: files,
    deleteFiles: 0,
    smallBytes: files * MB,
    manifests: files,
    deleteRatio: 0,
    backlogFiles: Math.max(0, files - 1),
    ...change,
  };
}

/** One file an hour, never maintained. */
function growing(name: string, hours: number, receipts: readonly Receipt[] = []): SimulatedTable {
  const table = `lake.bronze.${name}`;
  const points = Array.from({ length: hours + 1 }, (_, hour) => point(hour, hour + 1));
  return { table, ref: tableFromKey(table), properties: {}, points, receipts, byNight: true };
}

function run(rules: readonly Policy[], tables: readonly SimulatedTable[], days = 2) {
  return simulate({ policies: rules, tables, fromMs: FROM_MS, toMs: FROM_MS + days * DAY_MS });
}

function times(simulation: ReturnType<typeof run>, kind: string) {
  return simulation.runs
    .filter((one) => one.kind === kind)
    .map((one) => (one.atMs - FROM_MS) / HOUR_MS);
}

const NO_EXPIRY = 'kind: maintenance\nname: quiet\ntables: "*"\nexpire: {enabled: false}\n';
const COMPACT_AT_10 = `${NO_EXPIRY}compact: {trigger: {metric: file_reduction, atLeast: 10}}\n`;

describe('what would have run', () => {
  test('a compaction whenever ten files could be saved, and each rewrites what was small', () => {
    const simulation = run(policies(SWEEP, COMPACT_AT_10), [growing('a', 48)]);
    const [first, second] = times(simulation, 'compact');
    // Eleven files at hour 10; then one large one and ten new ones.
    expect(first).toBe(10);
    expect(second).toBeGreaterThanOrEqual(19);
    expect(second).toBeLessThanOrEqual(21);
    expect(simulation.runs[0]).toMatchObject({ table: 'lake.bronze.a', bytes: 11 * MB });
    expect(simulation.looks).toBe(48);
  });

  test('only in the window, and only once a night by a nightly', () => {
    const window = '\nwindow: {zone: UTC, from: "03:00", to: "05:00"}';
    const swept = run(policies(`${SWEEP}${window}`, COMPACT_AT_10), [growing('a', 48)]);
    expect(times(swept, 'compact')).toEqual([27]);
    const nightly = run(policies(NIGHT, COMPACT_AT_10), [growing('a', 48)]);
    expect(times(nightly, 'compact')).toEqual([26]);
  });

  test('nothing without a night or a sweep, by paused ones, or where a model does not write', () => {
    expect(run(policies(COMPACT_AT_10), [growing('a', 48)])).toMatchObject({ runs: [], looks: 0 });
    expect(run(policies(`${SWEEP}paused: true\n`), [growing('a', 48)]).runs).toEqual([]);
    const foreign = { ...growing('a', 48), byNight: false };
    expect(run(policies(NIGHT, COMPACT_AT_10), [foreign]).runs).toEqual([]);
  });

  test('the cadence holds it back', () => {
    const rules = policies(SWEEP, `${COMPACT_AT_10}cadence: {minInterval: 1d}\n`);
    expect(times(run(rules, [growing('a', 72)], 3), 'compact')).toEqual([10, 34, 58]);
  });

  test('the budget puts off what does not fit; larger than all of it, the overdue goes alone', () => {
    const budget = `${SWEEP}budget: {tables: 1}\n`;
    const tables = [growing('a', 20), growing('b', 20)];
    const put = run(policies(budget, COMPACT_AT_10), tables, 0.8);
    expect(new Set(put.runs.map((one) => one.table))).toEqual(new Set(['lake.bronze.a']));
    expect(put.putOff).toBeGreaterThan(0);
    const deadline = `${COMPACT_AT_10}cadence: {mustRunWithin: 10h}\n`;
    const small = `${SWEEP}budget: {bytes: 1MB}\n`;
    expect(run(policies(small, COMPACT_AT_10), tables, 0.8).runs).toEqual([]);
    const overdue = run(policies(small, deadline), tables, 0.8);
    expect(overdue.runs).toMatchObject([{ table: 'lake.bronze.a', overdue: true }]);
    expect(overdue.putOff).toBeGreaterThan(0);
  });

  test('expiry counts snapshots from their commits; what was there at first counts from then', () => {
    const rules = policies(
      SWEEP,
      'kind: maintenance\nname: m\ntables: "*"\ncompact: {enabled: false}\n' +
        'expire: {olderThan: 1d, keepLast: 1, trigger: {metric: expirable_snapshots, atLeast: 20}}\n',
    );
    expect(times(run(rules, [growing('a', 48)]), 'expire_snapshots')).toEqual([44]);
  });

  test('a tag or a property of the table counts as it does when it is planned', () => {
    const off = 'kind: maintenance\nname: off\ntables: {tag: cold}\ncompact: {enabled: false}\n';
    const cold = { ...growing('a', 48), properties: { 'icewright.tags': 'cold' } };
    expect(times(run(policies(SWEEP, COMPACT_AT_10, off), [cold]), 'compact')).toEqual([]);
  });
});

describe('what writers did', () => {
  test('is the change between points, less what maintenance really did in between', () => {
    const compacted = receipt('compact', {
      finishedAt: new Date(FROM_MS + 1.5 * HOUR_MS).toISOString(),
      filesBefore: 10,
      filesAfter: 1,
      snapshotsBefore: 10,
      snapshotsAfter: 11,
    });
    const [first, second] = arrivalsOf([point(0, 8), point(1, 10), point(2, 4)], [compacted]);
    expect(first).toMatchObject({ dataFiles: 2, smallFiles: 2, commits: 2 });
    // From 10 to 1 by the compaction, then to 4 by three commits.
    expect(second).toMatchObject({ dataFiles: 3, smallFiles: 3, backlogFiles: 3 });
  });

  test('without policies that act, the past is as it was', () => {
    const hours = fc.array(fc.nat(5), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(hours, (grows) => {
        let files = 1;
        const points = [point(0, 1)];
        for (const [hour, more] of grows.entries()) {
          files += more;
          points.push(point(hour + 1, files));
        }
        const total = arrivalsOf(points, []).reduce((sum, one) => sum + one.dataFiles, 1);
        expect(total).toBe(files);
      }),
    );
  });
});

describe('what the history cannot tell', () => {
  test('is named: older points know neither manifests nor deletes', () => {
    const bare = growing('a', 5);
    const points = bare.points.map((one) => ({
      ...one,
      ...{ manifests: null, deleteRatio: null, backlogFiles: null, smallBytes: null },
    }));
    const { notTold } = run(policies(SWEEP), [{ ...bare, points }]);
    expect(notTold).toEqual(['rewrite_deletes', 'rewrite_manifests']);
  });

  test('so are nights that are not one time of day', () => {
    const odd = 'kind: nightly\nname: odd\nzone: UTC\ncron: "*/15 1-3 * * *"\n';
    expect(untoldNights(policies(odd, NIGHT))).toEqual(['odd']);
  });
});

test('lower thresholds never make fewer operations, higher ones never more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 40 }), (atLeast) => {
      const count = (threshold: number) =>
        times(
          run(
            policies(
              SWEEP,
              `${NO_EXPIRY}compact: {trigger: {metric: file_reduction, atLeast: ${threshold}}}\n`,
            ),
            [growing('a', 48)],
          ),
          'compact',
        ).length;
      expect(count(atLeast)).toBeGreaterThanOrEqual(count(atLeast + 1));
    }),
    { numRuns: 10 },
  );
});
