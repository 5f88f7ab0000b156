/** What erasure needs of the ledger and the keys. Types only, as in `ports.ts`. */
import type { Certificate, SignedCertificate } from '../domain/erasure/certificate.ts';
import type { EntrySignature, ProofEntry } from '../domain/erasure/chain.ts';
import type { ErasureRequest, ErasureState } from '../domain/erasure/request.ts';
import type { RequestAct } from '../domain/erasure/transitions.ts';

/** A subject's values, encrypted; for one request only. */
export interface SealedValues {
  readonly keyId: string;
  readonly bytes: Uint8Array;
}

export interface Seal {
  /** SHA-256 over the number, the digest before and the document, hex. */
  readonly digest: string;
  readonly signature: EntrySignature;
}

/** Signs entries of the chain of proof. */
export interface Sealer {
  seal(entry: number, previous: string, document: string): Seal;
}

export interface SubjectHasher {
  /** HMAC-SHA-256 of the value's UTF-8 text, hex. */
  hash(subject: string, identifier: string, value: string): string;
  /** The key of that HMAC, hex: good for this identifier of this kind of subject alone. */
  keyOf(subject: string, identifier: string): string;
}

export type NewErasure = Pick<
  ErasureRequest,
  'requestId' | 'subject' | 'subjectHash' | 'ground' | 'requestedBy' | 'requestedAt' | 'deadlineAt'
>;

export interface ErasureFilter {
  readonly states?: readonly ErasureState[];
  readonly subjectHash?: string;
  readonly batchId?: string;
  readonly limit: number;
}

/** An act on a request: who, when, and from which states it is meant. */
export interface ErasureAct {
  readonly requestId: string;
  /** It happens only when the request is in one of these; absent: in whichever it is. */
  readonly from?: readonly ErasureState[];
  readonly act: RequestAct;
  /** `cli:<user>`, `api:<user>`, `workflow` */
  readonly by: string;
  /** The account, where `by` is only a name that was given. */
  readonly account?: string;
  /** Whether such names are believed; default `false`. */
  readonly trustsNames?: boolean;
  /** ISO time. */
  readonly at: string;
}

/** `acted` false: it was in another state, and is as it was. */
export interface ErasureActed {
  readonly acted: boolean;
  readonly request: ErasureRequest;
}

/** What has been done to one table for one batch; no personal data. */
export interface TableWork {
  readonly batchId: string;
  readonly table: string;
  /** The last step that was finished. */
  readonly step: string;
  readonly document: Readonly<Record<string, unknown>>;
}

/** An object that must go, or has gone. */
export interface ErasureFile {
  readonly batchId: string;
  readonly table: string;
  /** SHA-256 of the path, hex. */
  readonly pathHash: string;
  /** `null` once no request of the batch is open: a path may hold partition values. */
  readonly path: string | null;
  readonly kind: 'data' | 'deletes' | 'manifest' | 'manifest_list' | 'metadata' | 'statistics';
  readonly bytes: number;
  readonly etag: string | null;
  /** Versions and delete markers; empty: the bucket keeps none. */
  readonly versionIds: readonly string[];
  /** ISO time; `null`: it is to be removed. */
  readonly removedAt: string | null;
}

/** Files of one table; it may have had another name. */
export interface CarriedFiles {
  readonly from: { readonly batchId: string; readonly table: string };
  readonly to: { readonly batchId: string; readonly table: string };
}

export interface FileFilter {
  readonly batchId: string;
  readonly table?: string;
  readonly removed?: boolean;
  /** Those whose path hash comes after this one: pages. */
  readonly after?: string;
  readonly limit: number;
}

/** Who must not be taken in again. */
export interface Suppression {
  readonly subject: string;
  readonly identifier: string;
  readonly hash: string;
  readonly requestId: string;
}

export interface ErasureLedger {
  /** The first one stays: a repeated step gets it back. Values are replaced while it is open. */
  openRequest(request: NewErasure, values: SealedValues): Promise<ErasureRequest>;
  readRequest(requestId: string): Promise<ErasureRequest | null>;
  /** Newest first. */
  listRequests(filter: ErasureFilter): Promise<readonly ErasureRequest[]>;
  /**
   * Changes a request and appends the event to the chain, both or neither. A request that comes to
   * its end loses its values; the last of a batch takes the paths of the batch's files along.
   * Rejects with `RunNotFound`, and with `SafetyRefused` where the rules forbid it.
   */
  actOn(act: ErasureAct): Promise<ErasureActed>;
  /** Of an open request alone: rejects with `SafetyRefused`. */
  saveValues(requestId: string, values: SealedValues): Promise<void>;
  /** `null`: destroyed, or never there. */
  readValues(requestId: string): Promise<SealedValues | null>;

  /** Inserts a batch, or leaves the one that is there. */
  openBatch(batchId: string, openedAt: string): Promise<void>;
  /** `false`: the batch is closed, and the request is as it was. */
  joinBatch(requestId: string, batchId: string, at: string): Promise<boolean>;
  /** `closedAt` null: it still takes requests. Oldest first. */
  listBatches(): Promise<readonly { batchId: string; openedAt: string; closedAt: string | null }[]>;
  closeBatch(batchId: string, closedAt: string): Promise<void>;
  saveTableWork(work: TableWork): Promise<void>;
  listTableWork(batchId: string): Promise<readonly TableWork[]>;
  /** Adds what is not there; what is there keeps what was known of it, and gains versions. */
  saveFiles(files: readonly ErasureFile[]): Promise<void>;
  /** What an earlier batch had to remove is the later one's as well: it is asked for again. */
  carryFiles(carried: CarriedFiles): Promise<void>;
  listFiles(filter: FileFilter): Promise<readonly ErasureFile[]>;
  markRemoved(batchId: string, pathHashes: readonly string[], at: string): Promise<void>;

  suppress(list: readonly Suppression[]): Promise<void>;
  listSuppressed(subject: string): Promise<readonly Suppression[]>;

  /**
   * Appends the certificate and moves its request to `done`, both or neither. Once for each
   * request: a second one is ignored and the first returned. Rejects with `SafetyRefused` where the
   * rules forbid the move.
   */
  issueCertificate(certificate: Certificate, by: string, at: string): Promise<SignedCertificate>;
  /** By its own id or that of its request. */
  readCertificate(id: string): Promise<SignedCertificate | null>;
  /** All entries from the first on, in pages. */
  readChain(after: number, limit: number): Promise<readonly ProofEntry[]>;
  /** The highest number of an entry that the requests know of. */
  countChain(): Promise<number>;
}
