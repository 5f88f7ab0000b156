/** What a removal of orphans is asked for, and what it tells. */

/**
 * Only what two looks found goes. `soon`: both in this run. `later`: the first is of an earlier
 * run; where there is none, this run looks and removes nothing. `approved`: a person has applied a
 * plan, and the first look is the list that it names.
 */
export type OrphanLooks =
  | { readonly kind: 'soon'; readonly pauseMs: number }
  | { readonly kind: 'later'; readonly gapMs: number }
  | { readonly kind: 'approved'; readonly lookId: string; readonly digest: string };

/** What a removal of orphans saw and did. Counts are of files. */
export interface OrphanCounts {
  readonly listed: number;
  readonly reachable: number;
  /** Reached by nothing, but too young to tell. */
  readonly young: number;
  /** The store does not say how old they are: they stay. */
  readonly unknownAge: number;
  /** Found by the last look. */
  readonly candidates: number;
  /** Found by both looks, and called unreachable by the engine as well. */
  readonly agreed: number;
  readonly bytesFreed: number;
  /** Age that a file had to have, and the rule that said so. */
  readonly olderThanMs: number;
  readonly olderThanBecause: string;
  /** For people: what came of it where nothing was removed. */
  readonly note: string | null;
}
