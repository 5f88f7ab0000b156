/** Refs beside main that still reach files which are to go. */
import { type Blocker, type ErasureRequest, isRefKind } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { tableFromKey } from '../../domain/table.ts';
import { measureIfThere } from '../planning/inputs.ts';
import { act, isGivenUp, requestsOf } from './batches.ts';
import { refBlocker } from './blockers.ts';
import { type ErasureDeps, subjectOf } from './deps.ts';
import { lookAgain } from './find.ts';
import { ingestionsUnderWay, suppressAll } from './sources.ts';
import { readProgress, type TableProgress } from './work.ts';

/** Rejects while what was read at a source before it forgot may still be written. */
export async function lookAgainAll(deps: ErasureDeps, batchId: string): Promise<void> {
  const busy = await ingestionsUnderWay(deps);
  if (busy.length > 0) {
    const message = `${busy.join(', ')} is being ingested into, from before the source forgot`;
    throw new IcewrightError('TableBusy', message, { tables: busy });
  }
  const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'forgetting');
  await lookAgain(deps, requests);
  const [first] = requests;
  if (first === undefined) return;
  const { subject } = await subjectOf(deps, first.subject);
  await suppressAll(deps, requests, subject);
}

/**
 * After main is rewritten, a ref that does not descend from what the erasure left holds files of
 * before: whether or not a row of it still shows the subject, its files may.
 */
export async function findBlocked(deps: ErasureDeps, batchId: string): Promise<readonly string[]> {
  const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'forgetting');
  const blocked = new Set<string>();
  for (const request of requests) {
    const { subject } = await subjectOf(deps, request.subject);
    const blockers: Blocker[] = request.blockers.filter(({ kind }) => !isRefKind(kind));
    for (const { table, action } of subject.tables) {
      if (action === 'keep' || isGivenUp(request, table)) continue;
      const options = { nowMs: deps.nowMs(), depth: 'metadata' } as const;
      const health = await measureIfThere(deps.catalog, tableFromKey(table), options);
      const progress = await readProgress(deps, batchId, table);
      if (health !== null && heldSubject(request, table, progress)) {
        blockers.push(...holdingRefs(request, health, progress?.clean ?? []));
      }
    }
    const patch = { blockers } as const;
    await act(deps, request.requestId, { kind: 'amend', patch });
    for (const { table, exception } of blockers) if (exception === null) blocked.add(table);
  }
  return [...blocked].sort();
}

/** Refs of a table that never showed the subject hold nothing of them. */
function heldSubject(
  { found }: ErasureRequest,
  table: string,
  progress: TableProgress | null,
): boolean {
  const refs = found.find((one) => one.table === table)?.refs ?? [];
  if (refs.some(({ rows }) => rows > 0)) return true;
  return (progress?.matched ?? 0) > 0;
}

function holdingRefs(
  request: ErasureRequest,
  health: TableHealth,
  clean: readonly string[],
): readonly Blocker[] {
  const { table } = health;
  const was = request.blockers.filter((one) => one.table === table);
  const refs = health.refs
    .filter(({ name, snapshotId }) => name !== 'main' && !descends(health, snapshotId, clean))
    .map(({ type, name }) => refBlocker(table, type, name, null));
  return refs.map((one) => {
    const known = was.find(({ kind, name }) => kind === one.kind && name === one.name);
    return { ...one, exception: known?.exception ?? null };
  });
}

/** A parent that is expired is still known by its id. */
function descends(
  { snapshots }: TableHealth,
  snapshotId: string,
  clean: readonly string[],
): boolean {
  const parents = new Map(snapshots.map((one) => [one.snapshotId, one.parentSnapshotId]));
  const seen = new Set<string>();
  for (let at: string | null | undefined = snapshotId; at != null && !seen.has(at); ) {
    if (clean.includes(at)) return true;
    seen.add(at);
    at = parents.get(at);
  }
  return false;
}
