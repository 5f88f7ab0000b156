/** Looks for texts in a value of a column. */

import { keyOf } from './json-place.ts';
import { eachScalar } from './json-scalars.ts';
import type { Found } from './place-matcher.ts';
import type { Place } from './places.ts';
import type { TextKind, TextSearch } from './texts.ts';

/**
 * As in any text, but what a mapped column, or a mapped field of its JSON, holds as a whole is left
 * to its matcher: a longer name that contains the subject's is somebody else's.
 */
export function scanColumn(
  texts: TextSearch,
  bytes: Uint8Array,
  kind: TextKind,
  place: Place | null,
  found: Found,
): void {
  if (place === null) {
    texts.scan(bytes, kind, found);
    return;
  }
  const { whole, inJson } = place;
  let isUnsettled = false;
  texts.scan(
    bytes,
    kind,
    (hit) => {
      if (inJson.has(hit.identifier)) isUnsettled = true;
      else found(hit);
    },
    { whole },
  );
  if (isUnsettled) scanJson(texts, bytes, kind, place, found);
}

function scanJson(
  texts: TextSearch,
  bytes: Uint8Array,
  kind: TextKind,
  { json }: Place,
  found: Found,
): void {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
  const mapped = Map.groupBy(json, ({ path }) => keyOf(path));
  try {
    eachScalar(text, (scalar, path, isMember) => {
      const here = isMember ? [] : (mapped.get(keyOf(path)) ?? []);
      const whole = new Set(here.map(({ values }) => values.identifier));
      texts.scan(Buffer.from(scalar), 'text', found, { whole });
    });
  } catch {
    texts.scan(bytes, kind, found);
  }
}
