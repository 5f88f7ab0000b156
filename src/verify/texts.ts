import type { Hit, SoughtValue } from './hit.ts';
import { type Needle, needlesOf } from './needles.ts';
import { createSearch } from './search.ts';
import { type Edges, edgesOf, standsAlone } from './word-edges.ts';

/** Looks for the texts of all subjects in bytes. */
export interface TextSearch {
  /** Whether anything is there at all, also inside longer words: a first look, which is fast. */
  touches(bytes: Uint8Array): boolean;
  /**
   * Calls `found` for each text that stands for itself in a text.
   * @param kind `binary`: what stands before and after is no text, so every occurrence counts
   * @param found also told where the text ends
   */
  scan(
    bytes: Uint8Array,
    kind: TextKind,
    found: (hit: Hit, end: number) => void,
    where?: ScanWhere,
  ): void;
  /** Bytes that two pieces of an object must share, so that nothing is missed between them. */
  readonly overlapBytes: number;
}

export type TextKind = 'text' | 'binary';

export interface ScanWhere {
  /** Of a longer text: what cannot be judged at its ends is seen in the next one. */
  readonly piece?: TextPiece;
  /**
   * Identifiers whose whole values are compared here: `Ann Lee` in `Ann Lee Kim` is another one. An
   * address of e-mail stands for itself also among other words.
   */
  readonly whole?: ReadonlySet<string>;
}

export interface TextPiece {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

interface Tag {
  readonly hit: Hit;
  readonly needle: Needle;
  readonly edges: Edges;
}

/** Surroundings that decide whether a text stands for itself. */
const EDGE_BYTES = 24;

export function createTextSearch(sought: readonly SoughtValue[]): TextSearch {
  const search = createSearch<Tag>(
    sought.flatMap((one) => {
      const edges = edgesOf(one.text);
      const hit = { subject: one.subject, identifier: one.identifier };
      return needlesOf(one.text).map((needle) => {
        return {
          bytes: needle.bytes,
          caseMatters: needle.caseMatters,
          tag: { hit, needle, edges },
        };
      });
    }),
  );
  return {
    touches: search.touches,
    overlapBytes: search.longest === 0 ? 0 : search.longest + 2 * EDGE_BYTES,
    scan: (bytes, kind, found, { piece, whole } = {}) => {
      const from = piece?.isFirst === false ? EDGE_BYTES : 0;
      const to = piece?.isLast === false ? bytes.length - EDGE_BYTES : bytes.length;
      search.find(bytes, ({ hit, needle, edges }, start, end) => {
        if (start < from || end > to) return false;
        const { form, lead } = needle;
        if (form === 'utf8' && !edges.isMail && whole?.has(hit.identifier)) return false;
        const place = { form, lead, start, end };
        if (kind === 'binary' || standsAlone(bytes, place, edges)) found(hit, end);
        return false;
      });
    },
  };
}
