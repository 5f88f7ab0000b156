/** The steps of a maintenance sweep as its workflow sees them. Types only. */
import type { SelectedTable } from '../../domain/planner/selected-tables.ts';

/** A sweep policy as it stands now. */
export interface SweepTurn {
  readonly policy: string;
  readonly everyMs: number;
  readonly paused: boolean;
  /**
   * The window that is open; `null`: none is. Without a window, since the beginning of the UTC day
   * whose budget counts, and `untilMs` is `null`: nothing closes.
   */
  readonly open: { readonly sinceMs: number; readonly untilMs: number | null } | null;
  /** When the next one opens; `null`: one is open, or none ever will. */
  readonly nextOpenMs: number | null;
  /** Why nothing may begin; empty: it may. */
  readonly because: string;
}

export interface SweepPage {
  readonly tables: readonly string[];
  readonly more: boolean;
}

export interface PlanSweepInput {
  readonly catalog: string;
  readonly policy: string;
  readonly sweepId: string;
  readonly tables: readonly string[];
}

/** Counts of tables. */
export interface SweptPlans {
  /** As they were when nothing was to be done: not planned again. */
  readonly quiet: number;
  readonly planned: number;
  /** With something to do. */
  readonly due: number;
  /** Another sweep's, or gone since they were listed. */
  readonly elsewhere: number;
  /** Names of those that could not be planned. */
  readonly failed: readonly string[];
}

export interface SelectSweepInput {
  readonly catalog: string;
  readonly policy: string;
  readonly sweepId: string;
  /** Beginning of the window whose budget counts. */
  readonly sinceMs: number;
  /** When what does not fit may come again; `null`: at the next sweep. */
  readonly nextMs: number | null;
}

export interface SelectedSweep {
  /** Best first. */
  readonly tables: readonly SelectedTable[];
  /** Tables that had something to do, and got none of it, by the metric of the reason. */
  readonly left: Readonly<Record<string, number>>;
  /** More than one sweep carries out were chosen: sweep again at once. */
  readonly more: boolean;
  /** `null`: no limit. */
  readonly remaining: { readonly bytes: number | null; readonly engineSeconds: number | null };
  /** In this window before this sweep. */
  readonly spent: {
    readonly bytes: number;
    readonly engineSeconds: number;
    readonly tables: number;
  };
  readonly budget: {
    readonly bytes: number | null;
    readonly engineSeconds: number | null;
    readonly tables: number | null;
    readonly concurrency: number;
  };
}

export interface SweepActivities {
  /** The sweep policies that are written now. `lastTurns`: when each last had its turn. */
  readSweeps(input: {
    readonly catalog: string;
    readonly lastTurns: Readonly<Record<string, number>>;
  }): Promise<readonly SweepTurn[]>;
  /** Names behind `after` that the policy may speak of, in order. */
  listSweepTables(input: {
    readonly catalog: string;
    readonly policy: string;
    readonly after: string | null;
  }): Promise<SweepPage>;
  /** Looks at tables and plans those that changed; what is due waits in the ledger. */
  planSweep(input: PlanSweepInput): Promise<SweptPlans>;
  /** Chooses among what is due, and stores the plan under the sweep's id. */
  selectSweep(input: SelectSweepInput): Promise<SelectedSweep>;
  /** Forgets what was only needed to choose; `done`: tables that wait for nothing any more. */
  endSweep(input: { readonly sweepId: string; readonly done?: readonly string[] }): Promise<void>;
}
