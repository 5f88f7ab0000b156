import { describe, expect, test } from 'vitest';
import type { TableHealth } from '../../../src/domain/health/health.ts';
import { planExpiry } from '../../../src/domain/planner/expiry.ts';
import { askedOrphans, proposeOrphans } from '../../../src/domain/planner/proposals/orphans.ts';
import { effectivePolicy } from '../../../src/domain/policy/effective.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { tableFromKey } from '../../../src/domain/table.ts';
import { DAY_MS, health, line, NOW_MS } from '../health/fixture.ts';

const policy = effectivePolicy([], tableFromKey('lake.a.t'));

function receipt(change: Partial<Receipt>): Receipt {
  const finishedAt = new Date(NOW_MS - DAY_MS).toISOString();
  const base = { operation: 'expire_snapshots', status: 'done', startedAt: finishedAt, finishedAt };
  return { ...base, ...change } as Receipt;
}

function propose(change: Partial<TableHealth>, recentReceipts: readonly Receipt[] = []) {
  const consumers = { consumed: [], unreadable: [] };
  const found = health({ location: 's3://lake/a/t', ...change });
  const common = { health: found, pinned: [], consumers, nowMs: NOW_MS };
  const expiry = planExpiry({ ...common, olderThanMs: 7 * DAY_MS, keepLast: 1 });
  return proposeOrphans({ ...common, policy, recentReceipts, expiry });
}

const refused = (...args: Parameters<typeof propose>) =>
  propose(...args).refusals.map((reason) => reason.metric);

describe('orphans by policy', () => {
  test('are looked for by two runs, and never below the floor', () => {
    const { operation } = propose({ snapshots: line([30]) });
    expect(operation).toMatchObject({ olderThanMs: 7 * DAY_MS, looks: { kind: 'later' } });
  });

  test.each([
    ['nothing was expired and there is something to', [], ['expired_before']],
    ['the last expiry failed', [receipt({ status: 'failed' })], ['expired_before']],
    ['it was done', [receipt({})], []],
    ['it found nothing', [receipt({ status: 'noop' })], []],
    [
      'a refused one says nothing, an earlier one does',
      [receipt({ status: 'refused' }), receipt({})],
      [],
    ],
  ])('wait for an expiry: %s', (_what, receipts, metrics) => {
    expect(refused({ snapshots: line([50, 40, 1]) }, receipts)).toEqual(metrics);
  });

  test('need none where nothing is to be expired', () => {
    expect(refused({ snapshots: line([3, 2, 1]) })).toEqual([]);
  });

  test.each([
    [{ properties: { 'gc.enabled': 'false' } }, 'gc_enabled'],
    [{ properties: { 'encryption.key-id': 'k' } }, 'encrypted'],
    [{ location: 'hdfs://nn/a/t' }, 'location'],
    [{ properties: { 'write.data.path': 's3://lake/data' } }, 'location'],
  ])('are refused of %o', (change, metric) => {
    expect(refused({ snapshots: line([1]), ...change })).toContain(metric);
  });

  test('are skipped while no file can be old enough, and it is said why', () => {
    const young = propose({ snapshots: line([3, 2, 1]) }).worth.find((one) => !one.met);
    expect(young).toMatchObject({ metric: 'table_age_hours', value: 72, threshold: 168 });
    expect(young?.because).toContain('no file can be old enough yet: the table is 3 d old');
    const old = propose({ snapshots: line([30, 1]) }, [receipt({})]);
    expect(old.worth.every((one) => one.met)).toBe(true);
    // Its beginning was expired: how old it is, is not known.
    const later = line([3, 2, 1]).slice(1);
    expect(propose({ snapshots: later }).worth.every((one) => one.met)).toBe(true);
  });
});

describe('orphans by hand', () => {
  const request = {
    kind: 'remove_orphans',
    olderThanMs: null,
    maxFiles: null,
    pauseMs: null,
  } as const;

  test('take what is left open from the policy, and look twice at once', () => {
    expect(askedOrphans(request, policy, health({ dataFiles: 1_000 }))).toEqual({
      kind: 'remove_orphans',
      olderThanMs: 7 * DAY_MS,
      maxFiles: 50,
      looks: { kind: 'soon', pauseMs: 10_000 },
    });
  });

  test('name the floor to who asks for less', () => {
    const young = { ...request, olderThanMs: 3 * DAY_MS - 1 };
    expect(() => askedOrphans(young, policy, health({}))).toThrow(/below the floor of 72 h/);
    const floor = { ...request, olderThanMs: 3 * DAY_MS };
    expect(askedOrphans(floor, policy, health({}))).toMatchObject({ olderThanMs: 3 * DAY_MS });
  });
});
