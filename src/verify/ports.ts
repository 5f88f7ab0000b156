/** What the second reader is given, what it asks the object store, and what it hands back. */
import type { RemovedFile, TableVerification } from '../domain/erasure/certificate.ts';
import type { Subject, SubjectValues, TableMapping } from '../domain/erasure/privacy.ts';

/** A version of an object, or a delete marker, as a listing tells it. */
export interface StoredVersion {
  readonly uri: string;
  /** `null` is the text of S3 for an object of a bucket that keeps no versions. */
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  readonly sizeBytes: number;
}

/**
 * The object store, as far as it is read. Rejects with an `IcewrightError`: its details say
 * `missing: true` for what is not there. `versionId` `null` is the latest version.
 */
export interface VersionedStore {
  /** Every version and delete marker below a prefix. */
  listVersions(prefix: string): AsyncIterable<StoredVersion>;
  /** `null`: the store answers "not found". A delete marker asked for by its id is there. */
  headVersion(
    uri: string,
    versionId: string | null,
  ): Promise<{ readonly sizeBytes: number } | null>;
  /** Bytes from `start` to before `end`. */
  readRange(uri: string, versionId: string | null, range: ByteRange): Promise<Buffer>;
}

export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** An object that must be gone, with the versions (and delete markers) that it had. */
export interface OldObject {
  readonly uri: string;
  readonly kind: RemovedFile['kind'];
  readonly versionIds: readonly string[];
}

export interface SoughtSubject {
  readonly requestId: string;
  readonly values: SubjectValues;
  /** By the hash of a path: a trace in it is none. Default: nowhere. */
  readonly isExcepted?: ((pathHash: string) => boolean) | null;
}

/** Values that nobody knows any more, by keyed hash; of the first subject. */
export interface HashedValues {
  /** Identifier → hashes of the values that it must not hold. */
  readonly hashes: ReadonlyMap<string, ReadonlySet<string>>;
  hashOf(identifier: string, value: string): string;
}

export interface VerifyInput {
  /** `lake.bronze.raw_orders` */
  readonly table: string;
  /** Address of the current metadata file, as the catalog tells it. */
  readonly metadataLocation: string;
  /** Kind of subject: its identifiers. */
  readonly subject: Subject;
  /** Of this table. Without one (a table that holds no person), texts alone are sought. */
  readonly mapping: TableMapping | null;
  /** One pass finds all of them. */
  readonly subjects: readonly SoughtSubject[];
  /** Besides what `subjects` name: compared in mapped columns alone. */
  readonly hashed?: HashedValues;
  readonly oldObjects: readonly OldObject[];
  /** Objects under way at once. Default 4. */
  readonly concurrency?: number;
  readonly signal?: AbortSignal;
  /** After each object and each few megabytes. */
  readonly onProgress?: (progress: VerifyProgress) => void;
}

export interface VerifyProgress {
  readonly objectsListed: number;
  readonly objectsRead: number;
  readonly bytesRead: number;
  readonly rowsRead: number;
}

/** By request id; counts are those of the one pass. */
export type Verified = ReadonlyMap<string, TableVerification>;
