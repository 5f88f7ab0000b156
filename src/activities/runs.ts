/** The bookkeeping of runs: opened, queued, closed; and jobs put into tables' queues. */
import { IcewrightError } from '../domain/errors.ts';
import type { HandRequest } from '../domain/hand-request.ts';
import { sessionOf } from '../domain/ids.ts';
import type { Job } from '../domain/job.ts';
import type { Decision, TablePlan } from '../domain/operation.ts';
import { refusalOf } from '../domain/planner/hand-plan.ts';
import { NOTHING_DONE, type Receipt } from '../domain/receipt.ts';
import { withFailures } from './failure.ts';
import type { Ledger, RunRow } from './ledger-port.ts';
import type { PlanningDeps } from './planning/inputs.ts';
import { planHandRequest, readTablePlan, storePlan, tableOf } from './planning/planning.ts';
import type { Jobs, Meter } from './ports.ts';
import type { ControlActivities, OpenedRun, OpenRunInput } from './types.ts';

export interface RunDeps extends PlanningDeps {
  readonly jobs: Jobs;
  readonly meter: Meter;
}

type RunActivities = Pick<
  ControlActivities,
  | 'submitTableJob'
  | 'readOutcome'
  | 'openRun'
  | 'recordQueued'
  | 'closeRun'
  | 'openNight'
  | 'closeNight'
>;

export function createRunActivities(deps: RunDeps): RunActivities {
  const { ledger, jobs, meter } = deps;
  const now = () => new Date(deps.nowMs()).toISOString();
  return {
    submitTableJob: withFailures(({ table, job, requester }) => jobs.submit(table, job, requester)),
    readOutcome: withFailures(
      async (runId: string) => (await ledger.readRun(runId))?.outcome ?? null,
    ),
    openRun: withFailures((input) => openRun(deps, input)),
    recordQueued: withFailures((input) => ledger.saveRun(rowOf(input, 'queued', now()))),
    closeRun: withFailures(async (input) => {
      const { outcome } = input;
      const earlier = await ledger.readRun(outcome.runId);
      // The run's own end stands; what its table's workflow concludes from a lost run does not.
      if (earlier?.outcome != null) return;
      await ledger.saveRun({
        ...(earlier ?? rowOf(input, outcome.state, now())),
        state: outcome.state,
        planId: outcome.planId ?? earlier?.planId ?? null,
        finishedAt: now(),
        error: outcome.error,
        outcome,
      });
      if (input.job.work.kind === 'transform') await ledger.unpinSnapshots(outcome.runId);
      meter.runEnded(kindOf(input.job), outcome.state);
    }),
    openNight: withFailures(({ runId, workflowId, kind, requestedBy }) =>
      ledger.saveRun({
        ...emptyRow(runId, now()),
        kind,
        title: kind === 'nightly' ? 'nightly' : 'transform run',
        workflowId,
        requestedBy,
        state: 'running',
        startedAt: now(),
      }),
    ),
    closeNight: withFailures(async ({ runId, state, message }) => {
      const row = await ledger.readRun(runId);
      if (row === null) return;
      const error = message === null ? null : { code: 'Internal', message };
      await ledger.saveRun({ ...row, state, finishedAt: now(), error });
      meter.runEnded(row.kind, state);
    }),
  };
}

/** Plans (or takes the stored plan) under the table's lock, and says what there is to walk. */
async function openRun(deps: RunDeps, input: OpenRunInput): Promise<OpenedRun> {
  const { table, job } = input;
  const { work } = job;
  const startedAt = new Date(deps.nowMs()).toISOString();
  const planId = work.kind === 'apply_plan' ? work.planId : job.runId;
  await refuseBesideAnother(deps, input);
  const [plan] = await Promise.all([
    work.kind === 'by_hand'
      ? planAndStore(deps, { planId, table, request: work.request })
      : readTablePlan(deps.ledger, planId, table),
    deps.ledger.saveRun({ ...rowOf(input, 'running', startedAt), planId, startedAt }),
  ]);
  const steps = plan.decisions.flatMap(({ action, engine, kind, operation }, ordinal) =>
    action === 'run' && engine !== null && operation !== null
      ? [{ ordinal, kind, engine, session: sessionOf(operation) }]
      : [],
  );
  // By policy, a refusal is a decision like a skip; by hand, it is the answer.
  const refused = plan.decisions
    .filter((decision) => work.kind === 'by_hand' && decision.action === 'refuse')
    .map((decision) => refusedReceipt(decision, startedAt));
  return { planId, steps, refused };
}

/**
 * The table's workflow runs one job at a time. When an operator terminates it, its run is asked to
 * end but takes a moment, and the next workflow of the table knows nothing of it.
 */
export async function refuseBesideAnother(
  deps: { readonly ledger: Ledger; readonly jobs: Jobs },
  { table, job }: OpenRunInput,
): Promise<void> {
  for (const { runId, workflowId } of await deps.ledger.runningRuns(table)) {
    if (runId === job.runId || !(await deps.jobs.isRunning(workflowId))) continue;
    const message = `run ${runId} of ${table} has not ended yet: wait for it, or try again later`;
    throw new IcewrightError('TableBusy', message, { table, runId });
  }
}

async function planAndStore(
  deps: RunDeps,
  input: { readonly planId: string; readonly table: string; readonly request: HandRequest },
): Promise<TablePlan> {
  const { planId, table, request } = input;
  const planned = await planHandRequest(deps, table, request);
  const nowMs = deps.nowMs();
  const plan = await storePlan(deps.ledger, { planId, nowMs, tables: [planned] });
  return tableOf(plan, table);
}

function refusedReceipt(decision: Decision, at: string): Receipt {
  return {
    operation: decision.kind,
    engine: decision.engine ?? 'spark',
    status: 'refused',
    startedAt: at,
    finishedAt: at,
    snapshotBefore: null,
    snapshotAfter: null,
    filesBefore: decision.estimate?.filesBefore ?? 0,
    filesAfter: decision.estimate?.filesBefore ?? 0,
    bytesBefore: 0,
    bytesAfter: 0,
    snapshotsBefore: 0,
    snapshotsAfter: 0,
    ...NOTHING_DONE,
    error: refusalOf(decision),
  };
}

/** The row of a run as it stands when nothing but its request is known. */
export function rowOf(input: OpenRunInput, state: RunRow['state'], at: string): RunRow {
  const { table, job, workflowId } = input;
  return {
    ...emptyRow(job.runId, at),
    kind: kindOf(job),
    table,
    title: job.title,
    parentRunId: job.parentRunId,
    workflowId,
    requestedBy: job.requestedBy,
    state,
  };
}

function emptyRow(runId: string, createdAt: string): RunRow {
  return {
    runId,
    kind: 'nightly',
    table: null,
    title: '',
    parentRunId: null,
    workflowId: '',
    planId: null,
    state: 'queued',
    requestedBy: '',
    createdAt,
    startedAt: null,
    finishedAt: null,
    error: null,
    outcome: null,
  };
}

function kindOf(job: Job): RunRow['kind'] {
  return job.work.kind === 'transform' ? 'transform' : 'maintenance';
}
