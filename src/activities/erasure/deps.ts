/** What the erasure's activities need: ports, and what they share. */
import type { EngineRunner, Statement } from '../../domain/engine.ts';
import type { RemovedFile, TableVerification } from '../../domain/erasure/certificate.ts';
import {
  type Holds,
  type Identifier,
  mergeValues,
  type PrivacyPolicy,
  type SourceMapping,
  type Subject,
  type SubjectValues,
  type TableMapping,
} from '../../domain/erasure/privacy.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { PartitionKey } from '../../domain/operation.ts';
import type { FileKind } from '../../domain/orphans/files.ts';
import type { TableRef } from '../../domain/table.ts';
import type { ErasureLedger, SealedValues, SubjectHasher } from '../erasure-ports.ts';
import type { Ledger } from '../ledger-port.ts';
import type { Catalog, Compiler, Project } from '../ports.ts';
import type { TableFiles } from '../table-files.ts';

export { mergeValues };

/** What statements about subjects in one table are made from. */
export interface ErasureTarget {
  readonly table: TableRef;
  /** Of the schema that is read; below a column of type `string` lies JSON. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly identifiers: readonly Identifier[];
  readonly match: Holds;
  readonly holds: Holds;
  /** Of all subjects that are looked for at once. */
  readonly values: SubjectValues;
}

/** What is known of each; a target's values are those of all of them. */
type Subjects = readonly SubjectValues[];

/** The pure half: finding and forgetting as statements of Spark. */
export interface ErasureCompiler {
  /**
   * Rows `s, n, files, bytes`; `s`: place in `subjects`. `null`: nothing is known to match by.
   * `at`: a snapshot; `null`: what readers of the table see.
   */
  compileFind(target: ErasureTarget, subjects: Subjects, at: string | null): Statement | null;
  /** Rows `s, identifier, value`. `null`: nothing is known to match by. */
  compileValues(target: ErasureTarget, subjects: Subjects, at: string | null): Statement | null;
  /** Rows `s, identifier, value`. `null`: there is nothing to share. */
  compileShared(target: ErasureTarget, subjects: Subjects): Statement | null;
  /** One row `n, matched, others`; `snapshotId` null: of the head, in the current schema. */
  compileOracle(
    target: ErasureTarget,
    columns: readonly string[],
    snapshotId: string | null,
  ): Statement;
  compileDelete(target: ErasureTarget, summary: Readonly<Record<string, string>>): Statement;
  compileForcedRewrite(target: ErasureTarget): Statement;
  compileDanglingDeletes(target: ErasureTarget): Statement;
  /** All data files of these partitions anew, younger than every delete; a row as above. */
  compileFullRewrite(target: ErasureTarget, partitions: readonly PartitionKey[]): Statement;
  /** One row `files`: those of the head that are no younger. */
  compileEqualityDeletes(target: ErasureTarget, sequenceNumber: number): Statement;
  compileManifests(target: ErasureTarget, specId: number): Statement;
  /** A commit that changes nothing, so that manifests of what is gone are left behind. */
  compileEmptyCommit(target: ErasureTarget, summary: Readonly<Record<string, string>>): Statement;
  /** Rows `spec, bytes, removed`: what the head's manifests still name of removed files. */
  compileManifestGroups(target: ErasureTarget, without: readonly string[]): Statement;
  compileManifestTarget(target: ErasureTarget, bytes: string | null): Statement;
}

export interface StoredVersion {
  readonly uri: string;
  readonly versionId: string;
  readonly isLatest: boolean;
  readonly isDeleteMarker: boolean;
  readonly sizeBytes: number;
}

/** Objects with their versions. */
export interface VersionStore {
  /** A sentence for the first object lock below a location; `null`: none is known of. */
  findLock(location: string): Promise<string | null>;
  listVersions(prefix: string): AsyncIterable<StoredVersion>;
  /** Deletes exactly these; answers those that it could not. */
  delete(
    targets: readonly { readonly uri: string; readonly versionId?: string | undefined }[],
  ): Promise<readonly { readonly uri: string; readonly reason: string }[]>;
}

/** The current files of a table, with what each is. */
export interface FileWalk {
  visit(
    table: TableRef,
    visit: (kind: FileKind, uri: string) => void,
    /** Only what this one needs; default: all snapshots. */
    snapshotId?: string,
  ): Promise<{ readonly snapshotId: string | null }>;
}

