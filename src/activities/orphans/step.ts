/** What the removal of orphans works on, and what it answers. */
import type { EngineName, EngineRunner } from '../../domain/engine.ts';
import type { RemoveOrphansOperation } from '../../domain/operation.ts';
import type { OrphanCounts } from '../../domain/orphans/operation.ts';
import type { Receipt } from '../../domain/receipt.ts';
import type { PlanningDeps } from '../planning/inputs.ts';
import type { Compiler } from '../ports.ts';
import type { TableFiles } from '../table-files.ts';

export interface OrphanDeps extends PlanningDeps {
  readonly files: TableFiles;
}

export interface OrphanEngines extends OrphanDeps {
  readonly engines: Readonly<Record<EngineName, { runner: EngineRunner; compiler: Compiler }>>;
}

export interface OrphanStep {
  readonly table: string;
  readonly runId: string;
  readonly ordinal: number;
  readonly engine: EngineName;
  readonly operation: RemoveOrphansOperation;
  /** Of the activity: statements of an earlier one are not taken over. */
  readonly attempt: number;
  /** Aborted when the run is cancelled or the worker stops. */
  readonly signal: AbortSignal;
  /** Which of the two it was. */
  readonly isCancelled: () => boolean;
}

/** What of a receipt the removal decides. */
export type OrphanResult = Pick<
  Receipt,
  'status' | 'error' | 'filesRemoved' | 'invariants' | 'engineOperationId'
> & { readonly orphans?: OrphanCounts };
