/** Reports of tables and their history, on a real PostgreSQL. */
import pg from 'pg';
import { describe, expect, test } from 'vitest';
import type { StoredReport } from '../../src/activities/ledger-port.ts';
import { cutoffsAt, DEFAULT_RETENTION } from '../../src/domain/health/history.ts';
import { failedReport, reportOf } from '../../src/domain/health/report.ts';
import { DAY_MS, health, NOW_MS, partition } from '../domain/health/fixture.ts';
import { useOwnLedger } from '../ledger/own-ledger.ts';

const HOUR_MS = 3_600_000;

const own = useOwnLedger('health');

/** `files` data files at some time. */
function report(table: string, atMs: number, files = 2, etag: string | null = '"e1"') {
  const measured = health({
    table,
    measuredAtMs: atMs,
    partitionHealth: [partition('1', files, 1_000)],
  });
  return { ...reportOf(measured), etag, location: measured.location } satisfies StoredReport;
}

describe('reports', () => {
  test('are read back as they were written, by catalog', async () => {
    const [a, b] = [report('lake.r.a', NOW_MS), report('lake.r.b', NOW_MS)];
    const other = report('other.r.a', NOW_MS, 2, null);
    await own.ledger.saveReports([b, a, other]);
    expect(await own.ledger.latestReports('lake')).toEqual([a, b]);
    expect(await own.ledger.latestReports('other')).toEqual([other]);
    expect(await own.ledger.latestReports('none')).toEqual([]);
    await own.ledger.saveReports([]);
  });

  test('foreign texts that jsonb refuses are kept as far as they can be', async () => {
    const odd = report('odd.r.a', NOW_MS);
    const message = 'cut \0 in \ud83d half';
    await own.ledger.saveReports([{ ...odd, failure: { code: 'CatalogRejected', message } }]);
    const [kept] = await own.ledger.latestReports('odd');
    expect(kept?.failure?.message).toBe('cut \ufffd in \ufffd half');
  });

  test('a newer one replaces, a late older one does not', async () => {
    const newer = report('lake.r.a', NOW_MS + 5_000, 9, '"e2"');
    await own.ledger.saveReports([newer]);
    await own.ledger.saveReports([report('lake.r.a', NOW_MS + 1_000, 4)]);
    expect((await own.ledger.latestReports('lake'))[0]).toEqual(newer);
  });

  test('since a mark are those that were written since', async () => {
    const all = await own.ledger.reportsSince('lake', null);
    expect(all.reports.map((one) => one.table)).toEqual(['lake.r.a', 'lake.r.b']);
    expect((await own.ledger.reportsSince('lake', all.mark)).reports).toEqual([]);
    await own.ledger.saveReports([report('lake.r.b', NOW_MS + 1, 3)]);
    const since = await own.ledger.reportsSince('lake', all.mark);
    expect(since.reports.map((one) => one.table)).toEqual(['lake.r.b']);
    expect(BigInt(since.mark)).toBeGreaterThan(BigInt(all.mark));
  });

  test('of a transaction that ends late are not passed over', async () => {
    const client = new pg.Client({ connectionString: own.url });
    await client.connect();
    await client.query('begin');
    await client.query(
      `update icewright.table_report set etag = '"late"', written_by = pg_current_xact_id()
       where table_key = 'lake.r.a'`,
    );
    await own.ledger.saveReports([report('lake.r.b', NOW_MS + 2, 3)]);
    const { mark } = await own.ledger.reportsSince('lake', null);
    await client.query('commit');
    await client.end();
    const since = await own.ledger.reportsSince('lake', mark);
    expect(since.reports.map((one) => [one.table, one.etag])).toContainEqual([
      'lake.r.a',
      '"late"',
    ]);
  });

  test('are forgotten by name, in their catalog alone', async () => {
    await own.ledger.forgetReports('other', ['lake.r.a']);
    await own.ledger.forgetReports('lake', ['lake.r.b', 'lake.r.none']);
    await own.ledger.forgetReports('lake', []);
    expect((await own.ledger.latestReports('lake')).map((one) => one.table)).toEqual(['lake.r.a']);
  });

  test('two thousand are saved in one statement', async () => {
    const many = Array.from({ length: 2_000 }, (_, at) => report(`many.t.n${at}`, NOW_MS));
    await own.ledger.saveReports(many);
    expect(await own.ledger.latestReports('many')).toHaveLength(2_000);
  });
});

