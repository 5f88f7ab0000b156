import { describe, expect, it } from 'vitest';
import { beforeOf } from '../../src/domain/before-operation.ts';
import type { Operation } from '../../src/domain/operation.ts';
import { operationCommitted, transformCommitted } from '../../src/domain/reconcile.ts';
import { compact, healthOf as health, snapshotOf } from './table-fixture.ts';

const COMPACT = compact();
const ONE = snapshotOf('1', 'append', {}, null);
const TWO = snapshotOf('2', 'append', {}, '1');

describe('operationCommitted', () => {
  const before = beforeOf(health([ONE, TWO]));

  it('sees a rewrite that descends from the snapshot before', () => {
    expect(operationCommitted(COMPACT, before, health([ONE, TWO]))).toBe(false);
    const appended = health([ONE, TWO, snapshotOf('3', 'append', {}, '2')]);
    expect(operationCommitted(COMPACT, before, appended)).toBe(false);
    const replaced = health([ONE, TWO, snapshotOf('3', 'replace', {}, '2')]);
    expect(operationCommitted(COMPACT, before, replaced)).toBe(true);
  });

  it('does not take a rewrite on another line of history for ours', () => {
    const rolledBack = health([ONE, TWO, snapshotOf('3', 'replace', {}, '1')]);
    expect(operationCommitted(COMPACT, before, rolledBack)).toBe(false);
  });

  it('takes an expiry for done when every named snapshot is gone', () => {
    const expire: Operation = { kind: 'expire_snapshots', snapshotIds: ['1'] };
    expect(operationCommitted(expire, before, health([ONE, TWO]))).toBe(false);
    expect(operationCommitted(expire, before, health([TWO]))).toBe(true);
  });
});

describe('transformCommitted', () => {
  it('finds the run id that Spark carries, and the query id that Trino writes', () => {
    const marks = { runId: 'run', engineOperationIds: ['query'] };
    expect(transformCommitted(health([ONE]), marks)).toBeNull();
    const spark = snapshotOf('2', 'overwrite', { 'icewright.run-id': 'run' }, '1');
    expect(transformCommitted(health([ONE, spark]), marks)).toBe(spark);
    const trino = snapshotOf('2', 'append', { trino_query_id: 'query' }, '1');
    expect(transformCommitted(health([ONE, trino]), marks)).toBe(trino);
  });
});
