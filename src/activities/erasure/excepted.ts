/** What a person took on themselves: which traces are none of the second reader's complaints. */
import { type ErasureRequest, isRefKind, keepsFiles } from '../../domain/erasure/request.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { tableFromKey } from '../../domain/table.ts';
import type { ErasureDeps } from './deps.ts';
import { hashPath, plainUri } from './file-list.ts';
import { measureTable } from './step-context.ts';

export type IsExcepted = (pathHash: string) => boolean;

/**
 * Whether a trace in a file is accepted: one that an excepted ref keeps, or that an excepted
 * obstacle kept from being removed. What the head of main reads is never excepted. `null`: nothing
 * is.
 */
export async function exceptedFiles(
  deps: Pick<ErasureDeps, 'catalog' | 'files' | 'nowMs'>,
  { blockers }: Pick<ErasureRequest, 'blockers'>,
  table: string,
): Promise<IsExcepted | null> {
  const excepted = blockers.filter((one) => one.table === table && one.exception !== null);
  if (excepted.length === 0) return null;
  const health = await measureTable(deps as ErasureDeps, table);
  const live = await filesOf(deps, health, 'main');
  const kept = new Set<string>();
  for (const { name } of excepted.filter(({ kind }) => isRefKind(kind))) {
    for (const hash of await filesOf(deps, health, name)) kept.add(hash);
  }
  const keepsAll = excepted.some(({ kind }) => keepsFiles(kind));
  return (pathHash) => !live.has(pathHash) && (keepsAll || kept.has(pathHash));
}

export interface Exceptions {
  readonly isExcepted: IsExcepted;
  /** Whether what was accepted would be accepted now: main may read it by then. */
  stand(): Promise<boolean>;
}

/** The same, remembering what was accepted. `null`: nothing is. */
export async function openExceptions(
  deps: Pick<ErasureDeps, 'catalog' | 'files' | 'nowMs'>,
  request: Pick<ErasureRequest, 'blockers'>,
  table: string,
): Promise<Exceptions | null> {
  const before = await exceptedFiles(deps, request, table);
  if (before === null) return null;
  const accepted = new Set<string>();
  return {
    isExcepted: (pathHash) => {
      const is = before(pathHash);
      if (is) accepted.add(pathHash);
      return is;
    },
    stand: async () => {
      if (accepted.size === 0) return true;
      const now = await exceptedFiles(deps, request, table);
      return [...accepted].every((one) => now?.(one) === true);
    },
  };
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
