/** What one batch has done to one table so far: kept in the ledger from step to step. */
import type { CountOracle, SourceErasure } from '../../domain/erasure/certificate.ts';
import type { CountBase } from '../../domain/erasure/count-oracle.ts';
import type { TableStep } from '../../domain/erasure/table-steps.ts';
import type { ErasureDeps } from './deps.ts';

/** No personal data: counts, ids, sums of hashes. */
export interface TableProgress {
  readonly tableUuid: string;
  readonly formatVersion: number;
  readonly snapshotBefore: string | null;
  readonly snapshotAfter: string | null;
  /** The head that our last step left. */
  readonly head: string | null;
  readonly oracle: CountOracle;
  /** Where what the erasure does is counted from; absent: nothing has been counted yet. */
  readonly base?: CountBase;
  /** Commits of ours may have come after `base`. */
  readonly unproven?: boolean;
  /** Why what was done can never be proven; this batch goes no further in this table. */
  readonly doubt?: string;
  /** Rows of the subjects in the head when it was surveyed. */
  readonly toDelete?: number;
  /** Rows that were deleted, also by earlier tries. */
  readonly matched: number;
  readonly bytesRewritten: number;
  readonly snapshotsExpired: number;
  readonly refs: readonly { readonly name: string; readonly type: 'branch' | 'tag' }[];
  /** Heads that an erasure left when it had counted: what descends from them holds nobody. */
  readonly clean?: readonly string[];
  /** A table property that is changed for the length of a step; absent: none is. */
  readonly restoring?: { readonly manifestTarget: string | null };
}

export async function readProgress(
  deps: Pick<ErasureDeps, 'erasures'>,
  batchId: string,
  table: string,
): Promise<TableProgress | null> {
  const works = await deps.erasures.listTableWork(batchId);
  const work = works.find((one) => one.table === table);
  return (work?.document as TableProgress | undefined) ?? null;
}

export async function saveProgress(
  deps: Pick<ErasureDeps, 'erasures'>,
  where: { readonly batchId: string; readonly table: string; readonly step: TableStep },
  progress: TableProgress,
): Promise<void> {
  const { batchId, table, step } = where;
  await deps.erasures.saveTableWork({ batchId, table, step, document: { ...progress } });
}

const SOURCES = 'sources';

/** What was removed at the sources, once for the batch. */
export async function readSources(
  deps: Pick<ErasureDeps, 'erasures'>,
  batchId: string,
): Promise<readonly SourceErasure[]> {
  const works = await deps.erasures.listTableWork(batchId);
  const work = works.find((one) => one.table === SOURCES);
  return (work?.document.sources as readonly SourceErasure[] | undefined) ?? [];
}

export async function saveSources(
  deps: Pick<ErasureDeps, 'erasures'>,
  batchId: string,
  sources: readonly SourceErasure[],
): Promise<void> {
  await deps.erasures.saveTableWork({
    batchId,
    table: SOURCES,
    step: 'forgotten',
    document: { sources },
  });
}
