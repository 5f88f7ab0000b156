/** Statements on runs. */
import type { RunFilter, RunRow } from '../activities/ledger-port.ts';
import { jsonText, type Queryable } from './connection.ts';

/** A run as the driver gives it: times as `Date`. */
interface RawRun {
  readonly run_id: string;
  readonly kind: RunRow['kind'];
  readonly table_key: string | null;
  readonly title: string;
  readonly parent_run_id: string | null;
  readonly workflow_id: string;
  readonly plan_id: string | null;
  readonly state: RunRow['state'];
  readonly requested_by: string;
  readonly created_at: Date;
  readonly started_at: Date | null;
  readonly finished_at: Date | null;
  readonly error: RunRow['error'];
  readonly outcome: RunRow['outcome'];
}

const COLUMNS = `run_id, kind, table_key, title, parent_run_id, workflow_id, plan_id, state,
  requested_by, created_at, started_at, finished_at, error, outcome`;

/**
 * Who asked, when and for what stays as first written; state, times, plan and error move on. A step
 * that is repeated late never brings an ended run back to life.
 */
export async function upsertRun(db: Queryable, run: RunRow): Promise<void> {
  await db.query(
    `insert into icewright.run as old (${COLUMNS})
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
     on conflict (run_id) do update set
       plan_id = coalesce(excluded.plan_id, old.plan_id),
       state = excluded.state,
       started_at = coalesce(old.started_at, excluded.started_at),
       finished_at = coalesce(excluded.finished_at, old.finished_at),
       error = excluded.error,
       outcome = coalesce(excluded.outcome, old.outcome)
     where old.state in ('queued', 'running')
        or excluded.state in ('done', 'failed', 'refused', 'cancelled')`,
    [
      run.runId,
      run.kind,
      run.table,
      run.title,
      run.parentRunId,
      run.workflowId,
      run.planId,
      run.state,
      run.requestedBy,
      run.createdAt,
      run.startedAt,
      run.finishedAt,
      toJson(run.error),
      toJson(run.outcome),
    ],
  );
}

export async function selectRun(db: Queryable, runId: string): Promise<RunRow | null> {
  const { rows } = await db.query(`select ${COLUMNS} from icewright.run where run_id = $1`, [
    runId,
  ]);
  const row = (rows as RawRun[])[0];
  return row === undefined ? null : runOf(row);
}

/** Newest first; a filter that is left out matches every run. */
export async function selectRuns(db: Queryable, filter: RunFilter): Promise<readonly RunRow[]> {
  const { rows } = await db.query(
    `select ${COLUMNS} from icewright.run
     where ($1::text is null or table_key = $1)
       and ($2::text is null or kind = $2)
       and ($3::text is null or parent_run_id = $3)
       and ($4::text[] is null or state = any($4))
     order by created_at desc, run_id desc
     limit $5`,
    [
      filter.table ?? null,
      filter.kind ?? null,
      filter.parentRunId ?? null,
      filter.states ?? null,
      filter.limit,
    ],
  );
  return (rows as RawRun[]).map(runOf);
}

/** Runs of a table that have begun and not told their end. */
export async function selectRunning(
  db: Queryable,
  table: string,
): Promise<readonly { readonly runId: string; readonly workflowId: string }[]> {
  const { rows } = await db.query(
    `select run_id, workflow_id from icewright.run where table_key = $1 and state = 'running'`,
    [table],
  );
  const found = rows as { run_id: string; workflow_id: string }[];
  return found.map((row) => ({ runId: row.run_id, workflowId: row.workflow_id }));
}

function runOf(row: RawRun): RunRow {
  return {
    runId: row.run_id,
    kind: row.kind,
    table: row.table_key,
    title: row.title,
    parentRunId: row.parent_run_id,
    workflowId: row.workflow_id,
    planId: row.plan_id,
    state: row.state,
    requestedBy: row.requested_by,
    createdAt: row.created_at.toISOString(),
    startedAt: row.started_at?.toISOString() ?? null,
    finishedAt: row.finished_at?.toISOString() ?? null,
    error: row.error,
    outcome: row.outcome,
  };
}

function toJson(value: unknown): string | null {
  return value === null ? null : jsonText(value);
}
