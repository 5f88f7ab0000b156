/** The steps of a health sweep. Catalog, store and ledger are asked, never an engine. */
import { isDeepStrictEqual } from 'node:util';
import { CancelledFailure, Context } from '@temporalio/activity';
import { IcewrightError } from '../../domain/errors.ts';
import type { Finding, TableReport } from '../../domain/health/health.ts';
import { cutoffsAt, type HistoryRetention } from '../../domain/health/history.ts';
import { sharedLocations } from '../../domain/health/location.ts';
import { failedReport, reportOf, sameReport, worstFirst } from '../../domain/health/report.ts';
import { placesOf } from '../../domain/orphans/places.ts';
import { tableFromKey, tableKey } from '../../domain/table.ts';
import { log } from '../../log.ts';
import { mapAtOnce } from '../at-once.ts';
import { withFailures, withHeartbeats } from '../failure.ts';
import type { Ledger, StoredReport } from '../ledger-port.ts';
import type { Catalog, Meter } from '../ports.ts';
import type {
  ClosedSweep,
  CloseSweepInput,
  HealthActivities,
  SweepTablesInput,
  SweptTables,
  WorstTable,
} from '../types.ts';
import { createMeasurer, type Measurement, type Measurer } from './measuring.ts';
import { createReportCache, type ReportCache } from './report-cache.ts';

export interface HealthDeps {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly meter: Meter;
  readonly retention: HistoryRetention;
  readonly nowMs: () => number;
  /** Default: a minute for each table. */
  readonly tableLimitMs?: number;
}

/** Names in one answer: 200 KB of history. */
const PAGE_TABLES = 5_000;
/** Conditional requests at once: a catalog answers each within milliseconds. */
const TABLES_AT_ONCE = 16;
const WORST_MAX = 10;
const WORST_FINDINGS_MAX = 5;

interface Sweeping extends HealthDeps {
  readonly cache: ReportCache;
  readonly measurer: Measurer;
}

export function createHealthActivities(deps: HealthDeps): HealthActivities {
  const context: Sweeping = {
    ...deps,
    cache: createReportCache(deps.ledger),
    measurer: createMeasurer(deps.catalog, deps.tableLimitMs),
  };
  return {
    listHealthTables: withFailures(
      withHeartbeats(async ({ after }) => {
        const all = (await deps.catalog.listTables()).map(tableKey).sort();
        const rest = after === null ? all : all.filter((key) => key > after);
        return { tables: rest.slice(0, PAGE_TABLES), more: rest.length > PAGE_TABLES };
      }),
    ),
    sweepTables: withFailures(withHeartbeats((input) => sweepTables(context, input))),
    closeSweep: withFailures(withHeartbeats((input) => closeSweep(context, input))),
    rollUpHealth: withFailures(
      withHeartbeats(async (_input: { readonly catalog: string }) => {
        const cutoffs = cutoffsAt(deps.nowMs(), deps.retention);
        return { removed: await deps.ledger.rollUpHistory(cutoffs) };
      }),
    ),
  };
}

type Swept =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'measured' | 'failed'; readonly report: StoredReport };

async function sweepTables(
  { catalog, cache, measurer, nowMs }: Sweeping,
  input: SweepTablesInput,
): Promise<SweptTables> {
  const { cancelled, cancellationSignal, info } = Context.current();
  const known = await cache.refresh(input.catalog);
  const measuring = mapAtOnce(input.tables, TABLES_AT_ONCE, async (key) => {
    if (cancellationSignal.aborted) throw new CancelledFailure('the worker ends');
    const etag = input.full ? null : (known.get(key)?.etag ?? null);
    return measurer.measure(tableFromKey(key), etag, nowMs());
  });
  // A worker that drains does not wait for a table that hangs.
  const measured = await Promise.race([measuring, cancelled]);
  await refuseOutage(catalog, measured, info.attempt);
  const there = await namesStillListed(catalog, input.tables, measured);
  const swept = input.tables.flatMap((key, at): readonly Swept[] => {
    if (!there(key)) return [];
    return [sweptOf(key, measured[at] as Measurement, known.get(key) ?? null, nowMs())];
  });
  const changed = swept.flatMap((one) => (one.kind === 'unchanged' ? [] : [one.report]));
  const news = changed.flatMap((report) => newsOf(report, known.get(report.table)));
  await cache.save(input.catalog, news);
  const failed = swept.flatMap((one) => (one.kind === 'failed' ? [one.report.table] : []));
  const unchanged = swept.filter((one) => one.kind === 'unchanged').length;
  return { measured: swept.length - unchanged - failed.length, unchanged, failed };
}

