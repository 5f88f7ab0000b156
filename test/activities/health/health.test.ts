/** A sweep's steps against a catalog and a ledger of a few lines. */
import { CancelledFailure } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import { createHealthActivities } from '../../../src/activities/health/health.ts';
import type { Ledger, StoredReport } from '../../../src/activities/ledger-port.ts';
import type { Catalog, HealthSweep, Meter, Remeasured } from '../../../src/activities/ports.ts';
import type { HealthActivities } from '../../../src/activities/types.ts';
import { type ErrorCode, IcewrightError } from '../../../src/domain/errors.ts';
import type { TableHealth, TableReport } from '../../../src/domain/health/health.ts';
import { DEFAULT_RETENTION } from '../../../src/domain/health/history.ts';
import { tableFromKey, tableKey } from '../../../src/domain/table.ts';
import { health, NOW_MS } from '../../domain/health/fixture.ts';

/** What the catalog holds: a table's health and tag, an error, or silence. */
type Held = { readonly health: TableHealth; readonly etag: string } | IcewrightError | 'hangs';

let held: Map<string, Held>;
let away: IcewrightError | null;
let asked: string[];
let saved: StoredReport[][];
let swept: readonly TableReport[];
let told: HealthSweep | undefined;
let nowMs: number;
let activities: HealthActivities;

beforeEach(() => {
  held = new Map();
  away = null;
  asked = [];
  saved = [];
  swept = [];
  nowMs = NOW_MS;
  activities = createHealthActivities({
    catalog: catalog(),
    ledger: ledger(),
    meter: meterOf((reports, one) => {
      swept = reports;
      told = one;
    }),
    retention: DEFAULT_RETENTION,
    nowMs: () => nowMs,
    tableLimitMs: 50,
  });
});

function meterOf(healthSwept: Meter['healthSwept']): Meter {
  return { healthSwept } as Partial<Meter> as Meter;
}

function catalog(): Catalog {
  return {
    listTables: async () => {
      if (away !== null) throw away;
      return [...held.keys()].map(tableFromKey);
    },
    measureTable: () => Promise.reject(new Error('not asked')),
    tableExists: () => Promise.reject(new Error('not asked')),
    remeasureTable: async (table, { etag }): Promise<Remeasured> => {
      asked.push(`${table.name} ${etag}`);
      const one = held.get(tableKey(table));
      if (away !== null) throw away;
      if (one === 'hangs') return new Promise(() => {});
      if (one === undefined) throw new IcewrightError('TableNotFound', 'no such table');
      if (one instanceof IcewrightError) throw one;
      if (one.etag === etag) return { changed: false };
      return { changed: true, etag: one.etag, health: grownOlder(one.health) };
    },
  };
}

function grownOlder(one: TableHealth): TableHealth {
  const older = (ageMs: number | null) => (ageMs === null ? null : ageMs + nowMs - NOW_MS);
  return {
    ...one,
    measuredAtMs: nowMs,
    oldestSnapshotAgeMs: older(one.oldestSnapshotAgeMs),
    lastCommitAgeMs: older(one.lastCommitAgeMs),
  };
}

function ledger(): Ledger {
  const rows = new Map<string, { readonly report: StoredReport; readonly at: number }>();
  let writes = 0;
  const part: Partial<Ledger> = {
    reportsSince: async (_catalog, mark) => ({
      mark: String(writes),
      reports: [...rows.values()].flatMap(({ report, at }) =>
        at > Number(mark ?? 0) ? [report] : [],
      ),
    }),
    saveReports: async (reports) => {
      saved.push([...reports]);
      writes += 1;
      for (const report of reports) rows.set(report.table, { report, at: writes });
    },
    forgetReports: async (_catalog, tables) => {
      for (const table of tables) rows.delete(table);
    },
  };
  return part as Ledger;
}

/** Puts a table into the catalog; `location` as its name unless said otherwise. */
function put(name: string, etag = '1', more: Partial<TableHealth> = {}): string {
  const key = `lake.a.${name}`;
  const location = `s3://lake/a/${name}`;
  held.set(key, { health: health({ table: key, location, ...more }), etag });
  return key;
}

function breakTable(name: string, code: ErrorCode): string {
  held.set(`lake.a.${name}`, new IcewrightError(code, `${name} is broken`));
  return `lake.a.${name}`;
}

