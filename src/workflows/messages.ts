/** Every message that a workflow of ours takes or answers, with its payload. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { WorstTable } from '../activities/types.ts';
import type { HealthClock } from '../domain/health/clock.ts';
import type {
  Job,
  JobOutcome,
  JobQueue,
  QueueView,
  Requester,
  TransformOutcome,
} from '../domain/job.ts';
import type { TablePlan } from '../domain/operation.ts';
import type { Receipt } from '../domain/receipt.ts';

export interface TableInput {
  /** `lake.bronze.raw_orders` */
  readonly table: string;
  /** Carried over continue-as-new; absent when the workflow starts for its first job. */
  readonly queue?: JobQueue;
}

export interface SubmitInput {
  readonly job: Job;
  readonly requester: Requester | null;
}

/** The run to watch: `run/<runId>`, the job's own or that of the equal job that it joined. */
export interface AcceptedJob {
  readonly runId: string;
  readonly joined: boolean;
}

/** From a workflow or an activity: put a job into the queue, tell the requester when it ends. */
export const submitJobSignal = defineSignal<[SubmitInput]>('submitJob');

/** From a command: put a job into the queue. Answered at once; the run tells its own end. */
export const requestJobUpdate = defineUpdate<AcceptedJob, [Job]>('requestJob');

/** `dropped`: it waited and is gone. `ending`: it runs; the run tells its own end. */
export type CancelAnswer = 'dropped' | 'ending' | 'absent';

/** Ends one job; answered at once. */
export const cancelJobUpdate = defineUpdate<CancelAnswer, [{ readonly runId: string }]>(
  'cancelJob',
);

/** A requester that is being cancelled takes back what it asked for. */
export const withdrawSignal = defineSignal<[{ readonly workflowId: string }]>('withdraw');

export const queueQuery = defineQuery<QueueView>('queue');

export interface JobEndedInput {
  readonly askedRunId: string;
  readonly outcome: JobOutcome;
}

/** To the requester: your job ended. */
export const jobEndedSignal = defineSignal<[JobEndedInput]>('jobEnded');

export interface JobInput {
  readonly table: string;
  readonly job: Job;
}

export interface NightlyInput {
  /** `null`: derived from the start of the workflow (scheduled runs). */
  readonly runId: string | null;
  readonly requestedBy: string;
  /** Model selection; empty: all models. */
  readonly models: readonly string[];
  readonly maintenance: boolean;
  /** Jobs of this night that may be under way at once. */
  readonly concurrency: number;
  /** A night that waits longer for a worker is left out; `null` or absent: none is. */
  readonly startWithinMs?: number | null;
}

export interface NightlyReport {
  readonly runId: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly models: readonly ModelReport[];
  readonly planId: string | null;
  readonly maintenance: readonly MaintenanceReport[];
  /** Names of models and tables that failed. */
  readonly failed: readonly string[];
}

export interface ModelReport extends TransformOutcome {
  readonly engine: string;
  readonly startedAt: string | null;
  readonly finishedAt: string | null;
  readonly engineOperationId: string | null;
  readonly reattached: boolean;
  readonly error: string | null;
}

export interface MaintenanceReport {
  readonly table: string;
  readonly planId: string;
  readonly operations: readonly Receipt[];
  /** `refused`: a safety rule kept something from being done; the night has not failed for it. */
  readonly state: JobOutcome['state'];
  readonly error: string | null;
}

/** What a night is doing at this moment. */
export interface NightlyProgress {
  readonly phase: 'planning' | 'transforming' | 'maintaining' | 'done';
  readonly models: readonly { readonly model: string; readonly state: ProgressState }[];
  readonly tables: readonly { readonly table: string; readonly state: ProgressState }[];
}

export type ProgressState =
  | 'waiting'
  | 'running'
  | 'done'
  | 'noop'
  | 'skipped'
  | 'refused'
  | 'failed';

export const nightlyProgressQuery = defineQuery<NightlyProgress>('progress');

export interface HealthInput {
  readonly catalog: string;
  /** As the worker's configuration has it, in milliseconds. */
  readonly intervalMs: number;
  /** Carried over continue-as-new. */
  readonly state?: HealthState;
}

export interface HealthState {
  readonly clock: HealthClock;
  /** The configuration's interval: one that a person set stays until the configuration changes. */
  readonly configuredMs: number;
  /** Sweeps begun. */
  readonly sweeps: number;
  /** Asked for by hand, and not begun. */
  readonly asked: boolean;
  /** When everything was last read anew. */
  readonly lastFullMs: number | null;
  /** When that was last begun, whatever became of it. */
  readonly fullTriedMs?: number;
  readonly last: SweepReport | null;
}

/** One sweep of a catalog. Counts are of tables. */
export interface SweepReport {
  /** Counts from 1 for each catalog. */
  readonly sweep: number;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The due time that it stands for; `null`: it was asked for by hand. */
  readonly dueAt: string | null;
  /** Due times before it that it made up for, because no worker served or a sweep took longer. */
  readonly missed: number;
  /** Everything was read anew, and totals were compared with manifests. */
  readonly full: boolean;
  readonly listed: number;
  readonly measured: number;
  readonly unchanged: number;
  readonly failed: number;
  /** Names of those that failed, at most ten. */
  readonly failing: readonly string[];
  readonly findings: number;
  /** At most ten. */
  readonly worst: readonly WorstTable[];
  /** Why parts of the sweep could not be done, at most ten; their tables keep their reports. */
  readonly errors: readonly string[];
}

/** What the sweeps of a catalog are at. */
export interface HealthStatus {
  readonly catalog: string;
  readonly intervalMs: number;
  readonly nextDueAt: string;
  readonly sweeping: boolean;
  readonly sweeps: number;
  /** Due times since the beginning that another sweep made up for. */
  readonly missed: number;
  readonly last: SweepReport | null;
}

/** From a worker that starts: the interval of its configuration. */
export const configureHealthSignal = defineSignal<[{ readonly intervalMs: number }]>('configure');

/** Ten seconds to a day; takes effect at once. */
export const setHealthIntervalUpdate = defineUpdate<
  HealthStatus,
  [{ readonly intervalMs: number }]
>('setHealthInterval');

/** A sweep now, beside the due ones. Answered at once with the number of the sweep to wait for. */
export const sweepNowUpdate = defineUpdate<{ readonly sweep: number }>('sweepNow');

/** The same from a workflow: a night that has ended. */
export const sweepSoonSignal = defineSignal('sweepSoon');

export const lastReportQuery = defineQuery<HealthStatus>('lastReport');

export type { TablePlan };

export interface ErasureInput {
  readonly requestId: string;
}

/** The ledger's row of the request has changed: look again. Carries nothing. */
export const erasureChangedSignal = defineSignal<[]>('erasureChanged');

export interface ErasureBatchInput {
  readonly batchId: string;
}
