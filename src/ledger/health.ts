/** Statements on reports of tables and their history. */
import type { HealthPoint, ReportsSince, StoredReport } from '../activities/ledger-port.ts';
import type { TableReport } from '../domain/health/health.ts';
import { type HistoryCutoffs, smallBytesOf } from '../domain/health/history.ts';
import { jsonText, type Queryable } from './connection.ts';

/** Rows of one statement of the roll-up: well under a second. */
const ROLL_UP_ROWS = 20_000;

interface RawReport {
  readonly etag: string | null;
  readonly location: string | null;
  readonly document: TableReport;
  readonly mark: string;
}

/**
 * Reports written since `mark`, or all. The new mark is the oldest transaction that was still under
 * way: what it writes is read again next time, so nothing is ever missed.
 */
export async function selectReports(
  db: Queryable,
  catalog: string,
  mark: string | null,
): Promise<ReportsSince> {
  const { rows } = await db.query(
    `select report.etag, report.location, report.document, now.mark::text as mark
     from (select pg_snapshot_xmin(pg_current_snapshot()) as mark) as now
     left join icewright.table_report as report
       on report.catalog = $1 and ($2::text is null or report.written_by >= $2::text::xid8)
     order by report.table_key`,
    [catalog, mark],
  );
  const found = rows as (RawReport & { readonly document: TableReport | null })[];
  return {
    mark: found[0]?.mark ?? '0',
    reports: found.flatMap(({ etag, location, document }) =>
      document === null ? [] : [{ ...document, etag, location }],
    ),
  };
}

/** All in one statement; an older report never replaces a newer one. */
export async function upsertReports(
  db: Queryable,
  reports: readonly StoredReport[],
): Promise<void> {
  if (reports.length === 0) return;
  await db.query(
    `with given as (
       select * from jsonb_to_recordset($1::jsonb) as given (
         table_key text, catalog text, etag text, location text, at timestamptz, document jsonb,
         measured boolean, data_files bigint, small_files bigint, total_bytes bigint,
         snapshots bigint, delete_files bigint, score double precision, small_bytes bigint,
         manifests bigint, delete_ratio double precision, backlog_files bigint)
     ), saved as (
       insert into icewright.table_report as old
         (table_key, catalog, etag, location, measured_at, document)
       select table_key, catalog, etag, location, at, document from given
       on conflict (table_key) do update set
         catalog = excluded.catalog,
         etag = excluded.etag,
         location = excluded.location,
         measured_at = excluded.measured_at,
         document = excluded.document,
         written_by = pg_current_xact_id()
       where old.measured_at <= excluded.measured_at
     )
     insert into icewright.health_point
       (table_key, at, data_files, small_files, total_bytes, snapshots, delete_files, score,
        small_bytes, manifests, delete_ratio, backlog_files)
     select table_key, at, data_files, small_files, total_bytes, snapshots, delete_files, score,
       small_bytes, manifests, delete_ratio, backlog_files
     from given where measured
     on conflict (table_key, at) do update set score = excluded.score`,
    [jsonText(reports.map(rowOf))],
  );
}

function rowOf({ etag, location, ...document }: StoredReport) {
  const { table, measuredAtMs, figures, failure, score } = document;
  return {
    table_key: table,
    catalog: table.split('.')[0],
    etag,
    location,
    at: new Date(measuredAtMs).toISOString(),
    document,
    // A table that cannot be read has no new figures: its line goes on as it was.
    measured: figures !== null && failure === null,
    data_files: figures?.dataFiles,
    small_files: figures?.smallFiles,
    total_bytes: figures?.totalBytes,
    snapshots: figures?.snapshots,
    delete_files: figures?.deleteFiles,
    score: score?.value,
    small_bytes: figures === null ? null : smallBytesOf(figures),
    manifests: figures?.manifests,
    delete_ratio: figures?.deleteRatio,
    backlog_files: figures?.detail?.backlogFiles,
  };
}

/** Their history stays until it is pruned. */
export async function deleteReports(
  db: Queryable,
  catalog: string,
  tables: readonly string[],
): Promise<void> {
  if (tables.length === 0) return;
  await db.query(
    'delete from icewright.table_report where catalog = $1 and table_key = any($2::text[])',
    [catalog, tables],
  );
}

