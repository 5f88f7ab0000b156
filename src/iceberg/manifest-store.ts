import type { ManifestCache } from '../activities/ports.ts';
import { damaged } from './avro-file.ts';
import { type DigestContext, digestManifest, type EntryReaders } from './digest-manifest.ts';
import {
  DIGEST_FORMAT,
  decodeDigest,
  digestBytes,
  encodeDigest,
  hasColumns,
  type ManifestDigest,
} from './manifest-digest.ts';
import { MAX_MANIFEST_BYTES, type ManifestFile, type ReadObject } from './manifests.ts';

export interface ManifestStoreOptions {
  readonly readObject: ReadObject;
  /** Outlives the process; default: none. */
  readonly cache?: ManifestCache | undefined;
  /** Of digests in memory. Default 32 MB: those of a million files. */
  readonly memoryBytes?: number | undefined;
}

/** Gives the digests of manifests, each of which is fetched and decoded once. */
export interface ManifestStore {
  /** In any order. Rejects when one cannot be read; the error names it. */
  visit(manifests: readonly ManifestFile[], context: DigestContext, use: UseDigest): Promise<void>;
}

export type UseDigest = (digest: ManifestDigest, manifest: ManifestFile) => void;

const DEFAULT_MEMORY_BYTES = 32 * 2 ** 20;
/** Manifests that are fetched at once, and what of them may be in memory. */
const MAX_READS = 16;
const MAX_READ_BYTES = 32 * 2 ** 20;
/** Digests that are asked of, or given to, the cache at once. */
const CACHE_BATCH = 256;
/** Schemas differ by table: beyond this many, readers are compiled anew. */
const MAX_READERS = 500;

export function createManifestStore(options: ManifestStoreOptions): ManifestStore {
  const store: Store = {
    readObject: options.readObject,
    cache: options.cache,
    memory: createMemory(options.memoryBytes ?? DEFAULT_MEMORY_BYTES),
    readers: new Map(),
  };
  return {
    visit: async (manifests, context, use) => {
      if (store.readers.size > MAX_READERS) store.readers.clear();
      for (let start = 0; start < manifests.length; start += CACHE_BATCH) {
        await visitBatch(store, manifests.slice(start, start + CACHE_BATCH), context, use);
      }
    },
  };
}

interface Store {
  readonly readObject: ReadObject;
  readonly cache: ManifestCache | undefined;
  readonly memory: Memory;
  readonly readers: EntryReaders;
}

async function visitBatch(
  store: Store,
  manifests: readonly ManifestFile[],
  context: DigestContext,
  use: UseDigest,
): Promise<void> {
  const fieldIds = context.columns.map((column) => column.fieldId);
  const take = (manifest: ManifestFile, digest: ManifestDigest | null | undefined) => {
    if (digest == null || !hasColumns(digest, fieldIds)) return false;
    store.memory.set(keyOf(manifest), digest);
    use(digest, manifest);
    return true;
  };
  const unknown = manifests.filter((one) => !take(one, store.memory.get(keyOf(one))));
  if (unknown.length === 0) return;
  const stored = await load(store.cache, unknown);
  const unread = unknown.filter((one) => {
    const bytes = stored.get(keyOf(one));
    return bytes === undefined || !take(one, decodeDigest(bytes));
  });
  const made = new Map<string, Buffer>();
  await forEachAtOnce(unread, readsAtOnce(unread), async (manifest) => {
    const digest = await read(store, manifest, context);
    take(manifest, digest);
    if (store.cache !== undefined) made.set(keyOf(manifest), encodeDigest(digest));
  });
  // What is not kept is read again: no reason to fail.
  if (made.size > 0) await store.cache?.save(made).catch(() => undefined);
}

async function read(
  store: Store,
  manifest: ManifestFile,
  context: DigestContext,
): Promise<ManifestDigest> {
  const { uri, lengthBytes, specId } = manifest;
  const bytes = await store.readObject(uri, MAX_MANIFEST_BYTES);
  if (lengthBytes !== null && bytes.length < lengthBytes) {
    throw damaged(uri, `it has ${bytes.length} bytes of ${lengthBytes}`);
  }
  return digestManifest(bytes, uri, specId, context, store.readers);
}

/** A path that was written again has another length. */
function keyOf({ uri, lengthBytes }: ManifestFile): string {
  return `${DIGEST_FORMAT} ${lengthBytes ?? '-'} ${uri}`;
}

async function load(
  cache: ManifestCache | undefined,
  manifests: readonly ManifestFile[],
): Promise<ReadonlyMap<string, Buffer>> {
  if (cache === undefined) return new Map();
  // A ledger that is away makes it slower, not wrong.
  return cache.load(manifests.map(keyOf)).catch(() => new Map<string, Buffer>());
}

/** How many of these may be in memory together. */
export function readsAtOnce(manifests: readonly ManifestFile[]): number {
  const largest = manifests.reduce((most, one) => Math.max(most, one.lengthBytes ?? 2 ** 23), 1);
  return Math.max(1, Math.min(MAX_READS, Math.floor(MAX_READ_BYTES / largest)));
}

interface Memory {
  get(key: string): ManifestDigest | undefined;
  set(key: string, digest: ManifestDigest): void;
}

/** Keeps the digests used last. */
function createMemory(maxBytes: number): Memory {
  const held = new Map<string, { readonly digest: ManifestDigest; readonly bytes: number }>();
  let total = 0;
  const remove = (key: string) => {
    total -= held.get(key)?.bytes ?? 0;
    held.delete(key);
  };
  return {
    get: (key) => held.get(key)?.digest,
    set: (key, digest) => {
      // A Map keeps the order of insertion: the one used last goes to the end.
      remove(key);
      const bytes = digestBytes(digest) + 2 * key.length;
      if (bytes > maxBytes) return;
      held.set(key, { digest, bytes });
      total += bytes;
      for (const oldest of held.keys()) {
        if (total <= maxBytes) break;
        remove(oldest);
      }
    },
  };
}

/** Works through the items, `width` at a time; rejects with the first failure. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  width: number,
  action: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items.values();
  const worker = async () => {
    for (const item of queue) await action(item);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, worker));
}
