/** What readers of files ask of each value in a mapped column. */
import type { Hit } from './hit.ts';

export type Found = (hit: Hit) => void;

/** What a number means. */
export interface NumberForm {
  /** Digits after the point, of decimals. */
  readonly scale: number;
  /** Days since 1970. */
  readonly isDay: boolean;
}

export const PLAIN_NUMBER: NumberForm = { scale: 0, isDay: false };

/** Compares whole values: by what they mean, not by how they are stored. */
export interface PlaceMatcher {
  /** Many numbers at once. */
  numbers(values: Int32Array | BigInt64Array, form: NumberForm, found: Found): void;
  number(value: bigint, form: NumberForm, found: Found): void;
  text(bytes: Uint8Array, found: Found): void;
  /**
   * The fields of JSON that the column holds; nothing where none is mapped.
   * @throws Unreadable `no_json` for what is none and may hold a value
   */
  json(bytes: Uint8Array, found: Found): void;
}
