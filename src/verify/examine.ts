/** Looks at one object, whatever it is: by its first bytes, not by its name. */
import type { Trace } from '../domain/erasure/certificate.ts';
import { lookAtAvroData } from './avro-data.ts';
import { type AvroContainer, openAvro } from './avro-file.ts';
import type { ByteSource } from './byte-source.ts';
import type { Look } from './look.ts';
import {
  type FileSuspicion,
  lookAtManifest,
  lookAtManifestList,
  type ManifestEntry,
} from './manifest-look.ts';
import { lookAtParquet } from './parquet-file.ts';
import { lookAtPuffin } from './puffin.ts';
import { lookAtBytes, lookAtPacked, packedWith } from './raw-look.ts';
import type { LakeTable } from './table-metadata.ts';
import { Unreadable } from './unreadable.ts';

/** What it names, of manifests and their lists. */
export interface Examined {
  readonly manifests: readonly string[];
  readonly entries: readonly ManifestEntry[];
}

export interface ExamineOptions {
  readonly source: ByteSource;
  readonly uri: string;
  readonly look: Look;
  readonly table: LakeTable;
  /** What the table says that it is; `null`: the table does not name it. */
  readonly expected: Trace['kind'] | null;
  readonly suspect: (suspicion: FileSuspicion) => void;
  readonly onRows: (rows: number) => void;
  /** Called before anything is found: what it is. */
  readonly onKind: (kind: Trace['kind']) => void;
}

const NOTHING: Examined = { manifests: [], entries: [] };

/** @throws Unreadable, or anything for damaged bytes */
export async function examine(options: ExamineOptions): Promise<Examined> {
  const { source, look, onRows, onKind, expected } = options;
  const head = await source.read(0, Math.min(4, source.size));
  switch (head.toString('latin1')) {
    case 'PAR1':
    case 'PARE':
      onKind(expected ?? 'data');
      await lookAtParquet(source, look, onRows);
      return NOTHING;
    case 'Obj\u0001':
    case 'AGS1':
      return examineAvro(options);
    case 'PFA1':
      onKind(expected ?? 'statistics');
      await lookAtPuffin(source, look);
      return NOTHING;
  }
  onKind(expected ?? kindByName(options.uri));
  await examineBytes(options, head);
  // Its columns cannot be compared: what it holds beside plain texts is not known.
  if (isTableFile(expected) || head.toString('latin1', 0, 3) === 'ORC') {
    throw new Unreadable('unknown_format');
  }
  return NOTHING;
}

function isTableFile(expected: Trace['kind'] | null): boolean {
  return expected !== null && expected !== 'metadata' && expected !== 'unknown';
}

async function examineAvro(options: ExamineOptions): Promise<Examined> {
  const { source, look, table, expected, suspect, onRows, onKind } = options;
  const file = await openAvro(source);
  const kind = expected === 'data' || expected === 'deletes' ? expected : avroKind(file);
  onKind(kind);
  if (kind === 'manifest_list') {
    return { manifests: await lookAtManifestList(source, file, look, table), entries: [] };
  }
  if (kind === 'manifest') {
    return { manifests: [], entries: await lookAtManifest(source, file, look, table, suspect) };
  }
  onRows(await lookAtAvroData(source, file, look));
  return NOTHING;
}

function avroKind({ schema }: AvroContainer): 'manifest' | 'manifest_list' | 'data' {
  const has = (name: string, id: number) =>
    schema.fields.some((one) => one.name === name || one.fieldId === id);
  if (has('manifest_path', 500) && has('manifest_length', 501)) return 'manifest_list';
  return has('data_file', 2) && has('status', 0) ? 'manifest' : 'data';
}

async function examineBytes({ source, uri, look }: ExamineOptions, head: Buffer): Promise<void> {
  const isMetadata = kindByName(uri) === 'metadata';
  if (!isMetadata) look.limited('unknown_format');
  const kind = isMetadata ? 'text' : 'binary';
  await lookAtBytes(source, look, packedWith(head) === null ? kind : 'binary');
  const codec = packedWith(head);
  if (codec !== null) await lookAtPacked(source, look, codec, kind);
}

function kindByName(uri: string): 'metadata' | 'unknown' {
  return /\.metadata\.json(\.gz|\.zst)?$|\/version-hint\.text$/.test(uri) ? 'metadata' : 'unknown';
}
