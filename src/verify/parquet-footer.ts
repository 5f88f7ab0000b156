/** A Parquet file's footer: its columns, and every text that stands in it. */
import { type FileMetaData, parquetMetadata, parquetSchema } from 'hyparquet';
import { getTreePath } from 'hyparquet/src/schema.js';
import { deserializeTCompactProtocol } from 'hyparquet/src/thrift.js';
import type { ColumnDecoder, SchemaElement } from 'hyparquet/src/types.js';
import type { ByteSource } from './byte-source.ts';
import { COMPRESSORS } from './codecs.ts';
import { isFilePath } from './paths.ts';
import type { NumberForm } from './place-matcher.ts';
import { Unreadable } from './unreadable.ts';

/** Parts of Parquet's own description of a file, by the numbers of its fields. */
export type Thrift = Readonly<Record<string, unknown>>;

export interface ParquetLeaf {
  readonly index: number;
  /** Without the groups that lists and maps are wrapped in. */
  readonly names: readonly string[];
  readonly fieldId: number | undefined;
  readonly element: SchemaElement;
  /** Its bytes are text. */
  readonly isText: boolean;
  readonly form: NumberForm;
  /** Its texts are addresses of files. */
  readonly isPath: boolean;
  readonly path: readonly string[];
  readonly schemaPath: ColumnDecoder['schemaPath'];
}

export interface ParquetFooter {
  readonly metadata: FileMetaData;
  readonly raw: Thrift;
  /** Where the footer begins. */
  readonly start: number;
  readonly leaves: readonly ParquetLeaf[];
}

const TAIL_BYTES = 8;
/** Bounds are looked at as bytes: none is turned into a text, a date or parsed. */
const AS_BYTES = {
  stringFromBytes: (bytes: Uint8Array) => bytes,
  jsonFromBytes: (bytes: Uint8Array) => bytes,
  uuidFromBytes: (bytes: Uint8Array) => bytes,
  geometryFromBytes: (bytes: Uint8Array) => bytes,
  geographyFromBytes: (bytes: Uint8Array) => bytes,
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value,
  timestampFromNanoseconds: (value: bigint) => value,
  dateFromDays: (value: number) => value,
};

export async function readFooter(source: ByteSource): Promise<ParquetFooter> {
  if (source.size < 12) throw new Unreadable('damaged');
  const tail = await source.read(source.size - TAIL_BYTES, TAIL_BYTES);
  const magic = tail.toString('latin1', 4);
  if (magic === 'PARE') throw new Unreadable('encrypted');
  const length = tail.readUInt32LE(0);
  if (magic !== 'PAR1' || length + TAIL_BYTES > source.size) throw new Unreadable('damaged');
  const start = source.size - TAIL_BYTES - length;
  const bytes = Buffer.from(await source.read(start, length + TAIL_BYTES));
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  const raw = deserializeTCompactProtocol({ view, offset: 0 }) as Thrift;
  // Field 8 names the algorithm of a file whose columns alone are encrypted.
  if (raw.field_8 !== undefined) throw new Unreadable('encrypted');
  const metadata = parquetMetadata(bytes, { parsers: AS_BYTES, geoparquet: false });
  return { metadata, raw, start, leaves: leavesOf(metadata) };
}

function leavesOf(metadata: FileMetaData): readonly ParquetLeaf[] {
  const tree = parquetSchema(metadata);
  const paths: string[][] = [];
  const visit = (node: typeof tree) => {
    if (node.children.length > 0) node.children.forEach(visit);
    else if (node !== tree) paths.push(node.path);
  };
  visit(tree);
  return paths.map((path, index) => leafOf(index, path, getTreePath(tree, path)));
}

const WRAPPERS = new Set(['list', 'element', 'array', 'bag', 'array_element', 'key_value', 'map']);

function leafOf(
  index: number,
  path: readonly string[],
  schemaPath: ColumnDecoder['schemaPath'],
): ParquetLeaf {
  const element = (schemaPath.at(-1) as ColumnDecoder['schemaPath'][number]).element;
  const { converted_type: converted, logical_type: logical } = element;
  const fieldId = fieldIdOf(schemaPath);
  // Names under repeated groups are wrappers; a column may have such a name itself.
  const names = path.filter((name, depth) => depth === 0 || !WRAPPERS.has(name));
  const isDecimal = converted === 'DECIMAL' || logical?.type === 'DECIMAL';
  return {
    index,
    path,
    schemaPath,
    element,
    names,
    fieldId,
    isText:
      /^(UTF8|JSON|ENUM)$/.test(converted ?? '') ||
      /^(STRING|JSON|ENUM)$/.test(logical?.type ?? ''),
    form: {
      scale: isDecimal ? (element.scale ?? 0) : 0,
      isDay: converted === 'DATE' || logical?.type === 'DATE',
    },
    isPath: isFilePath(fieldId, names),
  };
}

/** Its own id; a part of a variant has none, and is known by the column's. */
function fieldIdOf(schemaPath: ColumnDecoder['schemaPath']): number | undefined {
  return schemaPath.findLast((node) => node.element.field_id !== undefined)?.element.field_id;
}

export function decoderOf(leaf: ParquetLeaf, codec: ColumnDecoder['codec']): ColumnDecoder {
  const { element, schemaPath, path } = leaf;
  if (element.type === undefined) throw new Unreadable('damaged');
  return {
    pathInSchema: [...path],
    type: element.type,
    element,
    schemaPath,
    codec,
    compressors: COMPRESSORS,
    parsers: AS_BYTES,
  };
}
