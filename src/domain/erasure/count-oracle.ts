/** What counts of rows prove of an erasure: pure comparisons of one snapshot with another. */
import type { InvariantCheck } from '../receipt.ts';
import type { CountOracle } from './certificate.ts';
import type { OwnRun } from './own-commits.ts';

/** Of one snapshot. */
export interface Counted {
  readonly rows: number;
  /** Of the subjects. */
  readonly matched: number;
  /** Sum of the hashes of all other rows, as decimal text. */
  readonly others: string;
}

/** Where what the erasure does is counted from: no commit of ours after it has been proven. */
export interface CountBase extends Counted {
  /** `null`: the table had none. */
  readonly snapshotId: string | null;
  /** Over which the checksum of the others goes. */
  readonly columns: readonly string[];
}

/** Rows after, in an oracle that has not been counted to its end: no certificate takes it. */
const UNCOUNTED = -1;

export function beginOracle({ rows, matched, others }: Counted): CountOracle {
  const after = { after: UNCOUNTED, matchedAfter: UNCOUNTED } as const;
  return { before: rows, matched, ...after, othersBefore: others, othersAfter: others };
}

export function isCounted({ matchedAfter }: CountOracle): boolean {
  return matchedAfter !== UNCOUNTED;
}

/** What must hold between the snapshot before a run of our commits and its last one. */
export function compareRun(
  { deletes }: Pick<OwnRun, 'deletes'>,
  before: Counted,
  after: Counted,
): readonly InvariantCheck[] {
  const left = deletes ? 0 : before.matched;
  return [
    check('rows_removed', before.rows - before.matched + left, after.rows),
    check('no_row_left', left, after.matched),
    check('others_unchanged', before.others, after.others),
  ];
}

function check<T>(name: string, expected: T, found: T): InvariantCheck {
  if (expected === found) return { name, ok: true };
  return { name, ok: false, detail: `expected ${expected}, found ${found}` };
}

/** A certificate has one oracle: of the last run that removed rows, and of those it goes on from. */
export function addRun(
  oracle: CountOracle,
  { deletes }: Pick<OwnRun, 'deletes'>,
  before: Counted,
  after: Counted,
): CountOracle {
  const counted = isCounted(oracle);
  if (counted && !deletes) return oracle;
  const goesOn = counted && oracle.after === before.rows && oracle.othersAfter === before.others;
  return {
    before: goesOn ? oracle.before : before.rows,
    matched: before.matched + (goesOn ? oracle.matched : 0),
    after: after.rows,
    matchedAfter: after.matched,
    othersBefore: goesOn ? oracle.othersBefore : before.others,
    othersAfter: after.others,
  };
}
