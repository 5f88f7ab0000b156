/**
 * Compares every value of a mapped column by its keyed hash: how a table is read when the values
 * themselves are long destroyed. Slower than looking for known values, and as exact.
 */
import { parseExactJson } from '../domain/exact-json.ts';
import type { PlaceMatcher } from './place-values.ts';
import type { Place } from './places.ts';
import type { Hit, WantedValues } from './wanted.ts';

type Found = (hit: Hit) => void;

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
      for (const { path, values } of place.json)
        askAt(json, path, (one) => ask(values, one, found));
    },
  };
}

/** Follows a path through objects, into every element of lists, and into JSON inside JSON. */
function askAt(json: unknown, path: readonly string[], ask: (text: string) => void): void {
  const [name, ...rest] = path;
  if (Array.isArray(json)) {
    for (const one of json) askAt(one, path, ask);
  } else if (name === undefined) {
    if (typeof json === 'string' || typeof json === 'number') ask(String(json));
  } else if (typeof json === 'string' && /^\s*[[{]/.test(json)) {
    askAt(parsedOrNull(json), path, ask);
  } else if (typeof json === 'object' && json !== null && Object.hasOwn(json, name)) {
    askAt((json as Record<string, unknown>)[name], rest, ask);
  }
}

function parsedOrNull(text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    return null;
  }
}