async function sweep(tables: readonly string[], more: { full?: boolean; attempt?: number } = {}) {
  const env = new MockActivityEnvironment({ attempt: more.attempt ?? 1 });
  const input = { catalog: 'lake', tables, full: more.full ?? false };
  return (await env.run(activities.sweepTables, input)) as Awaited<
    ReturnType<HealthActivities['sweepTables']>
  >;
}

async function close() {
  const which = { catalog: 'lake', sweep: 1, dueAt: null, missed: 0 };
  const input = { ...which, startedAtMs: NOW_MS - 5, intervalMs: 300_000 };
  return (await new MockActivityEnvironment().run(activities.closeSweep, input)) as Awaited<
    ReturnType<HealthActivities['closeSweep']>
  >;
}

const savedTables = () => saved.map((batch) => batch.map((one) => one.table));

describe('a sweep', () => {
  it('measures what is new, then only what changed', async () => {
    const tables = [put('x'), put('y')];
    expect(await sweep(tables)).toEqual({ measured: 2, unchanged: 0, failed: [] });
    expect(await sweep(tables)).toEqual({ measured: 0, unchanged: 2, failed: [] });
    put('y', '2', { records: 7 });
    expect(await sweep(tables)).toEqual({ measured: 1, unchanged: 1, failed: [] });
    expect(asked.slice(2)).toEqual(['x 1', 'y 1', 'x 1', 'y 1']);
    expect(savedTables()).toEqual([tables, [tables[1]]]);
  });

  it('reads everything anew when it is full, and writes only news', async () => {
    const tables = [put('x'), put('y')];
    await sweep(tables);
    nowMs += 60_000;
    put('y', '1', { dataFiles: 99 });
    expect(await sweep(tables, { full: true })).toMatchObject({ measured: 2 });
    expect(asked.slice(2)).toEqual(['x null', 'y null']);
    expect(savedTables()).toEqual([tables, [tables[1]]]);
  });

  it('takes a new tag for the same state without a new point of history', async () => {
    const tables = [put('x')];
    await sweep(tables);
    nowMs += 60_000;
    put('x', '2');
    await sweep(tables);
    expect(saved[1]?.[0]).toMatchObject({ etag: '2', measuredAtMs: NOW_MS });
  });

  it('says of a broken table what is wrong, once, and measures the others', async () => {
    const tables = [put('x'), put('y')];
    await sweep(tables);
    breakTable('y', 'InvariantBroken');
    expect(await sweep(tables)).toEqual({ measured: 0, unchanged: 1, failed: ['lake.a.y'] });
    expect(saved[1]?.[0]).toMatchObject({
      etag: null,
      failure: { code: 'InvariantBroken', message: 'y is broken' },
      figures: { dataFiles: 2 },
      findings: [{ code: 'unreadable', severity: 'critical' }],
    });
    expect(await sweep(tables)).toMatchObject({ failed: ['lake.a.y'] });
    expect(saved).toHaveLength(2);
    put('y');
    expect(await sweep(tables)).toMatchObject({ measured: 1, failed: [] });
    expect(saved[2]?.[0]).toMatchObject({ failure: null, findings: [] });
  });

  it('keeps all places of a table, also when it cannot be read any more', async () => {
    const tables = [put('x'), put('y')];
    await sweep(tables);
    expect(saved[0]?.[0]?.places).toEqual(['s3://lake/a/x']);
    const properties = { 'write.data.path': 's3://lake/a/y/guest' };
    put('x', '1', { properties });
    await sweep(tables, { full: true });
    breakTable('x', 'TableNotFound');
    await sweep(tables);
    expect(savedTables()).toEqual([tables, [tables[0]], [tables[0]]]);
    const places = ['s3://lake/a/x', 's3://lake/a/y/guest'];
    expect(saved[2]?.[0]).toMatchObject({ failure: { code: 'TableNotFound' }, places });
  });

  it('waits for one hanging table no longer than its limit, and asks it no second time', async () => {
    const tables = [put('x'), 'lake.a.slow'];
    held.set('lake.a.slow', 'hangs');
    expect(await sweep(tables)).toEqual({ measured: 1, unchanged: 0, failed: ['lake.a.slow'] });
    expect(await sweep(tables)).toMatchObject({ unchanged: 1, failed: ['lake.a.slow'] });
    expect(asked).toEqual(['x null', 'slow null', 'x 1']);
    expect(saved).toHaveLength(2 - 1);
  });

  it('ends at once when its worker drains, however long a table hangs', async () => {
    const patient = createHealthActivities({
      catalog: catalog(),
      ledger: ledger(),
      meter: meterOf(() => {}),
      retention: DEFAULT_RETENTION,
      nowMs: () => nowMs,
    });
    held.set('lake.a.slow', 'hangs');
    const env = new MockActivityEnvironment();
    const tables = ['lake.a.slow'];
    const running = env.run(patient.sweepTables, { catalog: 'lake', tables, full: false });
    setTimeout(() => env.cancel('WORKER_SHUTDOWN'), 20);
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
    expect(saved).toEqual([]);
  });

  it('leaves the reports alone when the catalog is away', async () => {
    const tables = [put('x'), put('y')];
    await sweep(tables);
    away = new IcewrightError('CatalogUnavailable', 'nobody answers');
    await expect(sweep(tables, { attempt: 9 })).rejects.toMatchObject({
      type: 'CatalogUnavailable',
      nonRetryable: false,
    });
    expect(saved).toHaveLength(1);
  });

  it('asks again before it believes that all tables are broken', async () => {
    const tables = [breakTable('x', 'StorageUnavailable'), breakTable('y', 'StorageUnavailable')];
    await expect(sweep(tables)).rejects.toMatchObject({ type: 'CatalogUnavailable' });
    expect(await sweep(tables, { attempt: 3 })).toMatchObject({ failed: tables });
  });

  it('passes over a table that was dropped meanwhile; one that is still listed is broken', async () => {
    const tables = [put('x'), 'lake.a.dropped', breakTable('lost', 'TableNotFound')];
    expect(await sweep(tables)).toEqual({ measured: 1, unchanged: 0, failed: ['lake.a.lost'] });
  });
});

