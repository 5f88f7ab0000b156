/** Reads manifest entries without building them: only what a digest needs is looked at. */
import type { AvroCursor } from './avro-cursor.ts';
import {
  type AvroField,
  type AvroSchema,
  eachItem,
  kindOf,
  type Read,
  readerOf,
  type Skip,
  skipperOf,
  unwrapOptional,
} from './avro-schema.ts';

/** One entry at a time; what the writer leaves out keeps its default. */
export interface EntryRow {
  status: number;
  content: number;
  isPuffin: boolean;
  records: number;
  fileBytes: number;
  /** Of a deletion vector, its own part of the file; -1: not told. */
  contentBytes: number;
  /** Sequence number of the snapshot that added the file; -1: not told. */
  fileSequence: number;
  partition: unknown[];
  /** In the order of the column ids that were asked for; `null`: none. */
  readonly lower: (Buffer | null)[];
  readonly upper: (Buffer | null)[];
}

export type ReadEntry = (cursor: AvroCursor, row: EntryRow) => void;

export function newRow(columns: number): EntryRow {
  return {
    status: 0,
    content: 0,
    isPuffin: false,
    records: 0,
    fileBytes: 0,
    contentBytes: -1,
    fileSequence: -1,
    partition: [],
    lower: Array<Buffer | null>(columns).fill(null),
    upper: Array<Buffer | null>(columns).fill(null),
  };
}

/** Iceberg's field ids; writers that leave them out are known by the names. */
const IDS: Readonly<Record<string, number>> = {
  status: 0,
  data_file: 2,
  file_path: 100,
  file_sequence_number: 4,
  file_format: 101,
  partition: 102,
  record_count: 103,
  file_size_in_bytes: 104,
  lower_bounds: 125,
  upper_bounds: 128,
  content: 134,
  content_size_in_bytes: 145,
};

/**
 * @param fieldIds of the columns whose bounds are wanted
 * @throws Error for a schema that is no manifest's
 */
export function entryReaderOf(schema: AvroSchema, fieldIds: readonly number[]): ReadEntry {
  const entry = fieldsOf(schema);
  const file = entry.find((field) => isField(field, 'data_file'));
  if (file === undefined) throw new Error('it has no data_file');
  const inFile = inOrder(fieldsOf(file.type).map((field) => stepOf(field, fieldIds)));
  return inOrder(
    entry.map((field) => {
      if (field === file) return inFile;
      if (isField(field, 'status')) return readNumber(field.type, 'status');
      if (isField(field, 'file_sequence_number')) return readNumber(field.type, 'fileSequence');
      return skip(field.type);
    }),
  );
}

/** What a path reader tells of an entry. */
export interface PathRow {
  status: number;
  content: number;
  isPuffin: boolean;
  path: string;
}

/**
 * Reads the path of each entry, and what kind of file it is; nothing else.
 * @throws Error for a schema that is no manifest's
 */
export function pathReaderOf(schema: AvroSchema): (cursor: AvroCursor, row: PathRow) => void {
  const entry = fieldsOf(schema);
  const file = entry.find((field) => isField(field, 'data_file'));
  const inFile = file === undefined ? [] : fieldsOf(file.type);
  const hasPath = inFile.some((field) => isField(field, 'file_path'));
  if (!hasPath || !entry.some((field) => isField(field, 'status'))) {
    throw new Error('it has no file_path or no status');
  }
  const whole = newRow(0);
  let path = '';
  const readFile = inOrder(
    inFile.map((field) => {
      if (isField(field, 'content')) return readNumber(field.type, 'content');
      if (isField(field, 'file_format')) return readFormat(field.type);
      if (!isField(field, 'file_path')) return skip(field.type);
      if (kindOf(field.type) !== 'string') throw new Error('its file_path is no text');
      return (cursor) => {
        path = cursor.text();
      };
    }),
  );
  const readAll = inOrder(
    entry.map((field) => {
      if (field === file) return readFile;
      return isField(field, 'status') ? readNumber(field.type, 'status') : skip(field.type);
    }),
  );
  return (cursor, row) => {
    readAll(cursor, whole);
    row.status = whole.status;
    row.content = whole.content;
    row.isPuffin = whole.isPuffin;
    row.path = path;
  };
}

