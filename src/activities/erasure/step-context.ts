/** What a step of an erasure works on, and what it answers. */
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { tableFromKey } from '../../domain/table.ts';
import type { StartedOperation } from '../ledger-port.ts';
import type { ErasureDeps, ErasureTarget } from './deps.ts';
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
