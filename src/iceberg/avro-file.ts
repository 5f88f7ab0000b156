import { inflateRawSync, zstdDecompressSync } from 'node:zlib';
import avro, { type Schema, type Type } from 'avsc';
import { IcewrightError } from '../domain/errors.ts';

/** An Avro record, its 64-bit integers as `bigint`. */
export type AvroRecord = Readonly<Record<string, unknown>>;

/** Chooses from the writer's schema what is to be read; the rest is skipped, not built. */
export type Project = (writer: Schema) => Schema;

/** Types made from a schema text: the manifests of a table share a few. */
export type TypeCache = Map<string, { readonly type: Type; readonly resolver: unknown }>;

const HEADER = avro.Type.forSchema({
  type: 'record',
  name: 'Header',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'Magic', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 'Sync', size: 16 } },
  ],
});
const MAGIC = 'Obj\u0001';
const SYNC_BYTES = 16;
/** Iceberg writes blocks of 64 KB; a block that unpacks to more than this is no honest file. */
const MAX_BLOCK_BYTES = 2 ** 28;

/** avsc's own long refuses what exceeds 2^53; ids and partition values do. */
const EXACT_LONG = avro.types.LongType.__with({
  fromBuffer: (buffer: Buffer) => buffer.readBigInt64LE(),
  toBuffer: (value: bigint) => {
    const buffer = Buffer.alloc(8);
    buffer.writeBigInt64LE(value);
    return buffer;
  },
  fromJSON: BigInt,
  toJSON: String,
  isValid: (value: unknown) => typeof value === 'bigint',
  compare: (left: bigint, right: bigint) => (left < right ? -1 : left > right ? 1 : 0),
});

/**
 * Reads the records of an Avro object container, block by block, so that a file is never held as
 * objects as a whole. Codecs: none, deflate, zstandard.
 * @param uri only for messages
 * @throws IcewrightError `InvariantBroken` for a damaged file, `OperationUnsupported` for another
 * codec; both name the file
 */
export function* readAvro(
  bytes: Buffer,
  uri: string,
  project: Project,
  cache: TypeCache,
): Generator<AvroRecord> {
  const header = readHeader(bytes, uri);
  const { type, resolver } = typeOf(header.schema, uri, project, cache);
  const cursor: Cursor = { bytes, at: header.end, uri };
  while (cursor.at < bytes.length) {
    const count = readCount(cursor);
    const size = readCount(cursor);
    const end = cursor.at + size;
    if (end + SYNC_BYTES > bytes.length) throw damaged(uri, 'its last block is cut off');
    const block = inflate(bytes.subarray(cursor.at, end), header.codec, uri);
    const sync = bytes.subarray(end, end + SYNC_BYTES);
    if (!sync.equals(header.sync)) throw damaged(uri, 'a block does not end where it should');
    yield* readBlock(block, count, type, resolver, uri);
    cursor.at = end + SYNC_BYTES;
  }
}

function* readBlock(
  block: Buffer,
  count: number,
  type: Type,
  resolver: unknown,
  uri: string,
): Generator<AvroRecord> {
  let offset = 0;
  for (let index = 0; index < count; index += 1) {
    const decoded = decodeAt(block, offset, type, resolver, uri);
    if (decoded.offset < 0) throw damaged(uri, 'a block ends inside a record');
    offset = decoded.offset;
    yield decoded.value;
  }
}

function decodeAt(block: Buffer, offset: number, type: Type, resolver: unknown, uri: string) {
  try {
    return type.decode(block, offset, resolver as never) as { value: AvroRecord; offset: number };
  } catch (cause) {
    throw damaged(uri, 'a record cannot be decoded', cause);
  }
}

interface Header {
  readonly schema: string;
  readonly codec: string;
  readonly sync: Buffer;
  readonly end: number;
}

function readHeader(bytes: Buffer, uri: string): Header {
  if (bytes.subarray(0, 4).toString('latin1') !== MAGIC) throw damaged(uri, 'it is no Avro file');
  const { value, offset } = HEADER.decode(bytes) as {
    value: { meta: Record<string, Buffer>; sync: Buffer } | undefined;
    offset: number;
  };
  const schema = value?.meta['avro.schema']?.toString('utf8');
  if (value === undefined || schema === undefined) throw damaged(uri, 'its header is cut off');
  const codec = value.meta['avro.codec']?.toString('utf8') ?? 'null';
  return { schema, codec, sync: value.sync, end: offset };
}

function typeOf(schemaText: string, uri: string, project: Project, cache: TypeCache) {
  const known = cache.get(schemaText);
  if (known !== undefined) return known;
  try {
    const schema = JSON.parse(schemaText) as Schema;
    const writer = avro.Type.forSchema(schema, { registry: { long: EXACT_LONG } });
    const type = avro.Type.forSchema(project(schema), { registry: { long: EXACT_LONG } });
    const made = { type, resolver: type.createResolver(writer) };
    cache.set(schemaText, made);
    return made;
  } catch (cause) {
    throw damaged(uri, 'its schema cannot be read', cause);
  }
}

function inflate(block: Buffer, codec: string, uri: string): Buffer {
  try {
    switch (codec) {
      case 'null':
        return block;
      case 'deflate':
        return inflateRawSync(block, { maxOutputLength: MAX_BLOCK_BYTES });
      case 'zstandard':
        return zstdDecompressSync(block, { maxOutputLength: MAX_BLOCK_BYTES });
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

interface Cursor {
  readonly bytes: Buffer;
  at: number;
  readonly uri: string;
}

/** A zigzag varint that must be a small natural number: a count or a size. */
function readCount(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (let index = 0; index < 8; index += 1) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) throw damaged(cursor.uri, 'it ends inside a block header');
    cursor.at += 1;
    value += (byte & 0x7f) * scale;
    scale *= 128;
    if (byte < 0x80) {
      if (value % 2 === 0) return value / 2;
      break;
    }
  }
  throw damaged(cursor.uri, 'a block header makes no sense');
}

function damaged(uri: string, why: string, cause?: unknown): IcewrightError {
  const told = cause instanceof Error ? ` (${cause.message})` : '';
  const message = `${uri} is damaged: ${why}${told}`;
  return new IcewrightError('InvariantBroken', message, { uri, damage: why }, cause);
}
