/**
 * What is certified at the end of an erasure, as data. No personal data: the subject is known by
 * its keyed hash, files by the hash of their path.
 */

export interface Certificate {
  readonly format: 'icewright.erasure-certificate/1';
  readonly certificateId: string;
  readonly requestId: string;
  readonly subject: string;
  readonly subjectHash: string;
  readonly ground: string;
  readonly requestedAt: string;
  readonly requestedBy: string;
  readonly approvedBy: string | null;
  readonly approvedAt: string | null;
  /** The account that approved, where `approvedBy` is a name that was given; absent: it is that. */
  readonly approvedAccount?: string | null;
  readonly deadlineAt: string;
  readonly finishedAt: string;
  /** SHA-256 of the privacy policy's canonical form: which inventory was worked through. */
  readonly policyDigest: string;
  readonly sources: readonly SourceErasure[];
  readonly tables: readonly TableErasure[];
  /** What is not erased, why, and until when. */
  readonly remains: readonly Remainder[];
  readonly verification: Verification;
}

export interface SourceErasure {
  readonly name: string;
  /** Rows removed, of all requests of the batch and of its tries. */
  readonly rowsRemoved: number;
  readonly finishedAt: string;
}

/** What was done to one table for one batch of requests. */
export interface TableErasure {
  readonly table: string;
  readonly tableUuid: string;
  readonly formatVersion: number;
  /** `none`: nothing was to be done, or nothing could be; see `because`. */
  readonly action: 'delete' | 'recompute' | 'keep' | 'none';
  readonly because: string | null;
  readonly snapshotBefore: string | null;
  readonly snapshotAfter: string | null;
  /** Rows of this request's subject in main: the most that were found at a time. */
  readonly rowsMatched: number;
  /** The same in tags and other branches; one that two of them reach counts twice. */
  readonly rowsElsewhere: number;
  /** after = before − matched, matched after = 0, the checksum of the others unchanged. */
  readonly oracle: CountOracle;
  /** How further tries of this request counted, in order; one that failed may not add up. */
  readonly otherTries?: readonly CountOracle[];
  readonly snapshotsExpired: number;
  readonly refs: readonly { readonly name: string; readonly type: 'branch' | 'tag' }[];
  readonly filesRemoved: readonly RemovedFile[];
  readonly bytesRewritten: number;
}

/** Of the whole batch: counts of rows, and sums of row hashes as decimal text. */
export interface CountOracle {
  readonly before: number;
  readonly matched: number;
  readonly after: number;
  readonly matchedAfter: number;
  readonly othersBefore: string;
  readonly othersAfter: string;
}

export interface RemovedFile {
  /** SHA-256 of the path, hex. */
  readonly pathHash: string;
  readonly kind: 'data' | 'deletes' | 'manifest' | 'manifest_list' | 'metadata' | 'statistics';
  readonly bytes: number;
  readonly etag: string | null;
  /** Versions and delete markers that were removed with it; 0: the bucket keeps none. */
  readonly versions: number;
}

export interface Remainder {
  readonly where: string;
  readonly owner: string;
  readonly because: string;
  /** ISO time; `null`: no end is known. */
  readonly until: string | null;
}

/** What the second reader looked at, and found. */
export interface Verification {
  readonly reader: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly tables: readonly TableVerification[];
}

export interface TableVerification {
  readonly table: string;
  readonly snapshotId: string | null;
  /** ISO times of the reading. */
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly objectsListed: number;
  readonly objectsRead: number;
  readonly bytesRead: number;
  readonly rowsRead: number;
  /** Old paths and versions that were asked for, and answered "not found". */
  readonly gone: number;
  /** Where the subject still is; empty in a certificate. At most 1,000 of {@link tracesFound}. */
  readonly traces: readonly Trace[];
  readonly tracesFound: number;
  /** What this verification cannot say; stated, and no trace. */
  readonly limits: readonly VerificationLimit[];
}

/**
 * - `short_value`: an identifier's value has fewer than 6 characters: sought in mapped columns, not
 *   in every text.
 * - `shared_value`: a value of an identifier was not looked for, because rows of other people hold
 *   it as well.
 * - `not_compared`: a mapped column is of a type whose values are not compared with an identifier's.
 * - `bloom_filter`, `sketch`, `hashed_partition`: only hashes, or beginnings, of values are there.
 * - `unknown_format`: objects that are no part of a table, searched as bytes only.
 */
export interface VerificationLimit {
  readonly kind:
    | 'short_value'
    | 'shared_value'
    | 'not_compared'
    | 'bloom_filter'
    | 'sketch'
    | 'hashed_partition'
    | 'unknown_format';
  /** Of `short_value`, `shared_value` and `not_compared`. */
  readonly identifier: string | null;
  /** Objects that it concerns; 0 where it is about an identifier. */
  readonly objects: number;
}

export interface Trace {
  /** SHA-256 of the path, hex. */
  readonly pathHash: string;
  readonly versionId: string | null;
  readonly kind: RemovedFile['kind'] | 'unknown';
  /** The identifier that was met, never its value; `null`: `still_there` and `unreadable`. */
  readonly identifier: string | null;
  /** `dictionary`: a value that a file keeps, whether or not a row uses it. */
  readonly how:
    | 'row'
    | 'dictionary'
    | 'bounds'
    | 'partition'
    | 'path'
    | 'text'
    | 'still_there'
    | 'unreadable';
  /** Of `unreadable`: why. What was not read is not certified. */
  readonly because: UnreadableReason | null;
}

export type UnreadableReason =
  | 'damaged'
  | 'encrypted'
  | 'missing'
  | 'too_large'
  | 'unknown_format'
  | 'unknown_codec'
  | 'no_json';

/** As stored and handed out: the certificate, its place in the chain, and the signature. */
export interface SignedCertificate {
  readonly certificate: Certificate;
  readonly chain: {
    /** Counts from 1. */
    readonly entry: number;
    /** SHA-256 of the entry before, hex; 64 zeros for the first. */
    readonly previous: string;
    /** SHA-256 over `previous` and the canonical certificate, hex. */
    readonly digest: string;
  };
  readonly signature: {
    readonly algorithm: 'Ed25519';
    /** First 16 hex digits of the SHA-256 of the public key. */
    readonly keyId: string;
    readonly publicKey: string;
    /** Over `chain.digest`, base64. */
    readonly value: string;
  };
}
