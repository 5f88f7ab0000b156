import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import { IcewrightError } from '../domain/errors.ts';
import { AvroCursor } from './avro-cursor.ts';
import { type AvroSchema, readerOf } from './avro-schema.ts';

/** An Avro record, its 64-bit integers as `bigint`. */
export type AvroRecord = Readonly<Record<string, unknown>>;

/** An Avro object container whose header has been read. */
export interface AvroFile {
  /** Only for messages. */
  readonly uri: string;
  /** The writer's schema, as text: what is compiled from it is kept by it. */
  readonly schemaText: string;
  /** Further entries of the header, for example `partition-spec-id`. */
  readonly meta: Readonly<Record<string, Buffer>>;
  readonly codec: string;
  readonly blocks: readonly AvroBlock[];
}

export interface AvroBlock {
  readonly records: number;
  readonly packed: Buffer;
}

const MAGIC = 'Obj\u0001';
/** What Iceberg's own encryption puts before a file. */
const ENCRYPTED_MAGIC = 'AGS1';
const SYNC_BYTES = 16;
/** Iceberg writes blocks of 64 KB; a block that unpacks to more than this is no honest file. */
const MAX_BLOCK_BYTES = 2 ** 28;
const MAX_BLOCK_RECORDS = 2 ** 24;
/** A block unpacks into pieces of this size at most: larger than Iceberg's, so one is enough. */
const MAX_CHUNK_BYTES = 2 ** 17;
/** Manifests seldom pack better; PyIceberg writes a block for each entry, and room is not free. */
const USUAL_RATIO = 8;

const readMeta = readerOf({ type: 'map', values: 'bytes' });

/**
 * Reads the header and the block headers of an Avro file. Codecs: none, deflate, zstandard.
 * @throws IcewrightError `InvariantBroken` for a damaged file, `OperationUnsupported` for another
 * codec or an encrypted one; all name the file
 */
export function openAvro(bytes: Buffer, uri: string): AvroFile {
  const magic = bytes.subarray(0, 4).toString('latin1');
  if (magic === ENCRYPTED_MAGIC) throw encrypted(uri);
  if (magic !== MAGIC) throw damaged(uri, 'it is no Avro file');
  const cursor = new AvroCursor(bytes);
  cursor.at = MAGIC.length;
  const meta = readMeta(cursor) as Record<string, Buffer>;
  const sync = cursor.fixed(SYNC_BYTES);
  const schemaText = meta['avro.schema']?.toString('utf8');
  if (cursor.overrun || schemaText === undefined) throw damaged(uri, 'its header is cut off');
  const codec = meta['avro.codec']?.toString('utf8') ?? 'null';
  return { uri, schemaText, meta, codec, blocks: readBlocks(cursor, sync, uri) };
}

/**
 * Reads the records of an Avro file, block by block, so that a file is never held as objects as a
 * whole.
 * @param keep the fields that are to be read; others are passed over
 * @throws IcewrightError as {@link openAvro} does
 */
export function* readAvro(
  bytes: Buffer,
  uri: string,
  keep: (field: string) => boolean,
): Generator<AvroRecord> {
  const file = openAvro(bytes, uri);
  const read = compileSchema(file, (schema) => readerOf(schema, keep));
  for (const block of file.blocks) {
    const cursor = new AvroCursor(unpack(file, block));
    for (let index = 0; index < block.records; index += 1) {
      const record = read(cursor) as AvroRecord;
      if (cursor.overrun) throw damaged(uri, 'a block ends inside a record');
      yield record;
    }
  }
}

/** @throws IcewrightError for a block that cannot be unpacked or holds less than it says */
export function unpack(file: AvroFile, block: AvroBlock): Buffer {
  const bytes = inflate(block.packed, file.codec, file.uri);
  // Every record takes a byte at least; a damaged count may be as large as it likes.
  if (block.records > bytes.length) throw damaged(file.uri, 'a block ends inside a record');
  return bytes;
}

/** @throws IcewrightError for a schema that is none, or that `compile` cannot use */
export function compileSchema<T>(file: AvroFile, compile: (schema: AvroSchema) => T): T {
  try {
    return compile(JSON.parse(file.schemaText) as AvroSchema);
  } catch (cause) {
    throw damaged(file.uri, 'its schema cannot be read', cause);
  }
}

function readBlocks(cursor: AvroCursor, sync: Buffer, uri: string): readonly AvroBlock[] {
  const blocks: AvroBlock[] = [];
  while (cursor.at < cursor.bytes.length) {
    const records = cursor.long();
    const packed = cursor.blob();
    const end = cursor.fixed(SYNC_BYTES);
    if (cursor.overrun) throw damaged(uri, 'its last block is cut off');
    if (records < 0 || records > MAX_BLOCK_RECORDS)
      throw damaged(uri, 'a block header makes no sense');
    if (!end.equals(sync)) throw damaged(uri, 'a block does not end where it should');
    blocks.push({ records, packed });
  }
  return blocks;
}

function inflate(block: Buffer, codec: string, uri: string): Buffer {
  const chunkSize = Math.max(1_024, Math.min(MAX_CHUNK_BYTES, block.length * USUAL_RATIO));
  const limits = { maxOutputLength: MAX_BLOCK_BYTES, chunkSize };
  try {
    switch (codec) {
      case 'null':
        return block;
      case 'deflate':
        return inflateRawSync(block, limits);
      case 'zstandard':
        return zstdDecompressSync(block, limits);
    }
  } catch (cause) {
    throw damaged(uri, `a block cannot be decompressed (${codec})`, cause);
  }
  throw new IcewrightError(
    'OperationUnsupported',
    `${uri} is compressed with "${codec}"; readable are none, deflate (Iceberg's default) and ` +
      'zstandard: set write.avro.compression-codec and rewrite the manifests',
    { uri, codec },
  );
}

/** The file is not what it should be. */
export function damaged(uri: string, why: string, cause?: unknown): IcewrightError {
  const told = cause instanceof Error ? ` (${cause.message})` : '';
  const message = `${uri} is damaged: ${why}${told}`;
  return new IcewrightError('InvariantBroken', message, { uri, damage: why }, cause);
}

/** Only an engine with the keys can read the table. */
export function encrypted(uri: string): IcewrightError {
  return new IcewrightError(
    'OperationUnsupported',
    `the manifests of ${uri} are encrypted: their files cannot be counted without an engine`,
    { uri, damage: 'encrypted' },
  );
}
