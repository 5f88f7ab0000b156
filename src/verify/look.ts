import type { Trace, VerificationLimit } from '../domain/erasure/certificate.ts';
import type { Hit } from './hit.ts';
import type { Place, Places } from './places.ts';
import { foldBytes } from './search.ts';
import type { Wanted } from './wanted.ts';

export type How = Trace['how'];

/** What a reader of one object looks for, and whom it tells. */
export interface Look {
  readonly wanted: Wanted;
  readonly places: Places;
  found(hit: Hit, how: How): void;
  limited(kind: VerificationLimit['kind']): void;
}

/** A column bound that is cut, and could be the subject's or another value's. */
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

/** Looks at a column bound of text; what is cut is handed to `suspect`. */
export function lookAtTextBound(
  look: Look,
  place: Place | null,
  bound: Uint8Array,
  suspect: (suspicion: Suspicion) => void,
): void {
  for (const one of look.wanted.bounds.lookUp(bound)) {
    const mapped = place?.direct.some((values) => values.identifier === one.identifier) === true;
    if (!one.anywhere && !mapped) continue;
    const hit = { subject: one.subject, identifier: one.identifier };
    if (one.exact) look.found(hit, 'bounds');
    else suspect({ hit, prefix: one.prefix, bound: foldBytes(bound) });
  }
  look.wanted.texts.scan(bound, 'text', (hit) => look.found(hit, 'bounds'));
}
