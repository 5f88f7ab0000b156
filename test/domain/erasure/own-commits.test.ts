import { expect, it } from 'vitest';
import { BATCH_PROPERTY, ownRuns } from '../../../src/domain/erasure/own-commits.ts';

/** `DELETE`, an empty commit and a rewrite of ours; an append and an overwrite of others. */
const KINDS = {
  D: { operation: 'overwrite', summary: { [BATCH_PROPERTY]: 'b1' } },
  E: { operation: 'append', summary: { [BATCH_PROPERTY]: 'b1' } },
  R: { operation: 'replace', summary: {} },
  a: { operation: 'append', summary: {} },
  o: { operation: 'overwrite', summary: { [BATCH_PROPERTY]: 'b0' } },
} as const;

function told(line: string): string {
  const snapshots = [...line].map((kind, at) => ({
    ...KINDS[kind as keyof typeof KINDS],
    snapshotId: String(at + 1),
    parentSnapshotId: String(at),
    sequenceNumber: at,
    committedAtMs: at,
  }));
  const runs = ownRuns(snapshots, 'b1');
  return runs.map(({ from, to, deletes }) => `${from}-${to}${deletes ? ' deletes' : ''}`).join();
}

it.each([
  ['', ''],
  ['a', ''],
  ['DRE', '0-3 deletes'],
  ['aDRE', '1-4 deletes'],
  ['DaRE', '0-1 deletes,2-4'],
  ['DoDE', '0-1 deletes,2-4 deletes'],
  ['ER', '0-2'],
])('%s', (line, runs) => {
  expect(told(line)).toBe(runs);
});