/** What a source knows a subject by: identifier → value; its key is one of them. */
export type TellingRow = Readonly<Record<string, string | null>>;

/** Forgets at a source. */
export interface SourceEraser {
  /** What the source's rows of these subjects tell. */
  tell(source: SourceMapping, values: SubjectValues): Promise<readonly TellingRow[]>;
  /** In one transaction: asks it once more, and removes by all of that. */
  forget(
    source: SourceMapping,
    values: SubjectValues,
  ): Promise<{ readonly rowsRemoved: number; readonly told: readonly TellingRow[] }>;
  /** From now on the source hands none of these over. */
  suppress(
    source: SourceMapping,
    list: readonly { readonly identifier: string; readonly hash: string; readonly key: string }[],
  ): Promise<void>;
}

/** An object that must be gone, with the versions and delete markers that it had. */
export interface OldObject {
  readonly uri: string;
  readonly kind: RemovedFile['kind'];
  readonly versionIds: readonly string[];
}

export interface VerifyRequest {
  readonly table: string;
  readonly subject: Subject;
  readonly mapping: TableMapping | null;
  readonly subjects: readonly {
    readonly requestId: string;
    readonly values: SubjectValues;
    /** By the hash of a path: traces in it are accepted. `null`: nowhere. */
    readonly isExcepted: ((pathHash: string) => boolean) | null;
  }[];
  readonly oldObjects: readonly OldObject[];
  readonly signal: AbortSignal;
  readonly onProgress: () => void;
}

/** The second reader. */
export interface Verifier {
  verify(request: VerifyRequest): Promise<ReadonlyMap<string, TableVerification>>;
}

export interface ErasureDeps {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly project: Project;
  readonly erasures: ErasureLedger;
  readonly privacy: () => Promise<readonly PrivacyPolicy[]>;
  readonly spark: { readonly runner: EngineRunner; readonly compiler: Compiler & ErasureCompiler };
  readonly files: TableFiles & FileWalk;
  readonly versions: VersionStore;
  readonly sources: SourceEraser;
  readonly verifier: Verifier;
  readonly seal: (requestId: string, values: SubjectValues) => SealedValues;
  readonly open: (requestId: string, sealed: SealedValues) => SubjectValues;
  readonly hasher: () => SubjectHasher;
  /** Starts the batch's workflow; one that is there stays. */
  readonly startBatch: (batchId: string) => Promise<void>;
  /** Wakes a request's workflow. */
  readonly wake: (requestId: string) => Promise<void>;
  readonly nowMs: () => number;
}

/** The policy and the kind of subject of a request. Rejects with `PolicyInvalid`. */
export async function subjectOf(
  deps: Pick<ErasureDeps, 'privacy'>,
  name: string,
): Promise<{ readonly policy: PrivacyPolicy; readonly subject: Subject }> {
  for (const policy of await deps.privacy()) {
    const subject = policy.subjects.find((one) => one.name === name);
    if (subject !== undefined) return { policy, subject };
  }
  throw new IcewrightError(
    'PolicyInvalid',
    `no privacy policy speaks of "${name}": say in policies/privacy.yaml where its data lie`,
    { subject: name },
  );
}

/** Rejects with `SafetyRefused` when they are destroyed. */
export async function valuesOf(
  deps: Pick<ErasureDeps, 'erasures' | 'open'>,
  requestId: string,
): Promise<SubjectValues> {
  const sealed = await deps.erasures.readValues(requestId);
  if (sealed !== null) return deps.open(requestId, sealed);
  const message = `the subject's values of request ${requestId} are destroyed: ask anew`;
  throw new IcewrightError('SafetyRefused', message, { requestId });
}

export function targetOf(
  table: TableRef,
  columns: ErasureTarget['columns'],
  { identifiers }: Subject,
  mapping: TableMapping,
  values: SubjectValues,
): ErasureTarget {
  return { table, columns, identifiers, match: mapping.match, holds: mapping.holds, values };
}

/** Objects of a table are kept as those that the certificate tells of. */
export function fileKindOf(
  kind: FileKind,
): 'data' | 'deletes' | 'manifest' | 'manifest_list' | 'metadata' | 'statistics' {
  switch (kind) {
    case 'position_deletes':
    case 'equality_deletes':
    case 'deletion_vector':
      return 'deletes';
    case 'metadata_log':
    case 'version_hint':
      return 'metadata';
    case 'partition_statistics':
      return 'statistics';
    default:
      return kind;
  }
}
