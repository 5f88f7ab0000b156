/** The messages of the workflow that maintains the tables of a catalog unasked. */
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { HealthClock } from '../domain/health/clock.ts';
import type { JobError } from '../domain/job.ts';

export interface MaintenanceInput {
  readonly catalog: string;
  /** Carried over continue-as-new. */
  readonly state?: MaintenanceState;
}

export interface MaintenanceState {
  /** Sweeps begun, of all policies. */
  readonly sweeps: number;
  /** By name of the policy. */
  readonly policies: Readonly<Record<string, PolicyState>>;
  /** Names of policies of which a person asked for a sweep now. */
  readonly asked: readonly string[];
}

export interface PolicyState {
  readonly clock: HealthClock;
  /** Why nothing may begin at the moment; empty: something may. */
  readonly because: string;
  /** When its window opens; `null`: it is open, or never will. */
  readonly nextOpenMs: number | null;
  /** It waits for a person: paused, or its window never opens. */
  readonly never: boolean;
  /** The last sweep left more to do than one carries out. */
  readonly again: boolean;
  readonly last: MaintenanceSweepReport | null;
}

/** One sweep under one policy. Counts are of tables. */
export interface MaintenanceSweepReport {
  readonly sweep: number;
  /** Id of its plan, and the parent of its runs. */
  readonly sweepId: string;
  readonly policy: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  /** The due time that it stands for; `null`: asked for, or the rest of an earlier one. */
  readonly dueAt: string | null;
  /** Due times before it that it made up for. */
  readonly missed: number;
  readonly listed: number;
  readonly quiet: number;
  readonly planned: number;
  /** With something to do. */
  readonly due: number;
  readonly selected: number;
  readonly done: number;
  /** Tables with something to do that were left, by the reason: `budget_bytes`, `window`, … */
  readonly left: Readonly<Record<string, number>>;
  /** Names of tables that could not be planned, or whose run failed; at most ten. */
  readonly failing: readonly string[];
  readonly failed: number;
  /** By this sweep, from its receipts. */
  readonly spent: SweepCost;
  /** In this window before it. */
  readonly spentBefore: SweepCost;
  readonly budget: { readonly [Key in keyof SweepCost]: number | null };
  /** Why parts of the sweep could not be done, at most ten. */
  readonly errors: readonly string[];
}

export interface SweepCost {
  readonly bytes: number;
  readonly engineSeconds: number;
  readonly tables: number;
}

export interface MaintenanceStatus {
  readonly catalog: string;
  /** What it is doing at this moment; `null`: it waits. */
  readonly now: {
    readonly policy: string;
    readonly phase: 'looking' | 'choosing' | 'running';
    readonly selected: number;
    readonly ended: number;
  } | null;
  readonly sweeps: number;
  /** Policies of which a sweep was asked for and has not begun; `*`: each. */
  readonly asked: readonly string[];
  /** Why the policies could not be read the last time; what was asked for was dropped. */
  readonly unreadable: JobError | null;
  readonly policies: readonly {
    readonly policy: string;
    readonly everyMs: number;
    readonly nextAt: string | null;
    readonly because: string;
    readonly last: MaintenanceSweepReport | null;
  }[];
}

/** From a worker that starts, or a command: policies may have changed, look at once which there are. */
export const reloadSweepsSignal = defineSignal('reload');

/** `null`: all policies. Passes over window and pause, not over the budget. Answered at once. */
export const maintainNowUpdate = defineUpdate<
  { readonly sweep: number },
  [{ readonly policy: string | null }]
>('maintainNow');

export const maintenanceStatusQuery = defineQuery<MaintenanceStatus>('sweepStatus');
