/**
 * Column bounds: a value as it is, or cut after some characters: the lower bound to a prefix, the
 * upper one to a prefix whose last character is the next one. What is cut is no proof by itself:
 * another value may begin the same way, so whoever meets it has to look whether one does.
 */

import type { Hit, SoughtValue } from './hit.ts';
import { foldBytes } from './search.ts';

export interface BoundHit extends Hit {
  /** Counts in every column; otherwise in columns that hold the identifier. */
  readonly anywhere: boolean;
  /** What values begin with that would explain it, ASCII letters in lower case. */
  readonly prefix: Uint8Array;
}

export interface BoundIndex {
  /** @param bound as stored: bytes of UTF-8 */
  lookUp(bound: Uint8Array): readonly BoundHit[];
}

/** Shorter prefixes are those of too many. */
const MIN_PREFIX_CHARS = 6;
/** Writers cut at 16 characters (Iceberg) or 64 bytes (Parquet's page index), as a rule. */
const MAX_PREFIX_CHARS = 256;
const MAX_CODE_POINT = 0x10ffff;
const NONE: readonly BoundHit[] = [];

export function createBoundIndex(sought: readonly SoughtValue[]): BoundIndex {
  const index = new Map<string, BoundHit[]>();
  for (const one of sought) {
    for (const [bytes, hit] of boundsOf(one)) {
      const key = keyOf(bytes);
      const hits = index.get(key);
      if (hits === undefined) index.set(key, [hit]);
      else hits.push(hit);
    }
  }
  return { lookUp: (bound) => index.get(keyOf(bound)) ?? NONE };
}

function keyOf(bytes: Uint8Array): string {
  return Buffer.from(foldBytes(bytes)).toString('latin1');
}

function boundsOf(one: SoughtValue): readonly (readonly [Buffer, BoundHit])[] {
  const base = { subject: one.subject, identifier: one.identifier, anywhere: one.anywhere };
  const found: (readonly [Buffer, BoundHit])[] = [];
  const chars = [...one.text];
  const whole = Buffer.from(one.text);
  found.push([whole, { ...base, prefix: foldBytes(whole) }]);
  const most = Math.min(chars.length - 1, MAX_PREFIX_CHARS);
  for (let count = MIN_PREFIX_CHARS; count <= most; count += 1) {
    const text = chars.slice(0, count);
    const cut = Buffer.from(text.join(''));
    const hit = { ...base, prefix: foldBytes(cut) };
    found.push([cut, hit], ...raised(text).map((bytes) => [bytes, hit] as const));
  }
  return found;
}

/** The prefix with its last character raised by one, from either case of it. */
function raised(chars: readonly string[]): readonly Buffer[] {
  const last = chars.at(-1) as string;
  const head = chars.slice(0, -1).join('');
  return [...new Set([last, last.toLowerCase(), last.toUpperCase()])].flatMap((one) => {
    const code = (one.codePointAt(0) as number) + 1;
    // Halves of surrogate pairs are no characters.
    if (code > MAX_CODE_POINT || (code >= 0xd800 && code < 0xe000)) return [];
    return [Buffer.from(head + String.fromCodePoint(code))];
  });
}