interface RawPoint {
  readonly table_key: string;
  readonly at: Date;
  readonly data_files: string;
  readonly small_files: string | null;
  readonly total_bytes: string;
  readonly snapshots: string;
  readonly delete_files: string;
  readonly score: number | null;
  readonly small_bytes: string | null;
  readonly manifests: string | null;
  readonly delete_ratio: number | null;
  readonly backlog_files: string | null;
}

/** Table → its points, oldest first; the first may lie before `sinceMs`: it held at that time. */
export async function selectHistories(
  db: Queryable,
  tables: readonly string[],
  sinceMs: number,
): Promise<ReadonlyMap<string, readonly HealthPoint[]>> {
  const { rows } = await db.query(
    `select point.* from unnest($1::text[]) as asked (table_key)
     cross join lateral (
       select * from icewright.health_point as point
       where point.table_key = asked.table_key and point.at >= coalesce(
         (select max(at) from icewright.health_point as before
          where before.table_key = asked.table_key and before.at < $2), '-infinity')
     ) as point
     order by point.table_key, point.at`,
    [tables, new Date(sinceMs).toISOString()],
  );
  const found = new Map<string, HealthPoint[]>();
  for (const row of rows as RawPoint[]) {
    const points = found.get(row.table_key) ?? [];
    points.push(pointOf(row));
    found.set(row.table_key, points);
  }
  return found;
}

function pointOf(row: RawPoint): HealthPoint {
  return {
    atMs: row.at.getTime(),
    dataFiles: Number(row.data_files),
    smallFiles: numberOf(row.small_files),
    totalBytes: Number(row.total_bytes),
    snapshots: Number(row.snapshots),
    deleteFiles: Number(row.delete_files),
    score: row.score,
    smallBytes: numberOf(row.small_bytes),
    manifests: numberOf(row.manifests),
    deleteRatio: row.delete_ratio,
    backlogFiles: numberOf(row.backlog_files),
  };
}

/** The driver gives bigint as text. */
function numberOf(text: string | null): number | null {
  return text === null ? null : Number(text);
}

/**
 * Thins the history out: the last point of each hour, later of each day, and at last nothing but
 * the newest point of a table that is still there. Answers how many points are gone.
 */
export async function rollUpHistory(db: Queryable, cutoffs: HistoryCutoffs): Promise<number> {
  const hours = await rollUp(db, { grain: 0, part: 'hour', beforeMs: cutoffs.rawBeforeMs });
  const days = await rollUp(db, { grain: 1, part: 'day', beforeMs: cutoffs.hourlyBeforeMs });
  const { rows } = await db.query(
    `with gone as (
       delete from icewright.health_point as point
       where point.grain = 2 and point.at < $1
         and (exists (select from icewright.health_point as later
                      where later.table_key = point.table_key and later.at > point.at)
           or not exists (select from icewright.table_report as report
                          where report.table_key = point.table_key))
       returning 1
     ) select count(*)::int as gone from gone`,
    [new Date(cutoffs.dailyBeforeMs).toISOString()],
  );
  return hours + days + ((rows as { gone: number }[])[0]?.gone ?? 0);
}

/** In portions, each a statement of its own: an interrupted roll-up goes on where it stopped. */
async function rollUp(
  db: Queryable,
  step: { readonly grain: 0 | 1; readonly part: 'hour' | 'day'; readonly beforeMs: number },
): Promise<number> {
  let removed = 0;
  for (;;) {
    const { rows } = await db.query(
      `with old as (
         select point.table_key, point.at, exists (
           select from icewright.health_point as later
           where later.table_key = point.table_key and later.at > point.at
             and later.at < date_trunc($3, point.at, 'UTC') + ('1 ' || $3)::interval) as passed
         from icewright.health_point as point
         where point.grain = $1 and point.at < $2
         order by point.at limit $4
       ), gone as (
         delete from icewright.health_point as point using old
         where old.passed and point.table_key = old.table_key and point.at = old.at
         returning 1
       ), kept as (
         update icewright.health_point as point set grain = $1 + 1 from old
         where not old.passed and point.table_key = old.table_key and point.at = old.at
         returning 1
       ) select (select count(*)::int from gone) as gone, (select count(*)::int from kept) as kept`,
      [step.grain, new Date(step.beforeMs).toISOString(), step.part, ROLL_UP_ROWS],
    );
    const { gone, kept } = (rows as { gone: number; kept: number }[])[0] ?? { gone: 0, kept: 0 };
    removed += gone;
    if (gone + kept < ROLL_UP_ROWS) return removed;
  }
}
