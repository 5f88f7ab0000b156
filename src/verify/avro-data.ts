/** Looks at the values of Avro files, leaf by leaf. */
import { type AvroContainer, blocksOf, recordsOf } from './avro-file.ts';
import type { AvroNode, AvroNodeField } from './avro-values.ts';
import type { ByteSource } from './byte-source.ts';
import { scanColumn } from './column-scan.ts';
import type { Hit } from './hit.ts';
import type { Look } from './look.ts';
import { bigEndian } from './parquet-values.ts';
import { isFilePath, lookAtAssignments } from './paths.ts';
import { matcherOf } from './place-values.ts';

/** Texts of the header: schema, properties. */
export function lookAtAvroHeader(file: AvroContainer, look: Look): void {
  for (const bytes of file.meta.values()) {
    look.wanted.texts.scan(bytes, 'text', (hit) => look.found(hit, 'text'));
  }
}

/** Looks at all of an Avro data or delete file. @returns rows */
export async function lookAtAvroData(
  source: ByteSource,
  file: AvroContainer,
  look: Look,
): Promise<number> {
  lookAtAvroHeader(file, look);
  // Of the block that is being read: whether any text that is sought is in it.
  const block = { texts: true };
  const visit = compileVisit(file.schema, {}, (leaf) => lookAtLeaf(leaf, look, block));
  let rows = 0;
  for await (const one of blocksOf(source, file)) {
    rows += one.records;
    block.texts = look.wanted.texts.touches(one.bytes);
    for (const record of recordsOf(one, file.schema)) visit(record);
  }
  return rows;
}

/** Every value of the leaves that `wants`: bytes and texts as `Buffer`. */
export async function eachAvroValue(
  source: ByteSource,
  file: AvroContainer,
  wants: (leaf: AvroLeaf) => boolean,
  visit: (value: unknown) => void,
): Promise<void> {
  const visitRow = compileVisit(file.schema, {}, (leaf) => (wants(leaf) ? visit : () => undefined));
  for await (const block of blocksOf(source, file)) {
    for (const record of recordsOf(block, file.schema)) visitRow(record);
  }
}

export interface AvroLeaf {
  readonly node: AvroNode;
  readonly fieldId: number | undefined;
  /** Without what lists and maps add. */
  readonly names: readonly string[];
}

type Visit = (value: unknown) => void;
type VisitLeaf = (leaf: AvroLeaf) => Visit;
/** What is above a node. */
interface At {
  readonly fieldId?: number | undefined;
  readonly names?: readonly string[];
  /** Of an array's element or a map's value, and of a map's key. */
  readonly partId?: number | undefined;
  readonly keyId?: number | undefined;
}

const KEY: AvroNode = {
  ...{ kind: 'string', fields: [], parts: [], size: 0, name: '' },
  ...{ logicalType: undefined, scale: 0 },
};

function compileVisit(node: AvroNode, at: At, leaf: VisitLeaf): Visit {
  const { fieldId, names = [] } = at;
  switch (node.kind) {
    case 'record':
      return visitRecord(node.fields, names, leaf);
    case 'union': {
      const branches = node.parts.filter((one) => one.kind !== 'null');
      // Iceberg writes optional values only; of other unions each branch is tried.
      const visits = branches.map((one) => compileVisit(one, at, leaf));
      return (value) => {
        if (value !== null) for (const visit of visits) visit(value);
      };
    }
    case 'array':
    case 'map': {
      const part = { fieldId: at.partId ?? fieldId, names };
      const visit = compileVisit(node.parts[0] as AvroNode, part, leaf);
      const visitKey = leaf({ node: KEY, fieldId: at.keyId ?? fieldId, names: [...names, 'key'] });
      return (value) => {
        for (const one of Array.isArray(value) ? value : []) {
          if (node.kind === 'map') visitKey(one.key);
          visit(node.kind === 'map' ? one.value : one);
        }
      };
    }
    default:
      return leaf({ node, fieldId, names });
  }
}

function visitRecord(
  fields: readonly AvroNodeField[],
  names: readonly string[],
  leaf: VisitLeaf,
): Visit {
  const visits = fields.map((one) => {
    const { fieldId, partId, keyId } = one;
    const at = { fieldId, partId, keyId, names: [...names, one.name] };
    return [one.name, compileVisit(one.node, at, leaf)] as const;
  });
  return (value) => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, visit] of visits) visit((value as Record<string, unknown>)[name]);
  };
}

function lookAtLeaf(
  { node, fieldId, names }: AvroLeaf,
  look: Look,
  block: { readonly texts: boolean },
): Visit {
  const place = look.places.find(fieldId, names);
  const matcher = place === null ? null : matcherOf(place);
  const kind = node.kind === 'string' ? 'text' : 'binary';
  const form = { scale: node.scale, isDay: node.logicalType === 'date' };
  const isPath = isFilePath(fieldId, names);
  const found = (hit: Hit) => look.found(hit, 'row');
  return (value) => {
    if (Buffer.isBuffer(value)) {
      if (block.texts) scanColumn(look.wanted.texts, value, kind, place, found);
      if (isPath) lookAtAssignments(value.toString(), look, 'row');
      if (node.logicalType === 'decimal') matcher?.number(bigEndian(value), form, found);
      else {
        matcher?.text(value, found);
        matcher?.json(value, found);
      }
    } else if (typeof value === 'bigint' || Number.isInteger(value)) {
      matcher?.number(BigInt(value as number | bigint), form, found);
    }
  };
}
