/** A bucket in memory, with versions as S3 keeps them; bytes are those of real files. */
import { IcewrightError } from '../../src/domain/errors.ts';
import type { StoredVersion, VersionedStore } from '../../src/verify/ports.ts';

interface Held {
  readonly uri: string;
  readonly versionId: string;
  /** `null`: a delete marker. */
  readonly bytes: Buffer | null;
}

export interface MemoryStore extends VersionedStore {
  put(uri: string, bytes: Buffer | string): string;
  /** Leaves a delete marker; the bytes stay as a noncurrent version. */
  remove(uri: string): string;
  purge(uri: string, versionId: string): void;
  /** Largest range that was asked for. */
  largestRead(): number;
}

export function createMemoryStore(versioning = false): MemoryStore {
  const held: Held[] = [];
  let [serial, largest] = [0, 0];
  const add = (uri: string, bytes: Buffer | null) => {
    serial += 1;
    const versionId = versioning ? `v${serial}` : 'null';
    const at = held.findIndex((one) => one.uri === uri && one.versionId === versionId);
    if (at >= 0) held.splice(at, 1);
    held.push({ uri, versionId, bytes });
    return versionId;
  };
  const find = (uri: string, versionId: string | null) =>
    held.findLast((one) => one.uri === uri && (versionId === null || one.versionId === versionId));
  return {
    put: (uri, bytes) => add(uri, Buffer.from(bytes)),
    remove: (uri) => add(uri, null),
    purge: (uri, versionId) => {
      held.splice(held.indexOf(find(uri, versionId) as Held), 1);
    },
    largestRead: () => largest,
    async *listVersions(prefix) {
      for (const one of [...held]) {
        if (one.uri.startsWith(prefix)) yield listed(one, find(one.uri, null) === one);
      }
    },
    headVersion: async (uri, versionId) => {
      const one = find(uri, versionId);
      if (one === undefined || (one.bytes === null && versionId === null)) return null;
      return { sizeBytes: one.bytes?.length ?? 0 };
    },
    readRange: async (uri, versionId, { start, end }) => {
      const bytes = find(uri, versionId)?.bytes;
      if (bytes == null) {
        throw new IcewrightError('InvariantBroken', `${uri} is not there`, { uri, missing: true });
      }
      largest = Math.max(largest, end - start);
      return bytes.subarray(start, end);
    },
  };
}

function listed({ uri, versionId, bytes }: Held, isLatest: boolean): StoredVersion {
  return {
    uri,
    versionId,
    isLatest,
    isDeleteMarker: bytes === null,
    sizeBytes: bytes?.length ?? 0,
  };
}
