/** The objects that a table had when its erasure began: what is no longer needed has to go. */
import { createHash } from 'node:crypto';
import { mapAtOnce } from '../at-once.ts';
import type { ErasureFile, FileFilter } from '../erasure-ports.ts';
import { type ErasureDeps, fileKindOf } from './deps.ts';
import type { StepContext } from './step-context.ts';

/** Rows of one statement of the ledger. */
const FILES_AT_ONCE = 5_000;
/** Questions to the store that carry no bytes. */
export const ASKED_AT_ONCE = 16;

/** Of every snapshot and ref: what of it is no longer reached at the end has to be gone. */
export async function saveFileList(context: StepContext): Promise<void> {
  const { deps, table, batchId, target, health } = context;
  const stored = new Map<string, { readonly bytes: number; readonly etag: string | null }>();
  const location = `${health.location.replace(/\/+$/, '')}/`;
  for await (const { uri, sizeBytes, etag } of deps.files.list(location)) {
    stored.set(uri, { bytes: sizeBytes, etag });
  }
  const files = new Map<string, ErasureFile>();
  await deps.files.visit(target.table, (kind, uri) => {
    const path = plainUri(uri);
    if (files.has(path)) return;
    const { bytes = 0, etag = null } = stored.get(path) ?? {};
    const pathHash = hashPath(path);
    const fixed = { batchId, table, versionIds: [], removedAt: null } as const;
    files.set(path, { ...fixed, path, pathHash, kind: fileKindOf(kind), bytes, etag });
  });
  // What lies elsewhere is in no listing: it is asked for by itself.
  const elsewhere = [...files.keys()].filter((path) => !path.startsWith(plainUri(location)));
  await mapAtOnce(elsewhere, ASKED_AT_ONCE, async (path) => {
    const head = await deps.files.head(path);
    const file = files.get(path);
    if (head === null || file === undefined) return;
    files.set(path, { ...file, bytes: head.sizeBytes, etag: head.etag });
  });
  const all = [...files.values()];
  for (let at = 0; at < all.length; at += FILES_AT_ONCE) {
    await deps.erasures.saveFiles(all.slice(at, at + FILES_AT_ONCE));
  }
}

/** Those of one table, in the order of their path hashes. */
export async function* listedFiles(
  { erasures }: Pick<ErasureDeps, 'erasures'>,
  filter: Pick<FileFilter, 'batchId' | 'table' | 'removed'>,
): AsyncGenerator<ErasureFile> {
  for (let after: string | undefined; ; ) {
    const more = after === undefined ? {} : { after };
    const page = await erasures.listFiles({ ...filter, limit: FILES_AT_ONCE, ...more });
    yield* page;
    if (page.length < FILES_AT_ONCE) return;
    after = page.at(-1)?.pathHash;
  }
}

/** All versions and delete markers of one object, and of no other whose name begins like its. */
export async function versionsAt(
  { versions }: Pick<ErasureDeps, 'versions'>,
  uri: string,
): Promise<readonly string[]> {
  const ids: string[] = [];
  for await (const one of versions.listVersions(uri)) if (one.uri === uri) ids.push(one.versionId);
  return ids;
}

/** One spelling of an address: `s3a` and `s3n` are `s3`. */
export function plainUri(uri: string): string {
  return uri.replace(/^s3[an]:\/\//, 's3://');
}

/** SHA-256 of a path, hex: how files are named where paths must not be. */
export function hashPath(path: string): string {
  return createHash('sha256').update(path).digest('hex');
}
