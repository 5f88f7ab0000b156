/**
 * Compares every value of a mapped column by its keyed hash: how a table is read when the values
 * themselves are long destroyed. Slower than looking for known values, and as exact.
 */
import type { WantedValues } from './hit.ts';
import { eachScalarAt, parsedOrNull } from './json-scalars.ts';
import type { Found, PlaceMatcher } from './place-matcher.ts';
import type { Place } from './places.ts';

export function isProbed({ direct, json }: Place): boolean {
  return [...direct, ...json.map(({ values }) => values)].some((one) => one.probe !== undefined);
}

export function createProbe(place: Place): PlaceMatcher {
  const ask = ({ probe, keyOf }: WantedValues, text: string, found: Found) => {
    for (const hit of probe?.(keyOf(text)) ?? []) found(hit);
  };
  const number = (value: bigint, scale: number, found: Found) => {
    const unit = 10n ** BigInt(Math.max(0, scale));
    if (value % unit !== 0n) return;
    for (const one of place.direct) ask(one, String(value / unit), found);
  };
  return {
    number,
    numbers: (values, scale, found) => {
      for (const value of values) number(BigInt(value), scale, found);
    },
    text: (bytes, found) => {
      const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
      for (const one of place.direct) ask(one, text, found);
      if (place.json.length === 0) return;
      const json = parsedOrNull(text);
      for (const { path, values } of place.json) {
        eachScalarAt(json, path, (scalar) => ask(values, scalar, found));
      }
    },
  };
}
