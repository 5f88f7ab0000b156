import { describe, expect, test } from 'vitest';
import type { SnapshotInfo } from '../../../src/domain/health/health.ts';
import { inputsChanged } from '../../../src/domain/model/changes.ts';

function snapshot(id: number, change: Partial<SnapshotInfo> = {}): SnapshotInfo {
  return {
    snapshotId: String(id),
    parentSnapshotId: id === 1 ? null : String(id - 1),
    sequenceNumber: id,
    committedAtMs: id * 1000,
    operation: 'append',
    summary: { 'added-data-files': '1' },
    ...change,
  };
}

const INPUT = 'lake.bronze.raw_orders';
const EMPTY = { summary: { 'changed-partition-count': '0' } };
const wrote = (inputs: unknown, digest = 'd1') => ({
  summary: {
    'added-data-files': '1',
    'icewright.inputs': JSON.stringify(inputs),
    'icewright.model-digest': digest,
  },
});
const TARGET = [snapshot(1, wrote({ [INPUT]: '2' }))];

function ask(input: readonly SnapshotInfo[], target: readonly SnapshotInfo[] = TARGET) {
  return inputsChanged({
    targetSnapshots: target,
    inputs: { [INPUT]: input },
    modelDigest: 'd1',
  });
}

describe('inputsChanged', () => {
  test('nothing new: every input is named as it was', () => {
    const answer = ask([snapshot(1), snapshot(2)]);
    expect(answer.changed).toBe(false);
    expect(answer.reasons.join('; ')).toContain(`${INPUT} is as it was at snapshot 2`);
  });

  test('a new commit counts, whatever order the snapshots come in', () => {
    const answer = ask([snapshot(3), snapshot(1), snapshot(2)]);
    expect(answer.changed).toBe(true);
    expect(answer.reasons.join('; ')).toContain(`${INPUT} has changed since snapshot 2`);
  });

  test('compaction and commits without rows do not count', () => {
    const compacted = snapshot(3, { operation: 'replace' });
    expect(ask([snapshot(1), snapshot(2), compacted]).changed).toBe(false);
    expect(ask([snapshot(2), compacted, snapshot(4, EMPTY)]).changed).toBe(false);
    expect(ask([snapshot(2), compacted, snapshot(4)]).changed).toBe(true);
    expect(ask([snapshot(2), snapshot(3, { summary: {} })]).changed).toBe(true);
    const deletes = { operation: 'overwrite', summary: { 'added-delete-files': '2' } };
    expect(ask([snapshot(2), snapshot(3, deletes)]).changed).toBe(true);
  });

  test('the snapshot that was read may be expired while its child is there', () => {
    expect(ask([snapshot(3, { operation: 'replace' })]).changed).toBe(false);
  });

  test('what cannot be known counts as changed', () => {
    const cut = ask([snapshot(4, { operation: 'replace' })]);
    expect(cut.changed).toBe(true);
    expect(cut.reasons.join('; ')).toContain('expired');
    expect(ask([]).changed).toBe(true);
    expect(ask([snapshot(1), snapshot(2)], []).changed).toBe(true);
    expect(ask([snapshot(1), snapshot(2)], [snapshot(1)]).changed).toBe(true);
    expect(ask([snapshot(2)], [snapshot(1, wrote({}))]).changed).toBe(true);
    expect(ask([snapshot(2)], [snapshot(1, wrote({ [INPUT]: 2 }))]).changed).toBe(true);
    expect(ask([snapshot(1), snapshot(2)], [snapshot(1, wrote([INPUT]))]).changed).toBe(true);
  });

  test('the watermark is found below compactions of the target, and the newest one counts', () => {
    const target = [
      snapshot(1, wrote({ [INPUT]: '1' })),
      snapshot(2, wrote({ [INPUT]: '2' })),
      snapshot(3, { operation: 'replace', summary: {} }),
    ];
    expect(ask([snapshot(1), snapshot(2)], target).changed).toBe(false);
    expect(ask([snapshot(1), snapshot(2)], target.slice(0, 1)).changed).toBe(true);
  });

  test('a changed model counts', () => {
    const answer = ask([snapshot(2)], [snapshot(1, wrote({ [INPUT]: '2' }, 'd0'))]);
    expect(answer).toMatchObject({ changed: true });
    expect(answer.reasons[0]).toBe('the model has changed');
  });
});
