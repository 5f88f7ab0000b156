import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type {
  PartitionHealth,
  SnapshotInfo,
  SnapshotRef,
  TableHealth,
} from '../../../src/domain/health/health.ts';
import type { Decision } from '../../../src/domain/operation.ts';
import { type ExpiryInput, planExpiry, watermarksIn } from '../../../src/domain/planner/expiry.ts';
import { type PlanTableInput, planTable } from '../../../src/domain/planner/planner.ts';
import { DEFAULT_SETTINGS } from '../../../src/domain/policy/policy.ts';
import { ancestry } from '../../../src/domain/watermark.ts';
import { DAY_MS, health, MB, NOW_MS, partition } from '../health/fixture.ts';

const partitions: fc.Arbitrary<PartitionHealth[]> = fc.array(
  fc
    .record({ files: fc.nat({ max: 400 }), meanBytes: fc.integer({ min: 1, max: 380 * MB }) })
    .map(({ files, meanBytes }) => partition('p', files, files * meanBytes)),
  { maxLength: 12 },
);

const summary = fc.constantFrom<Readonly<Record<string, string>>>(
  {},
  {},
  { 'icewright.inputs': '{}', 'icewright.model': 'a' },
  { 'flink.job-id': 'j', 'flink.operator-id': 'o' },
  { 'kafka.connect.offsets.t.g': '1' },
);

/** A tree of snapshots: each one's parent is any earlier one, or none; ages fall, mostly. */
const snapshots: fc.Arbitrary<SnapshotInfo[]> = fc
  .array(fc.record({ parent: fc.nat({ max: 3 }), ageDays: fc.nat({ max: 30 }), summary }), {
    minLength: 1,
    maxLength: 25,
  })
  .map((rows) =>
    rows.map((row, index) => ({
      snapshotId: String(index + 1),
      parentSnapshotId:
        index === 0 || row.parent > index ? null : String(index + 1 - Math.max(1, row.parent)),
      sequenceNumber: index + 1,
      committedAtMs: NOW_MS - (rows.length - index) * DAY_MS - row.ageDays * 3_600_000,
      operation: 'append',
      summary: row.summary,
    })),
  );

const tables: fc.Arbitrary<TableHealth> = fc
  .record({
    partitions,
    snapshots,
    picks: fc.array(fc.record({ at: fc.nat(), tag: fc.boolean() }), { maxLength: 4 }),
  })
  .map(({ partitions: partitionHealth, snapshots: all, picks }) => {
    const extra = picks.map(
      ({ at, tag }, index): SnapshotRef => ({
        name: `r${index}`,
        type: tag ? 'tag' : 'branch',
        snapshotId: (all[at % all.length] as SnapshotInfo).snapshotId,
      }),
    );
    const base = health({ partitionHealth, snapshots: all });
    return { ...base, refs: [...base.refs, ...extra] };
  });

const expiries: fc.Arbitrary<ExpiryInput> = fc
  .record({
    health: tables,
    olderThanDays: fc.nat({ max: 30 }),
    keepLast: fc.integer({ min: 1, max: 8 }),
    pin: fc.nat({ max: 40 }),
    mark: fc.nat({ max: 40 }),
  })
  .map(({ olderThanDays, pin, mark, ...rest }) => ({
    ...rest,
    olderThanMs: olderThanDays * DAY_MS,
    pinned: [String(pin)],
    consumers: { consumed: [{ snapshotId: String(mark), consumer: 'c' }], unreadable: [] },
    nowMs: NOW_MS,
  }));

function expiredBy(input: ExpiryInput): readonly string[] {
  const plan = planExpiry(input);
  if (plan.kind === 'refuse') throw new Error(plan.because);
  return plan.snapshotIds;
}

function isSubset(some: readonly string[], all: readonly string[]): boolean {
  return some.every((one) => all.includes(one));
}

