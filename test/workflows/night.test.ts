import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { OpenRunInput } from '../../src/activities/types.ts';
import { nightlyWorkflowId } from '../../src/domain/ids.ts';
import { readHealth, startHealth } from '../../src/temporal/health.ts';
import { submitJob } from '../../src/temporal/jobs.ts';
import { startNight, watchNight } from '../../src/temporal/nights.ts';
import { createHarness, type Harness, receipt } from './environment.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

async function runNight({ maintenance = false, concurrency = 1 }) {
  const runId = randomUUID();
  const night = await startNight(harness.client, {
    workflow: 'nightly',
    workflowId: nightlyWorkflowId(runId),
    input: { runId, requestedBy: 'cli:test', models: [], maintenance, concurrency },
  });
  return night.result();
}

const handOver = (request: Parameters<typeof submitJob>[1]) => submitJob(harness.client, request);

it('a night keeps to its concurrency, and has health measured at its end', async () => {
  const catalog = `c${randomUUID().slice(0, 8)}`;
  const tables = Array.from({ length: 6 }, (_, at) => `${catalog}.a.t${at}`);
  const models = tables.map((table) => ({
    model: table,
    table,
    engine: 'spark' as const,
    after: [],
  }));
  let [running, most] = [0, 0];
  const activities = {
    planNight: async () => ({ models }),
    planMaintenance: async ({ runId }: { readonly runId: string }) => ({ planId: runId, tables }),
    submitTableJob: handOver,
    openTransform: async ({ job }: OpenRunInput) => ({
      engine: 'spark' as const,
      inputs: {},
      outcome: {
        model: job.title,
        status: 'noop' as const,
        rowsWritten: 0,
        snapshotId: null,
        inputs: {},
        because: 'nothing new',
      },
    }),
    runOperation: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resume) => setTimeout(resume, 50));
      running -= 1;
      return receipt();
    },
  };
  await harness.serve(activities as never, async () => {
    await startHealth(harness.client, { catalog, intervalMs: 3_600_000 });
    const report = await runNight({ maintenance: true, concurrency: 2 });
    expect(report.maintenance).toHaveLength(6);
    expect(most).toBe(2);
    for (;;) {
      const { last } = await readHealth(harness.client, catalog);
      if (last !== null && last.sweep >= 2) {
        expect(last.dueAt).toBeNull();
        break;
      }
      await new Promise((resume) => setTimeout(resume, 20));
    }
    await harness.client.workflow.getHandle(`health/${catalog}`).terminate('seen');
  });
});

it('what asked first goes first, whatever becomes ready meanwhile', async () => {
  const catalog = `c${randomUUID().slice(0, 8)}`;
  const model = (name: string, after: readonly string[] = []) => ({
    ...{ model: name, table: `${catalog}.a.${name}`, engine: 'spark' as const, after },
  });
  const order: string[] = [];
  const activities = {
    // As the graph has them: `second` is ready when `first` ends, and `third` waits since before.
    planNight: async () => ({
      models: [model('first'), model('second', ['first']), model('third')],
    }),
    submitTableJob: handOver,
    openTransform: async ({ job }: OpenRunInput) => {
      order.push(job.title);
      const told = { rowsWritten: 0, snapshotId: null, inputs: {}, because: 'nothing new' };
      const outcome = { model: job.title, status: 'noop' as const, ...told };
      return { engine: 'spark' as const, inputs: {}, outcome };
    },
  };
  await harness.serve(activities as never, async () => {
    await runNight({});
  });
  expect(order).toEqual(['transform first', 'transform third', 'transform second']);
});

it('what a safety rule refused is told with its table, and the night has not failed for it', async () => {
  const catalog = `c${randomUUID().slice(0, 8)}`;
  const [kept, torn] = [`${catalog}.a.kept`, `${catalog}.a.torn`];
  const orphans = { operation: 'remove_orphans' as const };
  const broken = { code: 'EngineRejected' as const, message: 'Spark said no' };
  const unsafe = { code: 'SafetyRefused' as const, message: 'a broken table may lie within' };
  const activities = {
    planNight: async () => ({ models: [] }),
    planMaintenance: async ({ runId }: { readonly runId: string }) => ({
      planId: runId,
      tables: [kept, torn],
    }),
    submitTableJob: handOver,
    openRun: async () => ({
      planId: 'p',
      refused: [],
      steps: [0, 1].map((ordinal) => ({ ordinal, engine: 'spark' as const })),
    }),
    runOperation: async ({ table, ordinal }: { table: string; ordinal: number }) => {
      if (ordinal === 0) return { ...receipt(), ...orphans, status: 'refused', error: unsafe };
      return table === torn ? { ...receipt(), status: 'failed', error: broken } : receipt();
    },
  };
  await harness.serve(activities as never, async () => {
    const report = await runNight({ maintenance: true });
    expect(report.failed).toEqual([torn]);
    expect(report.maintenance.map(({ state, error }) => [state, error])).toEqual([
      ['refused', unsafe.message],
      ['failed', broken.message],
    ]);
    expect(report.maintenance.map(({ operations }) => operations.length)).toEqual([2, 2]);
  });
});

it('a night that no worker takes has nothing to tell while it is watched, and its end is thrown', async () => {
  const night = await startNight(harness.client, {
    workflow: 'nightly',
    workflowId: nightlyWorkflowId(randomUUID()),
    input: { runId: null, requestedBy: 'test', models: [], maintenance: false, concurrency: 1 },
  });
  const told: unknown[] = [];
  const watching = watchNight(night, 100, async (progress) => {
    told.push(progress);
    if (told.length === 2) await night.terminate('seen');
  });
  await expect(watching).rejects.toThrow(night.workflowId);
  expect(told.slice(0, 2)).toEqual([null, null]);
});
