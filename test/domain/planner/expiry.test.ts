import { describe, expect, test } from 'vitest';
import type { SnapshotInfo, TableHealth } from '../../../src/domain/health/health.ts';
import { type ExpiryInput, neededByNow, planExpiry } from '../../../src/domain/planner/expiry.ts';
import { consumersOf } from '../../../src/domain/watermark.ts';
import { DAY_MS, health, line, NOW_MS } from '../health/fixture.ts';

function plan(change: Partial<TableHealth>, more: Partial<ExpiryInput> = {}) {
  return planExpiry({
    health: health(change),
    olderThanMs: 7 * DAY_MS,
    keepLast: 1,
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
    ...more,
  });
}

function expired(change: Partial<TableHealth>, more: Partial<ExpiryInput> = {}): readonly string[] {
  const answer = plan(change, more);
  if (answer.kind === 'refuse') throw new Error(answer.because);
  return answer.snapshotIds;
}

function because(id: string, change: Partial<TableHealth>, more: Partial<ExpiryInput> = {}) {
  const answer = plan(change, more);
  if (answer.kind === 'refuse') throw new Error(answer.because);
  return answer.kept.find((one) => one.snapshotId === id)?.because ?? [];
}

/** Gives some of the snapshots summary properties. */
function mark(
  snapshots: readonly SnapshotInfo[],
  summaries: Readonly<Record<string, Readonly<Record<string, string>>>>,
): SnapshotInfo[] {
  return snapshots.map((one) => ({ ...one, summary: summaries[one.snapshotId] ?? {} }));
}

const OLD = line([50, 40, 30, 20, 10]);

describe('age and number', () => {
  test('old snapshots go, oldest first, and the current one stays', () => {
    expect(expired({ snapshots: OLD })).toEqual(['1', '2', '3', '4']);
    expect(because('5', { snapshots: OLD })).toContain('current snapshot');
  });
  test('young ones stay', () => {
    expect(expired({ snapshots: line([30, 6, 1]) })).toEqual(['1']);
  });
  test('exactly as old as allowed is not older', () => {
    expect(expired({ snapshots: line([7, 1]) })).toEqual([]);
  });
  test('so many last ones stay, however old', () => {
    expect(expired({ snapshots: OLD }, { keepLast: 3 })).toEqual(['1', '2']);
    expect(expired({ snapshots: OLD }, { keepLast: 99 })).toEqual([]);
  });
  test('a time that is not known, or lies ahead, keeps', () => {
    const odd = OLD.map((one, index) =>
      index < 2 ? { ...one, committedAtMs: index === 0 ? Number.NaN : NOW_MS + DAY_MS } : one,
    );
    expect(expired({ snapshots: odd })).toEqual(['3', '4']);
  });
});

describe('refs', () => {
  test('a tag keeps its snapshot and no other', () => {
    const refs = [{ name: 'audit', type: 'tag' as const, snapshotId: '2' }];
    expect(expired({ snapshots: OLD, refs })).toEqual(['1', '3', '4']);
    expect(because('2', { snapshots: OLD, refs })).toEqual(['head of tag audit']);
  });
  test('a branch keeps its head and the way to main, so that a fast-forward finds it', () => {
    const side: SnapshotInfo[] = line([45, 44], 11).map((one, index) =>
      index === 0 ? { ...one, parentSnapshotId: '2' } : one,
    );
    const refs = [
      { name: 'main', type: 'branch' as const, snapshotId: '5' },
      { name: 'wap', type: 'branch' as const, snapshotId: '12' },
    ];
    const snapshots = [...OLD.slice(0, 4), ...side, ...OLD.slice(4)];
    expect(expired({ snapshots, refs })).toEqual(['1', '3', '4']);
    expect(because('11', { snapshots, refs })).toEqual(['joins branch wap to main']);
  });
  test('a branch keeps as many last ones as main', () => {
    const refs = [{ name: 'b', type: 'branch' as const, snapshotId: '3' }];
    expect(expired({ snapshots: OLD, refs }, { keepLast: 2 })).toEqual(['1']);
  });
  test('a snapshot that no ref reaches goes by its age', () => {
    const stray = { ...line([20], 21)[0], parentSnapshotId: '1' } as SnapshotInfo;
    expect(expired({ snapshots: [stray, ...line([30, 1])] })).toEqual(['1', '21']);
  });
});