describe('history', () => {
  const files = async (table: string, sinceMs: number) =>
    (await own.ledger.healthHistory(table, sinceMs)).map((one) => one.dataFiles);

  test('has one point for each report, and what held when the span begins', async () => {
    for (const [at, count] of [3, 5, 4].entries()) {
      await own.ledger.saveReports([report('lake.h.a', NOW_MS + at * HOUR_MS, count)]);
    }
    expect(await files('lake.h.a', NOW_MS)).toEqual([3, 5, 4]);
    expect(await files('lake.h.a', NOW_MS + 1)).toEqual([3, 5, 4]);
    expect(await files('lake.h.a', NOW_MS + HOUR_MS + 1)).toEqual([5, 4]);
    expect(await files('lake.h.a', NOW_MS + DAY_MS)).toEqual([4]);
    expect((await own.ledger.healthHistory('lake.h.a', NOW_MS))[0]).toMatchObject({
      atMs: NOW_MS,
      smallFiles: 3,
      totalBytes: 1_000,
      snapshots: 3,
      deleteFiles: 0,
      score: expect.any(Number),
    });
    const both = await own.ledger.healthHistories(['lake.h.a', 'lake.h.none'], NOW_MS);
    expect([...both.keys()]).toEqual(['lake.h.a']);
  });

  test('goes on as it was while a table cannot be read', async () => {
    const before = report('lake.h.b', NOW_MS, 7);
    const failure = { code: 'StorageUnavailable', message: 'gone', atMs: NOW_MS + 1 } as const;
    await own.ledger.saveReports([before]);
    await own.ledger.saveReports([{ ...before, ...failedReport('lake.h.b', before, failure) }]);
    expect(await files('lake.h.b', NOW_MS)).toEqual([7]);
    const stored = (await own.ledger.latestReports('lake')).find((one) => one.table === 'lake.h.b');
    expect(stored).toMatchObject({ failure: { message: 'gone' }, figures: { dataFiles: 7 } });
  });

  test('is rolled up to the last point of each hour, then of each day, then to the newest', async () => {
    const table = 'lake.h.c';
    const start = Date.parse('2026-01-01T00:00:00Z');
    const points = Array.from({ length: 4 * 24 * 3 }, (_, at) =>
      report(table, start + at * (HOUR_MS / 4), at + 1),
    );
    for (const point of points) await own.ledger.saveReports([point]);
    const old = report('lake.h.old', start, 1);
    await own.ledger.saveReports([old, report('gone.h.t', start, 1)]);
    await own.ledger.forgetReports('gone', ['gone.h.t']);
    const rollUp = (nowMs: number) => own.ledger.rollUpHistory(cutoffsAt(nowMs, DEFAULT_RETENTION));

    // Two days after the start nothing is old enough; a day later, one day is.
    expect(await rollUp(start + 2 * DAY_MS)).toBe(0);
    expect(await rollUp(start + 3 * DAY_MS)).toBe(3 * 24);
    const hourly = await files(table, start);
    expect(hourly.slice(0, 3)).toEqual([4, 8, 12]);
    expect(hourly).toHaveLength(24 + 2 * 4 * 24);
    // Again changes nothing.
    expect(await rollUp(start + 3 * DAY_MS)).toBe(0);

    await rollUp(start + 33 * DAY_MS);
    expect(await files(table, start)).toEqual([96, 192, 288]);
    await rollUp(start + 800 * DAY_MS);
    expect(await files(table, start)).toEqual([288]);
    // The newest of a table that is still there stays for ever; of one that is gone, not.
    expect(await files('lake.h.old', start)).toEqual([1]);
    expect(await files('gone.h.t', start)).toEqual([]);
  });
});
