/** Refs beside main that still reach files which are to go. */
import { type Blocker, type ErasureRequest, isRefKind } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { tableFromKey } from '../../domain/table.ts';
import { measureIfThere } from '../planning.ts';
import { act, isGivenUp, requestsOf } from './batches.ts';
import { refBlocker } from './blockers.ts';
import { type ErasureDeps, subjectOf } from './deps.ts';
import { lookAgain } from './find.ts';
import { ingestionsUnderWay, suppressAll } from './sources.ts';
import { readProgress } from './work.ts';

/** Rejects while what was read at a source before it forgot may still be written. */
export async function lookAgainAll(deps: ErasureDeps, batchId: string): Promise<void> {
  const busy = await ingestionsUnderWay(deps);
  if (busy.length > 0) {
    const message = `${busy.join(', ')} is being ingested into, from before the source forgot`;
    throw new IcewrightError('TableBusy', message, { tables: busy });
  }
  const requests = (await requestsOf(deps, batchId)).filter((one) => one.state === 'forgetting');
  for (const request of requests) await lookAgain(deps, request);
  const [first] = requests;
  if (first === undefined) return;
  const { subject } = await subjectOf(deps, first.subject);
  await suppressAll(deps, requests, subject);
}

/**
 * After main is rewritten, a ref that is not at main's head or behind it holds files of before:
 * whether or not a row of it still shows the subject, its files may.
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
      const held = health !== null && (await heldSubject(deps, batchId, request, table));
      if (held) blockers.push(...holdingRefs(request, health));
    }
    const patch = { blockers } as const;
    await act(deps, request.requestId, { kind: 'amend', patch });
    for (const { table, exception } of blockers) if (exception === null) blocked.add(table);
  }
  return [...blocked].sort();
}

/** Refs of a table that never showed the subject hold nothing of them. */
async function heldSubject(
  deps: ErasureDeps,
  batchId: string,
  { found }: ErasureRequest,
  table: string,
): Promise<boolean> {
  const refs = found.find((one) => one.table === table)?.refs ?? [];
  if (refs.some(({ rows }) => rows > 0)) return true;
  return ((await readProgress(deps, batchId, table))?.matched ?? 0) > 0;
}

function holdingRefs(request: ErasureRequest, health: TableHealth): readonly Blocker[] {
  const { table } = health;
  const was = request.blockers.filter((one) => one.table === table);
  const refs = health.refs
    .filter(({ name, snapshotId }) => name !== 'main' && snapshotId !== health.snapshotId)
    .map(({ type, name }) => refBlocker(table, type, name, null));
  return refs.map((one) => {
    const known = was.find(({ kind, name }) => kind === one.kind && name === one.name);
    return { ...one, exception: known?.exception ?? null };
  });
}