function sweptOf(
  key: string,
  measurement: Measurement,
  known: StoredReport | null,
  atMs: number,
): Swept {
  if (!measurement.ok) {
    const report = failedReport(key, known, { ...measurement.failure, atMs });
    // Without a tag, the next sweep reads the table again also where its metadata is the same.
    return { kind: 'failed', report: { ...report, etag: null, ...whereKnown(known) } };
  }
  const { result } = measurement;
  if (!result.changed) return { kind: 'unchanged' };
  const { etag, health } = result;
  const carried = known?.location === health.location ? sharedOf(known) : [];
  const { location, properties } = health;
  const places = placesOf(location, properties);
  return { kind: 'measured', report: { ...reportOf(health, carried), etag, location, places } };
}

function whereKnown(known: StoredReport | null): Pick<StoredReport, 'location' | 'places'> {
  if (known === null) return { location: null };
  const { location, places } = known;
  return places === undefined ? { location } : { location, places };
}

/** What is to be written: nothing, where a report says what is known already. */
function newsOf(report: StoredReport, known: StoredReport | undefined): readonly StoredReport[] {
  if (known === undefined || !isDeepStrictEqual(whereKnown(known), whereKnown(report))) {
    return [report];
  }
  if (!sameReport(known, report)) return [report];
  if (known.etag === report.etag) return [];
  // Another tag for the same state: no new point of history.
  return [{ ...report, measuredAtMs: known.measuredAtMs }];
}

/**
 * When not one table of a batch answers, the catalog itself is asked: if it is away, that is no
 * finding of ten thousand tables. Rejects with its error, and the step is tried again; so it does
 * when the catalog is back, twice, before it believes that all these tables are broken.
 */
async function refuseOutage(
  catalog: Catalog,
  measured: readonly Measurement[],
  attempt: number,
): Promise<void> {
  const away = measured.flatMap((one) => (one.ok ? [] : [one.failure]));
  const [first] = away;
  if (first === undefined || away.length < measured.length) return;
  if (!away.every(({ code }) => OUTAGES.has(code))) return;
  await catalog.listTables();
  if (attempt > OUTAGE_ATTEMPTS) return;
  const message = `none of ${measured.length} tables could be measured: ${first.message}`;
  throw new IcewrightError('CatalogUnavailable', message);
}

const OUTAGE_ATTEMPTS = 2;
const OUTAGES: ReadonlySet<string> = new Set([
  'CatalogUnavailable',
  'CredentialsRejected',
  'StorageUnavailable',
]);

/** A table that is not found may have been dropped since it was listed: that is no failure. */
async function namesStillListed(
  catalog: Catalog,
  tables: readonly string[],
  measured: readonly Measurement[],
): Promise<(key: string) => boolean> {
  const missing = tables.filter((_key, at) => {
    const one = measured[at];
    return one?.ok === false && one.failure.code === 'TableNotFound';
  });
  if (missing.length === 0) return () => true;
  const listed = new Set((await catalog.listTables()).map(tableKey));
  return (key) => !missing.includes(key) || listed.has(key);
}

async function closeSweep(
  { catalog, cache, meter, nowMs }: Sweeping,
  { catalog: name, startedAtMs, intervalMs, ...which }: CloseSweepInput,
): Promise<ClosedSweep> {
  const listed = new Set((await catalog.listTables()).map(tableKey));
  const known = await cache.refresh(name);
  await cache.forget(
    name,
    [...known.keys()].filter((key) => !listed.has(key)),
  );
  const shared = sharedLocations([...known.values()]);
  const moved = [...known.values()].flatMap((report) => {
    const finding = shared.get(report.table);
    const [before] = sharedOf(report);
    if (before?.message === finding?.message) return [];
    const others = report.findings.filter((one) => one.code !== 'location_shared');
    return [{ ...report, findings: finding === undefined ? others : [...others, finding] }];
  });
  await cache.save(name, moved);
  const reports = [...known.values()];
  const finishedAtMs = nowMs();
  meter.healthSwept(reports, { catalog: name, startedAtMs, finishedAtMs, intervalMs });
  const summary = summaryOf(reports);
  const { worst: _worst, ...counts } = summary;
  log.info('health swept', {
    ...{ catalog: name, ...which, ...counts },
    tookMs: finishedAtMs - startedAtMs,
  });
  return summary;
}

function sharedOf(report: StoredReport): readonly Finding[] {
  return report.findings.filter((one) => one.code === 'location_shared');
}

function summaryOf(reports: readonly TableReport[]): ClosedSweep {
  const poor = reports.filter((one) => one.findings.length > 0 || (one.score?.value ?? 0) < 100);
  return {
    tables: reports.length,
    failing: reports.filter((one) => one.failure !== null).length,
    findings: reports.reduce((sum, one) => sum + one.findings.length, 0),
    worst: poor.sort(worstFirst).slice(0, WORST_MAX).map(worstOf),
  };
}

function worstOf({ table, score, findings }: TableReport): WorstTable {
  const codes = [...new Set(findings.map((one) => one.code))];
  return { table, score: score?.value ?? null, findings: codes.slice(0, WORST_FINDINGS_MAX) };
}
