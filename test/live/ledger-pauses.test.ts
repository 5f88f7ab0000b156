/** The log of pauses, the policies that took effect, receipts by time; on a real PostgreSQL. */
import { describe, expect, test } from 'vitest';
import type { PolicyVersion } from '../../src/activities/ledger-port.ts';
import { reportOf } from '../../src/domain/health/report.ts';
import type { PauseEvent } from '../../src/domain/policy/pause.ts';
import { health, NOW_MS, partition } from '../domain/health/fixture.ts';
import { useOwnLedger } from '../ledger/own-ledger.ts';
import { receipt, TABLE } from '../ledger/rows.ts';

const own = useOwnLedger('pauses');

function event(change: Partial<PauseEvent> = {}): PauseEvent {
  return {
    kind: 'pause',
    pattern: 'bronze.*',
    operation: null,
    until: null,
    reason: "it's moved; --",
    by: 'cli:ana',
    at: '2026-11-21T02:00:00.000Z',
    ...change,
  };
}

describe('pauses', () => {
  test('are read back in the order in which they were made', async () => {
    expect(await own.ledger.pauseEvents()).toEqual([]);
    const events = [
      event({ until: '2026-12-01T06:00:00.000Z', operation: 'compact' }),
      event({ kind: 'resume', at: '2026-11-20T02:00:00.000Z' }),
      event({ pattern: '/^x\\./' }),
    ];
    for (const one of events) await own.ledger.recordPause(one);
    expect(await own.ledger.pauseEvents()).toEqual(events);
  });

  test.each(["update icewright.pause_event set reason = ''", 'delete from icewright.pause_event'])(
    '%s is refused by the database',
    (text) => expect(own.sql(text)).rejects.toThrow(/pause_event is append-only/),
  );
});

describe('policies that took effect', () => {
  const version = (digest: string): PolicyVersion => ({
    digest,
    documents: { 'a.yaml': 'kind: sweep\n', 'b.yaml': `name: ${digest}\n` },
    appliedBy: 'worker',
    appliedAt: '2026-11-21T02:00:00.000Z',
  });

  test('are recorded when they change, and going back is a change', async () => {
    expect(await own.ledger.appliedPolicies()).toBeNull();
    const added: boolean[] = [];
    for (const digest of ['a', 'a', 'b', 'a']) {
      added.push(await own.ledger.recordPolicies(version(digest)));
    }
    expect(added).toEqual([true, false, true, true]);
    expect(await own.ledger.appliedPolicies()).toEqual(version('a'));
    await expect(own.sql('truncate icewright.policy_version')).rejects.toThrow(/append-only/);
  });
});

test('receipts of a span are those written in it, of every table', async () => {
  const before = new Date().toISOString();
  await own.ledger.saveReceipt('s1', 0, TABLE, receipt());
  await own.ledger.saveReceipt('s2', 0, 'lake.x.y', receipt({ operation: 'expire_snapshots' }));
  const later = new Date(Date.now() + 60_000).toISOString();
  const found = await own.ledger.receiptsBetween(before, later);
  expect(found.map((one) => [one.table, one.operation])).toEqual([
    [TABLE, 'compact'],
    ['lake.x.y', 'expire_snapshots'],
  ]);
  expect(await own.ledger.receiptsBetween('2020-01-01T00:00:00Z', before)).toEqual([]);
});

test('a point of the history keeps what triggers look at', async () => {
  const measured = health({ partitionHealth: [partition('1', 2, 1_000)], manifests: 7 });
  const report = { ...reportOf(measured), etag: null, location: null };
  const bare = health({
    table: 'lake.x.bare',
    partitionHealth: null,
    detail: null,
    manifests: null,
  });
  await own.ledger.saveReports([report, { ...reportOf(bare), etag: null, location: null }]);
  const [point] = await own.ledger.healthHistory(measured.table, NOW_MS);
  expect(point).toMatchObject({
    manifests: 7,
    deleteRatio: 0,
    backlogFiles: measured.detail?.backlogFiles ?? null,
  });
  const [unread] = await own.ledger.healthHistory('lake.x.bare', NOW_MS);
  expect(unread).toMatchObject({ manifests: null, backlogFiles: null, smallBytes: null });
});