function stepOf(field: AvroField, fieldIds: readonly number[]): ReadEntry {
  if (isField(field, 'content')) return readNumber(field.type, 'content');
  if (isField(field, 'record_count')) return readNumber(field.type, 'records');
  if (isField(field, 'file_size_in_bytes')) return readNumber(field.type, 'fileBytes');
  if (isField(field, 'content_size_in_bytes')) return readNumber(field.type, 'contentBytes');
  if (isField(field, 'file_format')) return readFormat(field.type);
  if (isField(field, 'partition')) return readPartition(field.type);
  if (fieldIds.length > 0) {
    if (isField(field, 'lower_bounds')) return readBounds(field.type, 'lower', fieldIds);
    if (isField(field, 'upper_bounds')) return readBounds(field.type, 'upper', fieldIds);
  }
  return skip(field.type);
}

function isField(field: AvroField, name: string): boolean {
  const id = field['field-id'];
  return id === undefined ? field.name === name : id === IDS[name];
}

function fieldsOf(schema: AvroSchema): readonly AvroField[] {
  const { inner } = unwrapOptional(schema);
  const fields = typeof inner === 'object' && 'fields' in inner ? inner.fields : undefined;
  if (fields === undefined) throw new Error('it describes no manifest entries');
  return fields;
}

function inOrder(steps: readonly ReadEntry[]): ReadEntry {
  return (cursor, row) => {
    for (const step of steps) step(cursor, row);
  };
}

function skip(schema: AvroSchema): ReadEntry {
  const pass: Skip = skipperOf(schema);
  return (cursor) => pass(cursor);
}

type NumberField = 'status' | 'content' | 'records' | 'fileBytes' | 'contentBytes' | 'fileSequence';

function readNumber(schema: AvroSchema, name: NumberField): ReadEntry {
  const { inner, nullAt } = unwrapOptional(schema);
  const kind = kindOf(inner);
  if (kind !== 'int' && kind !== 'long') throw new Error(`its ${name} is of type ${kind}`);
  const missing = name === 'contentBytes' || name === 'fileSequence' ? -1 : 0;
  return (cursor, row) => {
    row[name] = nullAt >= 0 && cursor.long() === nullAt ? missing : cursor.long();
  };
}

function readFormat(schema: AvroSchema): ReadEntry {
  if (kindOf(schema) !== 'string') return skip(schema);
  return (cursor, row) => {
    const size = cursor.length();
    // Of the formats that there are, only Puffin begins so; in upper or lower case.
    const [first, second] = [cursor.bytes[cursor.at] ?? 0, cursor.bytes[cursor.at + 1] ?? 0];
    row.isPuffin = (first | 0x20) === 0x70 && (second | 0x20) === 0x75;
    cursor.at += size;
  };
}

function readPartition(schema: AvroSchema): ReadEntry {
  const reads: readonly Read[] = fieldsOf(schema).map((field) => readerOf(field.type));
  return (cursor, row) => {
    row.partition = reads.map((read) => read(cursor));
  };
}

/** A map with keys that are no text is an array of pairs in Avro. */
function readBounds(
  schema: AvroSchema,
  side: 'lower' | 'upper',
  fieldIds: readonly number[],
): ReadEntry {
  const { inner, nullAt } = unwrapOptional(schema);
  const items = typeof inner === 'object' && 'items' in inner ? inner.items : undefined;
  const pair = items === undefined ? [] : fieldsOf(items).map((field) => kindOf(field.type));
  if (pair.join() !== 'int,bytes') throw new Error('its bounds are no pairs of id and value');
  return (cursor, row) => {
    const found = row[side];
    found.fill(null);
    if (nullAt >= 0 && cursor.long() === nullAt) return;
    const readPair = () => {
      const place = fieldIds.indexOf(cursor.long());
      if (place < 0) cursor.skipBytes();
      else found[place] = cursor.blob();
    };
    for (let count = cursor.long(); count !== 0; count = cursor.long()) {
      if (count < 0) cursor.skipLong();
      eachItem(cursor, Math.abs(count), readPair);
      if (cursor.overrun) return;
    }
  };
}
