import type { DecodedArray } from 'hyparquet/src/types.js';
import { scanColumn } from './column-scan.ts';
import type { Hit } from './hit.ts';
import type { How, Look } from './look.ts';
import type { ParquetLeaf } from './parquet-footer.ts';
import { lookAtAssignments } from './paths.ts';
import { matcherOf } from './place-values.ts';
import type { Place } from './places.ts';

export interface LeafLook {
  readonly leaf: ParquetLeaf;
  /** `null`: the column is not mapped. */
  readonly place: Place | null;
  /** `false`: no text that is sought is in the values. Default `true`. */
  readonly texts?: boolean;
}

/** Looks at values of one column: as texts, and by value where the column is mapped. */
export function lookAtValues(
  values: DecodedArray,
  { leaf, place, texts = true }: LeafLook,
  look: Look,
  how: How,
): void {
  const matcher = place === null ? null : matcherOf(place);
  const found = (hit: Hit) => look.found(hit, how);
  if (values instanceof Int32Array || values instanceof BigInt64Array) {
    matcher?.numbers(values, leaf.form, found);
    return;
  }
  const kind = leaf.isText ? 'text' : 'binary';
  for (const value of values) {
    if (value instanceof Uint8Array) {
      if (texts) scanColumn(look.wanted.texts, value, kind, place, found);
      if (leaf.isPath) lookAtAssignments(Buffer.from(value).toString(), look, how);
      if (isDecimal(leaf)) matcher?.number(bigEndian(value), leaf.form, found);
      else {
        matcher?.text(value, found);
        matcher?.json(value, found);
      }
    } else if (matcher !== null && typeof value === 'bigint') {
      matcher.number(value, leaf.form, found);
    } else if (matcher !== null && Number.isInteger(value)) {
      matcher.number(BigInt(value), leaf.form, found);
    }
  }
}

export function isDecimal({ element }: ParquetLeaf): boolean {
  return /DECIMAL/.test(element.converted_type ?? element.logical_type?.type ?? '');
}

/** Two's complement, as decimals are written. */
export function bigEndian(value: Uint8Array): bigint {
  if (value.length === 0) return 0n;
  const digits = Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex');
  return BigInt.asIntN(value.length * 8, BigInt(`0x${digits}`));
}
