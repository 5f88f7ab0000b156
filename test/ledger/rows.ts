/** Rows as the activities write them. */
import type { RunRow, StartedOperation } from '../../src/activities/ledger-port.ts';
import type { Plan } from '../../src/domain/operation.ts';
import type { Receipt } from '../../src/domain/receipt.ts';

export const TABLE = 'lake.bronze.raw_orders';

export function run(runId: string, change: Partial<RunRow> = {}): RunRow {
  return {
    runId,
    kind: 'maintenance',
    table: TABLE,
    title: 'compact binpack',
    parentRunId: null,
    workflowId: `run/${runId}`,
    planId: null,
    state: 'queued',
    requestedBy: 'cli:ana',
    createdAt: '2026-11-21T02:00:00.000Z',
    startedAt: null,
    finishedAt: null,
    error: null,
    outcome: null,
    ...change,
  };
}

export function started(runId: string, ordinal = 0): StartedOperation {
  return {
    runId,
    ordinal,
    table: TABLE,
    operation: 'compact',
    engine: 'spark',
    before: {
      snapshotId: '9007199254740993',
      rows: { min: 5, max: 5 },
      files: 3,
      bytes: 9,
      snapshots: 2,
      refs: [],
    },
    startedAt: '2026-11-21T02:00:01.000Z',
  };
}

export function receipt(change: Partial<Receipt> = {}): Receipt {
  return {
    operation: 'compact',
    engine: 'spark',
    status: 'done',
    startedAt: '2026-11-21T02:00:01.000Z',
    finishedAt: '2026-11-21T02:00:02.000Z',
    snapshotBefore: '9007199254740993',
    snapshotAfter: '9007199254740995',
    filesBefore: 3,
    filesAfter: 1,
    bytesBefore: 9,
    bytesAfter: 9,
    snapshotsBefore: 2,
    snapshotsAfter: 3,
    bytesRewritten: 9,
    filesRemoved: 0,
    rowsWritten: 0,
    engineOperationId: '0c0ffee0-0000-4000-8000-000000000001',
    reattached: false,
    invariants: [{ name: 'row_count_unchanged', ok: true }],
    error: null,
    ...change,
  };
}

export function plan(planId: string): Plan {
  const decision = {
    kind: 'rewrite_manifests',
    action: 'skip',
    engine: null,
    operation: null,
    reasons: [{ metric: 'manifests', value: 3, threshold: 100, met: false, because: 'few' }],
    nextEligibleAt: null,
    estimate: null,
  } as const;
  return {
    planId,
    createdAt: '2026-11-21T02:00:00.000Z',
    tables: [{ table: TABLE, tableUuid: 'u', snapshotId: '1', decisions: [decision] }],
  };
}