describe('closing a sweep', () => {
  it('forgets what is gone, fills the gauges, and names the worst first', async () => {
    const tables = [put('x'), put('y'), put('z', '1', { smallFiles: 2, dataFiles: 2 })];
    await sweep(tables);
    held.delete('lake.a.x');
    breakTable('y', 'InvariantBroken');
    await sweep(['lake.a.y']);
    const closed = await close();
    expect(closed).toMatchObject({ tables: 2, failing: 1 });
    expect(closed.worst[0]).toMatchObject({ table: 'lake.a.y', findings: ['unreadable'] });
    expect(swept.map((one) => one.table)).toEqual(['lake.a.y', 'lake.a.z']);
    const times = { startedAtMs: NOW_MS - 5, finishedAtMs: NOW_MS };
    expect(told).toEqual({ catalog: 'lake', ...times, intervalMs: 300_000 });
  });

  it('finds tables that share a location, and takes it back when they no longer do', async () => {
    const location = 's3://lake/a/x';
    const tables = [put('x'), put('y', '1', { location: `${location}/sub` }), put('x_2')];
    await sweep(tables);
    await close();
    const found = () =>
      swept.filter((one) => one.findings.some((two) => two.code === 'location_shared'));
    expect(found().map((one) => one.table)).toEqual(['lake.a.x', 'lake.a.y']);
    expect(found()[0]?.findings[0]?.message).toContain('lake.a.y');
    const writes = saved.length;
    await close();
    expect(saved).toHaveLength(writes);
    // A commit on x does not make the finding come and go.
    put('x', '2', { records: 9 });
    await sweep(tables);
    expect(saved.at(-1)?.[0]?.findings).toHaveLength(1);
    put('y', '2', { location: 's3://lake/a/y' });
    await sweep(tables);
    await close();
    expect(found()).toEqual([]);
  });

  it('lists names in pages', async () => {
    for (const name of ['b', 'a']) put(name);
    const list = (after: string | null) =>
      new MockActivityEnvironment().run(activities.listHealthTables, { catalog: 'lake', after });
    expect(await list(null)).toEqual({ tables: ['lake.a.a', 'lake.a.b'], more: false });
    expect(await list('lake.a.a')).toEqual({ tables: ['lake.a.b'], more: false });
  });
});
