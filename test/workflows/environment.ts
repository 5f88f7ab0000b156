/** A real Temporal server and a real worker; only the activities are stand-ins. */
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { onTestFinished } from 'vitest';
import type {
  ErasureActivities,
  ErasureEngineActivities,
} from '../../src/activities/erasure/types.ts';
import type { SweepActivities } from '../../src/activities/sweep/types.ts';
import type {
  ControlActivities,
  EngineActivities,
  HealthActivities,
} from '../../src/activities/types.ts';
import { CONTROL_QUEUE, ENGINE_QUEUES } from '../../src/domain/ids.ts';
import type { Job, JobKind } from '../../src/domain/job.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import { connectTemporal } from '../../src/temporal/connect.ts';
import { ensureTemporal } from '../../stack/provision/parts.ts';
import { DEVELOPMENT_LIMITS } from '../../stack/services/temporal.ts';

export type Activities = ControlActivities &
  EngineActivities &
  HealthActivities &
  SweepActivities &
  ErasureActivities &
  Omit<ErasureEngineActivities, 'eraseStep'>;

/** History length at which continue-as-new is suggested, so that a test reaches it. */
export const SUGGEST_EVENTS = 120;

export interface Harness {
  /** As the commands make it. */
  readonly client: Client;
  /** Runs `body` while workers for all queues serve these activities. */
  serve<T>(activities: Partial<Activities>, body: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export async function createHarness(): Promise<Harness> {
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const temporal = await ensureTemporal(() => {});
  const env = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: temporal },
      ui: false,
      extraArgs: [
        ...DEVELOPMENT_LIMITS,
        '--dynamic-config-value',
        `limit.historyCount.suggestContinueAsNew=${SUGGEST_EVENTS}`,
      ],
    },
  });
  const workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../../src/workflows/index.ts', import.meta.url)),
    logger,
  });
  const { client, close } = await connectTemporal({
    address: env.address,
    namespace: 'default',
    tls: false,
    apiKey: undefined,
  });
  return {
    client,
    serve: async (given, body) => {
      const activities = { ...QUIET, ...given };
      const { nativeConnection: connection } = env;
      const shared = { connection, activities, maxHeartbeatThrottleInterval: '100ms' } as const;
      const workers = await Promise.all([
        Worker.create({ ...shared, taskQueue: CONTROL_QUEUE, workflowBundle }),
        Worker.create({ ...shared, taskQueue: ENGINE_QUEUES.spark }),
        Worker.create({ ...shared, taskQueue: ENGINE_QUEUES.trino }),
      ]);
      const running = workers.map((worker) => worker.run());
      const stop = async () => {
        for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
        await Promise.all(running);
      };
      // A test that runs out of time never comes to its `finally`.
      onTestFinished(stop);
      try {
        return await body();
      } finally {
        await stop();
      }
    },
    close: async () => {
      await close();
      await env.teardown();
    },
  };
}

/** Bookkeeping that says nothing; a test gives what it looks at. */
const QUIET: Partial<Activities> = {
  recordQueued: async () => {},
  closeRun: async () => {},
  openNight: async () => {},
  closeNight: async () => {},
  readOutcome: async () => null,
  openRun: async ({ job }) => ({
    planId: job.runId,
    steps: [{ ordinal: 0, kind: 'compact', engine: 'spark' }],
    refused: [],
  }),
  runOperation: async () => receipt(),
  endStatement: async () => {},
  openErasure: async () => {},
  listHealthTables: async () => ({ tables: [], more: false }),
  sweepTables: async ({ tables }) => ({ measured: tables.length, unchanged: 0, failed: [] }),
  closeSweep: async () => ({ tables: 0, failing: 0, findings: 0, worst: [] }),
  rollUpHealth: async () => ({ removed: 0 }),
  listSweepTables: async () => ({ tables: [], more: false }),
  endSweep: async () => {},
};

export function receipt(more: Partial<Receipt> = {}): Receipt {
  const at = '2026-11-21T00:00:00.000Z';
  return {
    operation: 'compact',
    engine: 'spark',
    status: 'done',
    startedAt: at,
    finishedAt: at,
    snapshotBefore: '1',
    snapshotAfter: '2',
    filesBefore: 10,
    filesAfter: 1,
    bytesBefore: 10,
    bytesAfter: 10,
    snapshotsBefore: 1,
    snapshotsAfter: 2,
    bytesRewritten: 10,
    filesRemoved: 0,
    rowsWritten: 0,
    engineOperationId: 'op',
    reattached: false,
    invariants: [],
    error: null,
    ...more,
  };
}

/** A table name that no other test uses. */
export function newTable(): string {
  return `lake.test.t${randomUUID().slice(0, 8)}`;
}

export function jobOf(runId: string, kind: JobKind = 'manual', dedupeKey = runId): Job {
  return {
    runId,
    kind,
    dedupeKey,
    title: runId,
    requestedBy: 'cli:test',
    parentRunId: null,
    work: { kind: 'apply_plan', planId: runId },
  };
}

/** A gate that activities wait at until the test opens it. */
export function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open = () => {};
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}
