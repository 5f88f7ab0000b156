/** A table's files as activities reach them: what metadata reaches, and what the store holds. */
import type { EngineRow, Statement } from '../domain/engine.ts';
import type { FileKind, StoredFile } from '../domain/orphans/files.ts';
import type { TablePlaces } from '../domain/orphans/places.ts';
import type { TableRef } from '../domain/table.ts';

/** One version of a table's metadata. */
export interface TableVersion {
  readonly tableUuid: string;
  readonly snapshotId: string | null;
  /** Address of the metadata file. */
  readonly metadataLocation: string;
  readonly location: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly encrypted: boolean;
}

/** What one version of the metadata reaches, over all refs and snapshots. */
export interface Reach extends TableVersion {
  /** `true` also for a path that cannot be told from a reachable one. */
  has(uri: string): boolean;
  /** Files without which the table cannot be read, or only in part. */
  isNeeded(uri: string): boolean;
  /** How many of those lie under the location. */
  readonly neededUnderLocation: number;
  /** A path in the metadata that is in no S3 store; `null`: there is none. */
  readonly foreignPath: string | null;
  readonly files: number;
  /** That the set takes in memory. */
  readonly bytes: number;
}

export interface MissingFile {
  readonly kind: FileKind;
  readonly uri: string;
}

export interface ReachCheck {
  readonly checked: number;
  /** `true`: too many files to look at all; a sample that depends on their names alone. */
  readonly sampled: boolean;
  /** At most 20 of them. */
  readonly missing: readonly MissingFile[];
  readonly missingCount: number;
}

/** Deletion is by exact address; nothing here deletes by prefix. */
export interface TableFiles {
  /** Asks the catalog, whatever is remembered. Rejects with `TableNotFound`. */
  version(table: TableRef): Promise<TableVersion>;
  /** Rejects with `SafetyRefused` when anything of it cannot be read. */
  reach(table: TableRef): Promise<Reach>;
  places(table: TableRef): Promise<TablePlaces>;
  /** All objects whose key begins with that of `directory`, which ends in a slash. */
  list(directory: string): AsyncIterable<StoredFile>;
  /** `null`: there is no such object. */
  head(uri: string): Promise<StoredFile | null>;
  /** The `table-uuid` in a metadata file; `null`: it cannot be read. */
  readTableUuid(uri: string): Promise<string | null>;
  /** Deletes exactly these; answers those that it could not, with the reason. */
  remove(uris: readonly string[]): Promise<readonly { uri: string; reason: string }[]>;
  /**
   * Does every reachable file exist?
   * @param snapshotId only what this snapshot needs; default: all refs and all snapshots
   */
  check(table: TableRef, snapshotId?: string): Promise<ReachCheck>;
}

/** Files of which the engine is to say whether it reaches them. */
export interface OrphanVoteInput {
  readonly table: TableRef;
  /** As the metadata spell it: the engine compares texts. */
  readonly location: string;
  /** Under the location. */
  readonly files: readonly StoredFile[];
  /** Only files older than this are asked for. */
  readonly cutoffMs: number;
  /** Letters, digits and underscores; no other vote has it at the same time. */
  readonly name: string;
}

/** Statements of one session, in order; none of them deletes a file of the table. */
export interface OrphanVote {
  readonly prepare: Statement;
  readonly ask: Statement;
  readonly cleanUp: Statement;
  /** Addresses, as they were given, that the engine calls orphans. */
  readVote(rows: readonly EngineRow[]): readonly string[];
}
