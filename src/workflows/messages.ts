/** Every message that a workflow of ours takes or answers, with its payload. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type {
  Job,
  JobOutcome,
  JobQueue,
  QueueView,
  Requester,
  TransformOutcome,
} from '../domain/job.ts';
import type { Receipt, TablePlan } from '../domain/operation.ts';

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

/** `pending`: accepted and not ended yet; ask again, or watch `run/<runId>`. */
export type RunJobResult =
  | { readonly kind: 'ended'; readonly outcome: JobOutcome; readonly joined: boolean }
  | { readonly kind: 'pending'; readonly runId: string; readonly joined: boolean };

export interface RunJobInput {
  readonly job: Job;
  /** `false`: answer as soon as the job is in the queue. */
  readonly wait: boolean;
}

/** From a workflow or an activity: put a job into the queue, tell the requester when it ends. */
export const submitJobSignal = defineSignal<[SubmitInput]>('submitJob');

/** From a command: put a job into the queue and, when asked, wait for its end. */
export const runJobUpdate = defineUpdate<RunJobResult, [RunJobInput]>('runJob');

/** Takes one job out, waiting or running. Answers whether it was there. */
export const cancelJobUpdate = defineUpdate<boolean, [{ readonly runId: string }]>('cancelJob');

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
  readonly error: string | null;
}

/** What a night is doing at this moment. */
export interface NightlyProgress {
  readonly phase: 'planning' | 'transforming' | 'maintaining' | 'done';
  readonly models: readonly { readonly model: string; readonly state: ProgressState }[];
  readonly tables: readonly { readonly table: string; readonly state: ProgressState }[];
}

export type ProgressState = 'waiting' | 'running' | 'done' | 'noop' | 'skipped' | 'failed';

export const nightlyProgressQuery = defineQuery<NightlyProgress>('progress');

export type { TablePlan };