describe('watermarks in the table', () => {
  const inputs = { 'icewright.inputs': '{}', 'icewright.model': 'a' };
  test('the newest with consumed inputs stays, and the way from the head to it', () => {
    const snapshots = mark(OLD, { 1: inputs, 3: inputs });
    expect(expired({ snapshots })).toEqual(['1', '2']);
    expect(because('3', { snapshots })).toEqual(['newest with icewright.inputs']);
    expect(because('4', { snapshots })).toEqual(['leads to icewright.inputs']);
  });
  test('the newest Flink checkpoint stays, of whatever job', () => {
    const flink = (job: string) => ({ 'flink.job-id': job, 'flink.operator-id': 'sink' });
    const snapshots = mark(OLD, { 1: flink('x'), 2: flink('x'), 4: flink('y') });
    expect(expired({ snapshots })).toEqual(['1', '2', '3']);
  });
  test('the newest offsets of each Kafka Connect sink stay', () => {
    const snapshots = mark(OLD, {
      1: { 'kafka.connect.offsets.control.a': '1' },
      2: { 'kafka.connect.offsets.control.b': '1' },
      3: { 'kafka.connect.offsets.control.a': '2' },
      4: { 'kafka.connect.offsets.control.a': '3' },
    });
    expect(expired({ snapshots })).toEqual(['1']);
  });
  test('one that only an abandoned line carries does not replace the one on main', () => {
    const stray = { ...line([15], 21)[0], parentSnapshotId: '1' } as SnapshotInfo;
    const property = { 'kafka.connect.offsets.control.a': '1' };
    const snapshots = mark([...OLD.slice(0, 4), stray, ...OLD.slice(4)], {
      2: property,
      21: property,
    });
    expect(expired({ snapshots })).toEqual(['1']);
  });
});

describe('who else needs a snapshot', () => {
  test('a run that is going on', () => {
    expect(expired({ snapshots: OLD }, { pinned: ['3', 'gone'] })).toEqual(['1', '2', '4']);
  });
  test('a consumer: its watermark and everything after it', () => {
    const consumers = {
      consumed: [{ snapshotId: '3', consumer: 'lake.silver.orders' }],
      unreadable: [],
    };
    expect(expired({ snapshots: OLD }, { consumers })).toEqual(['1', '2']);
    const more = { consumers };
    expect(because('3', { snapshots: OLD }, more)).toEqual([
      'lake.silver.orders has read up to here',
    ]);
    expect(because('4', { snapshots: OLD }, more)).toEqual(['not yet read by lake.silver.orders']);
  });
  test('a watermark off the main line keeps whatever is newer', () => {
    const stray = { ...line([35], 21)[0], parentSnapshotId: '1' } as SnapshotInfo;
    const snapshots = [...OLD.slice(0, 2), stray, ...OLD.slice(2)];
    const consumers = { consumed: [{ snapshotId: '21', consumer: 'x' }], unreadable: [] };
    expect(expired({ snapshots }, { consumers })).toEqual(['1', '2']);
  });
  test('a watermark whose snapshot is gone keeps nothing: nothing would help', () => {
    const consumers = { consumed: [{ snapshotId: '99', consumer: 'x' }], unreadable: [] };
    expect(expired({ snapshots: OLD }, { consumers })).toEqual(['1', '2', '3', '4']);
  });
});

