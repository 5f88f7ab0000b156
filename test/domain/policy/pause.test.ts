import { describe, expect, test } from 'vitest';
import type { OperationKind } from '../../../src/domain/operation.ts';
import { judgeCadence } from '../../../src/domain/policy/cadence.ts';
import {
  type PauseEvent,
  pauseStateOf,
  sayWhatIsPassedOver,
  standingPauses,
} from '../../../src/domain/policy/pause.ts';
import { DEFAULT_SETTINGS } from '../../../src/domain/policy/policy.ts';
import { parseTable } from '../../../src/domain/table.ts';
import { failure, NOW_MS } from '../health/fixture.ts';

const HOUR_MS = 3_600_000;
const ORDERS = 'lake.bronze.raw_orders';

function event(kind: 'pause' | 'resume', pattern: string, change: Partial<PauseEvent> = {}) {
  const at = new Date(NOW_MS - 10 * HOUR_MS).toISOString();
  const rest = { operation: null, until: null, reason: 'it moves', by: 'cli:ana', at };
  return { kind, pattern, ...rest, ...change };
}

function pausedBy(events: readonly PauseEvent[], kind: OperationKind = 'compact') {
  const table = parseTable(ORDERS, 'lake');
  return pauseStateOf(events, { table, kind }, NOW_MS).pause?.pattern ?? null;
}

describe('what is paused', () => {
  test.each([
    [[], null],
    [[event('pause', 'bronze.*')], 'bronze.*'],
    [[event('pause', 'silver.*')], null],
    [[event('pause', '/orders$/')], '/orders$/'],
    [[event('pause', '*'), event('resume', 'bronze.raw_orders')], null],
    [[event('pause', '*'), event('resume', 'silver.orders')], '*'],
    [[event('resume', '*'), event('pause', ORDERS)], ORDERS],
    [[event('pause', ORDERS, { operation: 'compact' })], ORDERS],
    [[event('pause', ORDERS, { operation: 'expire_snapshots' })], null],
    // Resuming one operation leaves the others paused.
    [[event('pause', '*'), event('resume', '*', { operation: 'expire_snapshots' })], '*'],
    [[event('pause', '*'), event('resume', '*', { operation: 'compact' })], null],
    [[event('pause', ORDERS, { until: new Date(NOW_MS).toISOString() })], null],
    [[event('pause', ORDERS, { until: new Date(NOW_MS + 1).toISOString() })], ORDERS],
    [
      [event('pause', '*'), event('pause', ORDERS, { until: new Date(NOW_MS + 1).toISOString() })],
      '*',
    ],
  ])('%j: %s', (events, pattern) => expect(pausedBy(events)).toBe(pattern));
});

describe('a decision', () => {
  const three = [1, 2, 3].map((minutes) => failure('compact', minutes * 60));
  const judge = (pauses: readonly PauseEvent[], recentReceipts = [] as typeof three) =>
    judgeCadence({
      kind: 'compact',
      policy: DEFAULT_SETTINGS.cadence,
      recentReceipts,
      nowMs: NOW_MS,
      table: ORDERS,
      pauses,
    });

  test('waits for the end of a pause and says who paused it and why', () => {
    const until = new Date(NOW_MS + HOUR_MS).toISOString();
    const cadence = judge([event('pause', 'bronze.*', { until })]);
    expect(cadence).toMatchObject({ allowed: false, nextEligibleAtMs: NOW_MS + HOUR_MS });
    const reason = cadence.reasons.find(({ metric }) => metric === 'paused');
    expect(reason?.because).toMatch(
      /^paused by cli:ana at .* until .*: it moves; "icewright resume/,
    );
  });

  test('without an end waits for a person, not for a time', () => {
    const cadence = judge([event('pause', '*')]);
    expect(cadence).toMatchObject({ allowed: false, nextEligibleAtMs: null, breakerOpen: false });
  });

  test('of an open breaker is closed by a resume: failures before it no longer count', () => {
    expect(judge([], three)).toMatchObject({ breakerOpen: true, allowed: false });
    const now = new Date(NOW_MS).toISOString();
    const resumed = judge([event('resume', ORDERS, { at: now })], three);
    expect(resumed).toMatchObject({ breakerOpen: false, allowed: true, nextEligibleAtMs: null });
    // It was resumed before they failed.
    expect(judge([event('resume', ORDERS)], three)).toMatchObject({ breakerOpen: true });
    const other = event('resume', ORDERS, { at: now, operation: 'expire_snapshots' });
    expect(judge([other], three)).toMatchObject({ breakerOpen: true });
  });
});

test('a plan by hand says which pause and which breaker it passes over', () => {
  const decision = {
    kind: 'compact',
    action: 'run',
    engine: 'spark',
    operation: null,
    reasons: [],
    nextEligibleAt: null,
    estimate: null,
  } as const;
  const plan = { table: ORDERS, tableUuid: 'u', snapshotId: '1', decisions: [decision] };
  const say = (pauses: readonly PauseEvent[], breakerOpen: boolean) =>
    sayWhatIsPassedOver(plan, { pauses, breakerOpen: () => breakerOpen, nowMs: NOW_MS });
  expect(say([], false)).toEqual(plan);
  const [said] = say([event('pause', 'bronze.*')], true).decisions;
  expect(said).toMatchObject({ action: 'run', reasons: [{ met: true }, { met: true }] });
  expect(said?.reasons.map(({ because }) => because)).toEqual([
    expect.stringMatching(/^paused by cli:ana .*: it moves; passed over by hand$/),
    'its breaker is open; passed over by hand',
  ]);
});

test('what stands: neither ended nor resumed as a whole, with what is excepted from it', () => {
  const one = event('resume', 'bronze.raw_orders');
  const events = [
    event('pause', 'silver.*', { until: new Date(NOW_MS).toISOString() }),
    event('pause', 'bronze.*'),
    event('pause', 'gold.*', { operation: 'compact' }),
    one,
    event('resume', 'gold.*', { operation: 'compact' }),
    event('resume', 'silver.orders'),
  ];
  const standing = standingPauses(events, NOW_MS);
  expect(standing.map(({ pause }) => pause.pattern)).toEqual(['bronze.*']);
  expect(standing[0]?.liftedFor.map(({ pattern }) => pattern)).toEqual([one.pattern, 'gold.*']);
  expect(standingPauses([...events, event('resume', '*')], NOW_MS)).toEqual([]);
});
