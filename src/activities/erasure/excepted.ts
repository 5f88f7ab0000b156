/** What a person took on themselves: which traces are none of the second reader's complaints. */
import type { TableVerification, Trace } from '../../domain/erasure/certificate.ts';
import { type ErasureRequest, isRefKind, keepsFiles } from '../../domain/erasure/request.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { tableFromKey } from '../../domain/table.ts';
import type { ErasureDeps } from './deps.ts';
import { measureTable } from './step-context.ts';
import { hashPath, plainUri } from './survey.ts';

/**
 * The verification without traces in files that an excepted ref keeps, or that an excepted obstacle
 * kept from being removed. What the head of main reads is never excepted.
 */
export async function withoutExcepted(
  deps: Pick<ErasureDeps, 'catalog' | 'files' | 'nowMs'>,
  { blockers }: ErasureRequest,
  seen: TableVerification,
): Promise<TableVerification> {
  const excepted = blockers.filter((one) => one.table === seen.table && one.exception !== null);
  if (excepted.length === 0 || seen.traces.length === 0) return seen;
  const health = await measureTable(deps as ErasureDeps, seen.table);
  const live = await filesOf(deps, health, 'main');
  const kept = new Set<string>();
  for (const { name } of excepted.filter(({ kind }) => isRefKind(kind))) {
    for (const hash of await filesOf(deps, health, name)) kept.add(hash);
  }
  const keepsAll = excepted.some(({ kind }) => keepsFiles(kind));
  const isOpen = ({ pathHash }: Trace) => live.has(pathHash) || !(keepsAll || kept.has(pathHash));
  const traces = seen.traces.filter(isOpen);
  // Those that did not fit on the list may be anywhere.
  const unlisted = seen.tracesFound - seen.traces.length;
  return { ...seen, traces, tracesFound: traces.length + unlisted };
}

/** Hashes of the paths of all files that a ref's head reads; its metadata file is all refs'. */
async function filesOf(
  { files }: Pick<ErasureDeps, 'files'>,
  { table, refs, snapshotId: head }: TableHealth,
  ref: string,
): Promise<ReadonlySet<string>> {
  const snapshotId = ref === 'main' ? head : refs.find((one) => one.name === ref)?.snapshotId;
  const hashes = new Set<string>();
  if (snapshotId == null) return hashes;
  await files.visit(
    tableFromKey(table),
    (kind, uri) => {
      if (ref !== 'main' || kind !== 'metadata') hashes.add(hashPath(plainUri(uri)));
    },
    snapshotId,
  );
  return hashes;
}
