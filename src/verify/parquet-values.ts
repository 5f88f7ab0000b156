import type { DecodedArray } from 'hyparquet/src/types.js';
import type { Hit } from './hit.ts';
import type { How, Look } from './look.ts';
import type { ParquetLeaf } from './parquet-footer.ts';
import type { PlaceMatcher } from './place-matcher.ts';

export interface LeafValues {
  readonly leaf: ParquetLeaf;
  /** `null`: the column is not mapped. */
  readonly matcher: PlaceMatcher | null;
}

/** Looks at values of one column: as texts, and by value where the column is mapped. */
export function lookAtValues(values: DecodedArray, column: LeafValues, look: Look, how: How): void {
  const { leaf, matcher } = column;
  const found = (hit: Hit) => look.found(hit, how);
  if (values instanceof Int32Array || values instanceof BigInt64Array) {
    matcher?.numbers(values, leaf.scale, found);
    return;
  }
  const kind = leaf.isText ? 'text' : 'binary';
  const isDecimal = /DECIMAL/.test(
    leaf.element.converted_type ?? leaf.element.logical_type?.type ?? '',
  );
  for (const value of values) {
    if (value instanceof Uint8Array) {
      look.wanted.texts.scan(value, kind, found);
      if (isDecimal) matcher?.number(bigEndian(value), leaf.scale, found);
      else matcher?.text(value, found);
    } else if (matcher !== null && typeof value === 'bigint') {
      matcher.number(value, leaf.scale, found);
    } else if (matcher !== null && Number.isInteger(value)) {
      matcher.number(BigInt(value), leaf.scale, found);
    }
  }
}

/** Two's complement, as decimals are written. */
export function bigEndian(value: Uint8Array): bigint {
  if (value.length === 0) return 0n;
  const digits = Buffer.from(value.buffer, value.byteOffset, value.length).toString('hex');
  return BigInt.asIntN(value.length * 8, BigInt(`0x${digits}`));
}
