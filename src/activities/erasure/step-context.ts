/** What a step of an erasure works on, and what it answers. */
import { type ErasureRequest, keepsFiles } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { tableFromKey } from '../../domain/table.ts';
import type { StartedOperation } from '../ledger-port.ts';
import type { ErasureDeps, ErasureTarget } from './deps.ts';
import { obstaclesOf } from './obstacles.ts';
import type { TableStepInput } from './types.ts';
import type { TableProgress } from './work.ts';

export interface StepContext extends TableStepInput {
  readonly deps: ErasureDeps;
  readonly target: ErasureTarget;
  readonly requests: readonly ErasureRequest[];
  readonly started: StartedOperation;
  /** At the beginning of this attempt. */
  readonly health: TableHealth;
}

export interface StepResult {
  readonly progress: TableProgress;
  readonly receipt: Partial<Receipt> & Pick<Receipt, 'status'>;
}

export function measureTable(deps: ErasureDeps, table: string): Promise<TableHealth> {
  const options = { nowMs: deps.nowMs(), depth: 'metadata' } as const;
  return deps.catalog.measureTable(tableFromKey(table), options);
}

/**
 * Asked before the first change to a table and again before its files go: rejects with
 * `SafetyRefused` for what forbids it and nobody has taken on themselves.
 */
export async function refuseObstacles(context: StepContext): Promise<void> {
  const { deps, table, health } = context;
  const obstacles = await obstaclesOf(deps, health);
  const first = obstacles.find(({ kind }) => !isExcepted(context, kind));
  if (first === undefined) return;
  const message = `${first.kind} of ${table}: ${first.because}; ${first.remedy}`;
  throw new IcewrightError('SafetyRefused', message, { table, kind: first.kind });
}

/**
 * Somebody has said, and why, that what this table's snapshots and versions keep stays: its rows
 * go, its old files do not.
 */
export function keepsOldFiles(context: StepContext): boolean {
  return isExcepted(context, null);
}

function isExcepted({ requests, table }: StepContext, wanted: string | null): boolean {
  return requests
    .flatMap(({ blockers }) => blockers)
    .some(
      ({ table: of, kind, exception }) =>
        of === table &&
        exception !== null &&
        keepsFiles(kind) &&
        (wanted === null || kind === wanted),
    );
}
