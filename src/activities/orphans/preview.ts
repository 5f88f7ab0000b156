/** What a removal of orphans would look at and take: one look, no engine, nothing written. */
import { IcewrightError } from '../../domain/errors.ts';
import type { HandRequest } from '../../domain/hand-request.ts';
import type { StoredFile } from '../../domain/orphans/files.ts';
import { totalBytes } from '../../domain/orphans/look.ts';
import type { OrphanCounts } from '../../domain/orphans/operation.ts';
import { askedOrphans } from '../../domain/planner/proposals/orphans.ts';
import { effectivePolicy } from '../../domain/policy/effective.ts';
import { tableFromKey } from '../../domain/table.ts';
import { takeLook } from './look.ts';
import { ageOf, countsOf, refuseWithoutExpiry } from './remove.ts';
import type { OrphanDeps } from './step.ts';

export interface OrphanPreview {
  readonly counts: OrphanCounts;
  readonly candidates: readonly StoredFile[];
  readonly bytes: number;
  readonly maxFiles: number;
  /** Why nothing would be removed; `null`: the candidates would be. */
  readonly refused: string | null;
}

/** Rejects with `TableNotFound`, `UsageInvalid`, and what does not answer. */
export async function previewOrphans(
  deps: OrphanDeps,
  key: string,
  request: Extract<HandRequest, { kind: 'remove_orphans' }>,
): Promise<OrphanPreview> {
  const table = tableFromKey(key);
  const health = await deps.catalog.measureTable(table, {
    nowMs: deps.nowMs(),
    depth: 'metadata',
  });
  const policy = effectivePolicy(await deps.project.policies(), table, health.properties);
  const operation = askedOrphans(request, policy, health);
  const { maxFiles } = operation;
  const age = await ageOf(deps, { table: key, operation });
  try {
    await refuseWithoutExpiry(deps, table);
    const look = await takeLook(deps, table, age.ageMs);
    const { candidates } = look;
    const counts = countsOf(look, age, { agreed: 0, note: null, gone: [] });
    const over = candidates.length > maxFiles;
    const refused = over ? `${candidates.length} candidates are more than ${maxFiles}` : null;
    return { counts, candidates, bytes: totalBytes(candidates), maxFiles, refused };
  } catch (error) {
    if (!(error instanceof IcewrightError) || error.code !== 'SafetyRefused') throw error;
    const counts: OrphanCounts = {
      ...{ listed: 0, reachable: 0, young: 0, unknownAge: 0, candidates: 0, agreed: 0 },
      ...{ bytesFreed: 0, olderThanMs: age.ageMs, olderThanBecause: age.because, note: null },
    };
    return { counts, candidates: [], bytes: 0, maxFiles, refused: error.message };
  }
}