describe('expiry', () => {
  test('never names the current snapshot, a ref, a pin or a watermark; keeps or expires each', () => {
    fc.assert(
      fc.property(expiries, (input) => {
        const plan = planExpiry(input);
        if (plan.kind === 'refuse') throw new Error(plan.because);
        const needed = [
          input.health.snapshotId,
          ...input.health.refs.map((ref) => ref.snapshotId),
          ...input.pinned,
          ...input.consumers.consumed.map((one) => one.snapshotId),
        ];
        expect(plan.snapshotIds.filter((id) => needed.includes(id))).toEqual([]);
        expect(plan.snapshotIds.length + plan.kept.length).toBe(input.health.snapshots.length);
        expect(plan.kept.every((one) => one.because.length > 0)).toBe(true);
      }),
    );
  });

  test('done once, leaves nothing to do', () => {
    fc.assert(
      fc.property(expiries, (input) => {
        const gone = expiredBy(input);
        const left = input.health.snapshots.filter((one) => !gone.includes(one.snapshotId));
        expect(expiredBy({ ...input, health: { ...input.health, snapshots: left } })).toEqual([]);
      }),
    );
  });

  test('a writer that walks from a head back to its watermark meets the same one as before', () => {
    fc.assert(
      fc.property(expiries, (input) => {
        const gone = expiredBy(input);
        const all = input.health.snapshots;
        const left = all.filter((one) => !gone.includes(one.snapshotId));
        const branches = input.health.refs.filter((ref) => ref.type === 'branch');
        for (const { snapshotId: head } of branches) {
          const meets = (some: readonly SnapshotInfo[], mark: string) =>
            ancestry(some, head).find((one) => watermarksIn(one).includes(mark))?.snapshotId;
          for (const mark of all.flatMap(watermarksIn)) {
            expect(meets(left, mark)).toBe(meets(all, mark));
          }
        }
      }),
    );
  });

  test('a longer age, a larger number or one more tag only ever keeps more', () => {
    fc.assert(
      fc.property(expiries, fc.nat(), (input, at) => {
        const now = expiredBy(input);
        const { snapshots: all, refs } = input.health;
        const snapshotId = (all[at % all.length] as SnapshotInfo).snapshotId;
        const tagged = [...refs, { name: 'more', type: 'tag' as const, snapshotId }];
        expect(
          isSubset(expiredBy({ ...input, olderThanMs: input.olderThanMs + DAY_MS }), now),
        ).toBe(true);
        expect(isSubset(expiredBy({ ...input, keepLast: input.keepLast + 1 }), now)).toBe(true);
        const more = { ...input, health: { ...input.health, refs: tagged } };
        expect(isSubset(expiredBy(more), now)).toBe(true);
      }),
    );
  });

  test('a moment later nothing less is expired', () => {
    fc.assert(
      fc.property(expiries, fc.nat({ max: 100 * DAY_MS }), (input, laterMs) => {
        const later = { ...input, nowMs: input.nowMs + laterMs };
        expect(isSubset(expiredBy(input), expiredBy(later))).toBe(true);
      }),
    );
  });
});

function inputOf(table: TableHealth, reduction = 4, minInputFiles = 5): PlanTableInput {
  const trigger = { kind: 'at_least', metric: 'file_reduction', atLeast: reduction } as const;
  const compact = { ...DEFAULT_SETTINGS.compact, minInputFiles, trigger };
  return {
    health: table,
    policy: { settings: { ...DEFAULT_SETTINGS, compact }, origins: {} },
    recentReceipts: [],
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
  };
}

function compaction(input: PlanTableInput): Decision {
  return planTable(input).decisions.find((one) => one.kind === 'compact') as Decision;
}

/** What the estimate says the table is after the compaction. */
function compacted(table: TableHealth, minInputFiles: number, targetBytes: number): TableHealth {
  const parts = (table.partitionHealth ?? []).map((one) => {
    const files = Math.max(1, Math.ceil(one.smallBytes / targetBytes));
    if (one.smallFiles < minInputFiles || files >= one.smallFiles) return one;
    // As if all were still small: the least favourable case.
    return partition('p', files, one.smallBytes);
  });
  return health({ partitionHealth: parts, snapshots: table.snapshots });
}

describe('compaction', () => {
  const minimum = fc.integer({ min: 2, max: 20 });

  test('equal arguments give equal plans', () => {
    fc.assert(
      fc.property(tables, (table) => {
        expect(planTable(inputOf(table))).toEqual(planTable(inputOf(structuredClone(table))));
      }),
    );
  });

  test('run on its own predicted result, does nothing', () => {
    fc.assert(
      fc.property(tables, minimum, (table, minInputFiles) => {
        const input = inputOf(table, 1, minInputFiles);
        const { targetFileSizeBytes } = input.policy.settings.compact;
        const after = compacted(table, minInputFiles, targetFileSizeBytes);
        expect(compaction({ ...input, health: after }).action).toBe('skip');
      }),
    );
  });

  test('when it runs, files become fewer, and by what the prediction says', () => {
    fc.assert(
      fc.property(tables, minimum, (table, minInputFiles) => {
        const input = inputOf(table, 0, minInputFiles);
        const { action, estimate } = compaction(input);
        const { targetFileSizeBytes } = input.policy.settings.compact;
        const after = compacted(table, minInputFiles, targetFileSizeBytes);
        expect(estimate?.filesAfter).toBe(after.dataFiles);
        expect(action === 'run').toBe(after.dataFiles < table.dataFiles);
      }),
    );
  });

  test('a higher threshold never starts what a lower one did not', () => {
    fc.assert(
      fc.property(
        tables,
        fc.nat({ max: 500 }),
        fc.nat({ max: 500 }),
        minimum,
        (table, a, b, min) => {
          const high = compaction(inputOf(table, Math.max(a, b), min)).action;
          const low = compaction(inputOf(table, Math.min(a, b), min)).action;
          if (high === 'run') expect(low).toBe('run');
        },
      ),
    );
  });

  test('more input files demanded never means more files rewritten', () => {
    fc.assert(
      fc.property(tables, minimum, (table, min) => {
        const bytes = (files: number) =>
          compaction(inputOf(table, 4, files)).estimate?.bytesRewritten ?? 0;
        expect(bytes(min + 1)).toBeLessThanOrEqual(bytes(min));
      }),
    );
  });
});
