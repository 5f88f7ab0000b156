import type { Trace, VerificationLimit } from '../domain/erasure/certificate.ts';
import type { Hit } from './hit.ts';
import { matcherOf } from './place-values.ts';
import type { Place, Places } from './places.ts';
import { foldBytes } from './search.ts';
import type { TextKind } from './texts.ts';
import type { Wanted } from './wanted.ts';

export type How = Trace['how'];

/** What a reader of one object looks for, and whom it tells. */
export interface Look {
  readonly wanted: Wanted;
  readonly places: Places;
  found(hit: Hit, how: How): void;
  limited(kind: VerificationLimit['kind']): void;
}

/** A column bound of text, which may be cut: the subject's or another value's. */
export interface Suspicion {
  readonly hit: Hit;
  /** Values that begin so explain it; ASCII letters in lower case. */
  readonly prefix: Uint8Array;
  /**
   * As it stands there, in lower case: values that begin with it explain it, too. The subject's own
   * upper bound, raised, is above every value of its file, so none begins with it.
   */
  readonly bound: Uint8Array;
}

/**
 * Looks at a column bound of text. Also one that equals the subject's value may be the beginning of
 * another's, so all are handed to `suspect`: a value of the subject that is still there is found
 * by itself.
 */
export function lookAtTextBound(
  look: Look,
  place: Place | null,
  bytes: Uint8Array,
  suspect: (suspicion: Suspicion) => void,
  kind: TextKind = 'text',
): void {
  const bound = foldBytes(bytes);
  const suspectIt = (hit: Hit) => suspect({ hit, prefix: bound, bound });
  for (const { subject, identifier, anywhere, prefix } of look.wanted.bounds.lookUp(bytes)) {
    if (!anywhere && place?.whole.has(identifier) !== true) continue;
    suspect({ hit: { subject, identifier }, prefix, bound });
  }
  if (place !== null) matcherOf(place).text(bytes, suspectIt);
  look.wanted.texts.scan(bytes, kind, suspectIt, place === null ? {} : { whole: place.whole });
}
