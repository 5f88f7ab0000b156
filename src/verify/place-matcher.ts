/** What readers of files ask of each value in a mapped column. */
import type { Hit } from './hit.ts';

export type Found = (hit: Hit) => void;

/** Compares by value, not by type. */
export interface PlaceMatcher {
  /** Many whole numbers at once. `scale`: digits after the point, of decimals. */
  numbers(values: Int32Array | BigInt64Array, scale: number, found: Found): void;
  number(value: bigint, scale: number, found: Found): void;
  text(bytes: Uint8Array, found: Found): void;
}
