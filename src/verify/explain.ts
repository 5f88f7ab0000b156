/** Whether a cut bound is explained by a value that remains, and is nobody's that is sought. */
import type { ColumnDecoder } from 'hyparquet/src/types.js';
import { eachAvroValue } from './avro-data.ts';
import { openAvro } from './avro-file.ts';
import type { ByteSource } from './byte-source.ts';
import type { Suspicion } from './look.ts';
import { decoderOf, type ParquetFooter, type ParquetLeaf, readFooter } from './parquet-footer.ts';
import { isOfDictionary, pagesOf, valuesOf } from './parquet-pages.ts';
import { foldBytes } from './search.ts';
import type { Wanted } from './wanted.ts';

/**
 * Reads one column again, which a suspicion costs and nothing else.
 * @returns for each suspicion, whether another's value begins so
 */
export async function beginsAnyValue(
  source: ByteSource,
  footer: ParquetFooter,
  leaf: ParquetLeaf,
  suspicions: readonly Suspicion[],
  wanted: Wanted,
): Promise<readonly boolean[]> {
  const explained = suspicions.map(() => false);
  for (const group of footer.metadata.row_groups) {
    const chunk = group.columns[leaf.index];
    if (chunk === undefined) continue;
    const decoder = decoderOf(leaf, chunk.meta_data?.codec as ColumnDecoder['codec']);
    for await (const page of pagesOf(source, chunk)) {
      if (isOfDictionary(page) && page.header.dictionary_page_header === undefined) continue;
      for (const value of valuesOf(page, decoder)) {
        if (!(value instanceof Uint8Array)) continue;
        markExplained(value, suspicions, wanted, explained);
      }
    }
  }
  return explained;
}

/** A column of a table, in files with field ids and in those without. */
export interface ExplainedColumn {
  readonly fieldId: number;
  /** Dotted, of any version of the schema. */
  readonly names: ReadonlySet<string>;
}

/** The same for the file that a manifest's entry is of; without such a column nothing explains. */
export async function beginsAnyValueOf(
  source: ByteSource,
  column: ExplainedColumn,
  suspicions: readonly Suspicion[],
  wanted: Wanted,
): Promise<readonly boolean[]> {
  const isIt = ({ fieldId, names }: Pick<ParquetLeaf, 'fieldId' | 'names'>) =>
    fieldId === undefined ? column.names.has(names.join('.')) : fieldId === column.fieldId;
  const magic = await source.read(0, Math.min(4, source.size));
  if (magic.toString('latin1') === 'PAR1') {
    const footer = await readFooter(source);
    const leaf = footer.leaves.find(isIt);
    if (leaf === undefined) return suspicions.map(() => false);
    return beginsAnyValue(source, footer, leaf, suspicions, wanted);
  }
  const explained = suspicions.map(() => false);
  await eachAvroValue(source, await openAvro(source), isIt, (value) => {
    if (Buffer.isBuffer(value)) markExplained(value, suspicions, wanted, explained);
  });
  return explained;
}

function markExplained(
  value: Uint8Array,
  suspicions: readonly Suspicion[],
  wanted: Wanted,
  explained: boolean[],
): void {
  suspicions.forEach(({ prefix, bound, hit }, at) => {
    if (explained[at] === true) return;
    if (!explains(value, { prefix, bound })) return;
    const text = Buffer.from(value).toString('utf8');
    const values = wanted.values.get(hit.identifier);
    explained[at] = values?.texts.has(values.keyOf(text)) !== true;
  });
}

/**
 * Whether a cut bound may be this value's: it begins as the subject does, it begins with the bound,
 * or the bound is its own beginning, raised. In the last two cases the subject's bound would be
 * none of the file: one that is cut is below, one that is raised above every value there.
 */
export function explains(
  value: Uint8Array,
  { prefix, bound }: Pick<Suspicion, 'prefix' | 'bound'>,
): boolean {
  return beginsWith(value, prefix) || beginsWith(value, bound) || isRaised(value, bound);
}

function isRaised(value: Uint8Array, bound: Uint8Array): boolean {
  const count = [...Buffer.from(bound).toString('utf8')].length;
  // Four bytes are the most that a character takes.
  const chars = [...Buffer.from(value.subarray(0, count * 4)).toString('utf8')].slice(0, count);
  const last = chars.pop()?.codePointAt(0);
  if (last === undefined || chars.length + 1 < count || last >= 0x10ffff) return false;
  const raised = Buffer.from(chars.join('') + String.fromCodePoint(last + 1));
  return Buffer.from(foldBytes(raised)).equals(bound);
}

function beginsWith(value: Uint8Array, prefix: Uint8Array): boolean {
  if (value.length < prefix.length) return false;
  const head = foldBytes(value.subarray(0, prefix.length));
  return prefix.every((byte, index) => byte === head[index]);
}
