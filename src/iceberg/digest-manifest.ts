import { IcewrightError } from '../domain/errors.ts';
import { AvroCursor } from './avro-cursor.ts';
import { type AvroFile, compileSchema, damaged, openAvro, unpack } from './avro-file.ts';
import { noBounds, setBound } from './bound-values.ts';
import { type EntryRow, entryReaderOf, newRow, type ReadEntry } from './entry-reader.ts';
import {
  type ColumnBounds,
  FILE_KINDS,
  INHERITED,
  type ManifestDigest,
} from './manifest-digest.ts';
import type { PartitionSpec } from './metadata.ts';
import { partitionText } from './partition-text.ts';

/** What a digest is made for: the table's specs, and the columns whose bounds are wanted. */
export interface DigestContext {
  readonly specs: ReadonlyMap<number, PartitionSpec>;
  readonly columns: readonly BoundColumn[];
}

export interface BoundColumn {
  readonly fieldId: number;
  /** Iceberg's name of the type, for example `timestamptz`. */
  readonly type: string;
}

/** Readers made from a schema text: the manifests of a table share a few. */
export type EntryReaders = Map<string, ReadEntry>;

const ADDED = 1;
const DELETED = 2;
const [DATA, POSITION, , VECTOR] = FILE_KINDS.keys();

/**
 * Decodes a manifest once: its live files, as columns.
 * @param listedSpecId the spec as the manifest list says it; the manifest's own header goes before
 * @throws IcewrightError for a damaged, encrypted or unknown file; the message names it
 */
export function digestManifest(
  bytes: Buffer,
  uri: string,
  listedSpecId: number,
  context: DigestContext,
  readers: EntryReaders,
): ManifestDigest {
  const file = openAvro(bytes, uri);
  const specId = Number(file.meta['partition-spec-id']?.toString('utf8') ?? listedSpecId);
  const read = readerFor(file, context, readers);
  const builder = newBuilder(file, specId, context);
  const row = newRow(context.columns.length);
  for (const block of file.blocks) {
    const cursor = new AvroCursor(unpack(file, block));
    for (let index = 0; index < block.records; index += 1) {
      read(cursor, row);
      if (cursor.overrun) throw damaged(uri, 'a block ends inside a record');
      if (row.status !== DELETED) add(builder, row, uri);
    }
  }
  return finish(builder);
}

function readerFor(file: AvroFile, context: DigestContext, readers: EntryReaders): ReadEntry {
  const ids = context.columns.map((column) => column.fieldId);
  const key = `${ids.join()} ${file.schemaText}`;
  const known = readers.get(key);
  if (known !== undefined) return known;
  const made = compileSchema(file, (schema) => entryReaderOf(schema, ids));
  readers.set(key, made);
  return made;
}

interface Builder {
  readonly specId: number;
  readonly spec: PartitionSpec;
  readonly kinds: Uint8Array;
  readonly bytes: Float64Array;
  readonly records: Float64Array;
  readonly addedIn: Uint32Array;
  readonly partitionOf: Uint32Array;
  readonly places: Map<string, number>;
  readonly partitions: (readonly (string | null)[])[];
  readonly types: readonly string[];
  readonly columns: readonly ColumnBounds[];
  files: number;
}

function newBuilder(file: AvroFile, specId: number, context: DigestContext): Builder {
  const room = file.blocks.reduce((sum, block) => sum + block.records, 0);
  return {
    specId,
    spec: context.specs.get(specId) ?? { specId, fields: [] },
    kinds: new Uint8Array(room),
    bytes: new Float64Array(room),
    records: new Float64Array(room),
    addedIn: new Uint32Array(room),
    partitionOf: new Uint32Array(room),
    places: new Map(),
    partitions: [],
    types: context.columns.map((column) => column.type),
    columns: context.columns.map(({ fieldId, type }) => {
      return { fieldId, lower: noBounds(type, room), upper: noBounds(type, room) };
    }),
    files: 0,
  };
}

function add(builder: Builder, row: EntryRow, uri: string): void {
  const index = builder.files;
  builder.files += 1;
  if (row.content < 0 || row.content > 2) throw unknownContent(uri, row.content);
  const isVector = row.content === POSITION && row.isPuffin;
  builder.kinds[index] = isVector ? (VECTOR as number) : row.content;
  builder.records[index] = row.records;
  // Several deletion vectors share one Puffin file: each counts its own part.
  builder.bytes[index] = row.contentBytes >= 0 ? row.contentBytes : row.fileBytes;
  builder.addedIn[index] = addedIn(row);
  builder.partitionOf[index] = placeOf(builder, row.partition);
  if (row.content !== DATA) return;
  for (const [at, column] of builder.columns.entries()) {
    const [type, lower, upper] = [builder.types[at] as string, row.lower[at], row.upper[at]];
    if (lower == null || upper == null) continue;
    setBound(column.lower, index, type, lower);
    setBound(column.upper, index, type, upper);
  }
}

/** A file that this manifest adds has its number from the list; one carried over has its own. */
function addedIn({ status, fileSequence }: EntryRow): number {
  if (fileSequence >= 0) return fileSequence < INHERITED ? fileSequence : 0;
  return status === ADDED ? INHERITED : 0;
}

function placeOf(builder: Builder, values: readonly unknown[]): number {
  const key = partitionKey(values);
  const known = builder.places.get(key);
  if (known !== undefined) return known;
  const place = builder.partitions.length;
  builder.places.set(key, place);
  builder.partitions.push(
    builder.spec.fields.map((field, index) => partitionText(field, values[index])),
  );
  return place;
}

function partitionKey(values: readonly unknown[]): string {
  if (values.length === 0) return '';
  if (values.length === 1 && typeof values[0] === 'number') return String(values[0]);
  return JSON.stringify(values, (_key, value: unknown) => {
    const unfit =
      typeof value === 'bigint' || (typeof value === 'number' && !Number.isFinite(value));
    return unfit ? `number ${value}` : value;
  });
}

function finish(builder: Builder): ManifestDigest {
  const { specId, files, partitions } = builder;
  const room = builder.kinds.length;
  const cut = <T extends Uint8Array | Float64Array | Uint32Array>(values: T): T => {
    const each = room === 0 ? 0 : values.length / room;
    return files === room ? values : (values.slice(0, files * each) as T);
  };
  return {
    specId,
    kinds: cut(builder.kinds),
    bytes: cut(builder.bytes),
    records: cut(builder.records),
    addedIn: cut(builder.addedIn),
    partitionOf: cut(builder.partitionOf),
    partitions,
    columns: builder.columns.map(({ fieldId, lower, upper }) => {
      return { fieldId, lower: cut(lower), upper: cut(upper) };
    }),
  };
}

function unknownContent(uri: string, content: number): IcewrightError {
  return new IcewrightError(
    'OperationUnsupported',
    `${uri} lists a file of content ${content}, which this version does not know`,
    { uri, damage: `content ${content}` },
  );
}