describe('refused as a whole', () => {
  test('when the catalog shares files between branches', () => {
    const answer = plan({ snapshots: OLD, properties: { 'gc.enabled': 'FALSE' } });
    expect(answer).toMatchObject({ kind: 'refuse', metric: 'gc_enabled' });
  });
  test('when a ref names a snapshot that is not listed', () => {
    const refs = [{ name: 't', type: 'tag' as const, snapshotId: '77' }];
    expect(plan({ snapshots: OLD, refs })).toMatchObject({ metric: 'snapshots_known' });
    expect(plan({ snapshots: OLD, snapshotId: '77' })).toMatchObject({ metric: 'snapshots_known' });
  });
  test("when a consumer's watermark cannot be read", () => {
    const answer = plan({ snapshots: OLD }, { consumers: { consumed: [], unreadable: ['x'] } });
    expect(answer).toMatchObject({ kind: 'refuse', metric: 'watermarks_known' });
  });
  test('when the engine would drop a ref by the way', () => {
    const refs = [{ name: 'audit', type: 'tag' as const, snapshotId: '2' }];
    const aging = (ms: string) => ({
      snapshots: OLD,
      refs,
      properties: { 'history.expire.max-ref-age-ms': ms },
    });
    expect(plan(aging(String(30 * DAY_MS)))).toMatchObject({ metric: 'nothing_unasked' });
    expect(plan(aging('soon'))).toMatchObject({ metric: 'nothing_unasked' });
    expect(plan(aging(String(60 * DAY_MS)))).toMatchObject({ kind: 'expire' });
    const own = { ...aging('x'), properties: {}, refs: [{ ...refs[0], maxRefAgeMs: DAY_MS }] };
    expect(plan(own as Partial<TableHealth>)).toMatchObject({ metric: 'nothing_unasked' });
  });
  test("when the engine would expire more by a branch's own retention", () => {
    const retained = (days: number, minSnapshotsToKeep?: number) => ({
      snapshots: OLD,
      refs: [
        {
          name: 'main',
          type: 'branch' as const,
          snapshotId: '5',
          maxSnapshotAgeMs: days * DAY_MS,
          ...(minSnapshotsToKeep === undefined ? {} : { minSnapshotsToKeep }),
        },
      ],
    });
    const answer = plan(retained(25));
    expect(answer).toMatchObject({ kind: 'refuse', metric: 'nothing_unasked' });
    expect(answer).toHaveProperty('because', expect.stringContaining('3 snapshots of branch main'));
    expect(plan(retained(60))).toMatchObject({ kind: 'expire' });
    expect(plan(retained(25, 5))).toMatchObject({ kind: 'expire' });
  });
});

describe('consumers of a table', () => {
  const target = (table: string, text: string) =>
    health({ table, snapshots: mark(line([3, 2, 1]), { 2: { 'icewright.inputs': text } }) });
  test('are read from the newest watermark of their targets', () => {
    const silver = target('lake.silver.orders', '{"lake.bronze.raw_orders":"42"}');
    const other = target('lake.silver.customers', '{"lake.bronze.raw_customers":"7"}');
    expect(consumersOf('lake.bronze.raw_orders', [silver, other, health()])).toEqual({
      consumed: [{ snapshotId: '42', consumer: 'lake.silver.orders' }],
      unreadable: [],
    });
  });
  test.each(['no json', '[]', 'null', '{"lake.bronze.raw_orders":42}'])(
    'whose watermark is %s cannot be read',
    (text) => {
      const silver = target('lake.silver.orders', text);
      const found = consumersOf('lake.bronze.raw_orders', [silver]);
      expect(found).toEqual({ consumed: [], unreadable: ['lake.silver.orders'] });
    },
  );
});

test('a loop in broken metadata ends', () => {
  const loop = OLD.map((one, index) => (index === 0 ? { ...one, parentSnapshotId: '5' } : one));
  expect(expired({ snapshots: loop })).toEqual(['1', '2', '3', '4']);
});

describe('between the plan and its execution', () => {
  const state = (change: Partial<TableHealth>, more: Partial<ExpiryInput> = {}) => ({
    health: health(change),
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
    ...more,
  });
  const snapshots = OLD;
  const [first, second] = OLD.map((one) => one.snapshotId) as [string, string];

  test('what nobody needs may go', () => {
    expect(neededByNow([first, second], state({ snapshots }))).toBeNull();
  });

  test('a new tag, pin or reader keeps what was planned', () => {
    const tagged = [{ name: 'audit', type: 'tag', snapshotId: first }] as const;
    const refs = [...health({ snapshots }).refs, ...tagged];
    expect(neededByNow([first], state({ snapshots, refs }))).toContain('head of tag audit');
    const pinned = state({ snapshots }, { pinned: [second] });
    expect(neededByNow([first, second], pinned)).toContain(`snapshot ${second}`);
    const consumed = [{ snapshotId: first, consumer: 'lake.silver.orders' }];
    const read = state({ snapshots }, { consumers: { consumed, unreadable: [] } });
    expect(neededByNow([second], read)).toContain('not yet read by lake.silver.orders');
  });

  test('a table that may not be expired at all any more', () => {
    const properties = { 'gc.enabled': 'false' };
    expect(neededByNow([first], state({ snapshots, properties }))).toContain('gc.enabled');
  });
});
