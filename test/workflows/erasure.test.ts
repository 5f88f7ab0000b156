import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErasureStep, TableStepInput } from '../../src/activities/erasure/types.ts';
import { TABLE_STEPS } from '../../src/domain/erasure/table-steps.ts';
import { batchWorkflowId, erasureWorkflowId } from '../../src/domain/ids.ts';
import { startBatch, wakeErasure } from '../../src/temporal/erasures.ts';
import { submitJob } from '../../src/temporal/jobs.ts';
import { type Activities, createHarness, type Harness, newTable, receipt } from './environment.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const newId = () => randomUUID().slice(0, 8);

const ended = (workflowId: string) => harness.client.workflow.getHandle(workflowId).result();

/** A batch over tables; what happens is told in order. */
function scene(
  tables: readonly string[],
  models: readonly { model: string; table: string }[] = [],
) {
  const told: string[] = [];
  const activities: Partial<Activities> = {
    batchClosesAt: async () => Date.now(),
    closeBatch: async ({ batchId }) => ({
      batchId,
      requestIds: ['r1', 'r2'],
      tables,
      verified: tables,
      models,
    }),
    forgetSources: async () => void told.push('sources'),
    lookAgain: async () => void told.push('look again'),
    findBlocked: async () => [],
    noteBatch: async ({ waitingFor }) =>
      void told.push(waitingFor === null ? 'goes on' : `waits: ${waitingFor.code}`),
    beginVerification: async () => void told.push('verification'),
    verifyTable: async ({ table }) => {
      told.push(`verify ${table}`);
      return { table, failed: [], waitingFor: null };
    },
    finishBatch: async () => void told.push('finish'),
    submitTableJob: async ({ table, job, requester }) =>
      submitJob(harness.client, { table, job, requester }),
    eraseStep: async ({ table, step }: TableStepInput) => {
      told.push(`${step} ${table}`);
      return receipt({ operation: 'erase' });
    },
    openTransform: async ({ job }) => {
      told.push(job.title);
      const outcome = {
        ...({ model: job.title, status: 'noop', rowsWritten: 0, snapshotId: null } as const),
        ...{ inputs: {}, because: '' },
      };
      return { engine: 'spark', inputs: {}, outcome };
    },
  };
  return { told, activities };
}

async function run(activities: Partial<Activities>): Promise<void> {
  const batchId = newId();
  await harness.serve(activities, async () => {
    await startBatch(harness.client, batchId);
    await ended(batchWorkflowId(batchId));
  });
}

describe('a batch', () => {
  it('forgets sources, then table by table in all steps, recomputes, verifies, certifies', async () => {
    const [first, second] = [newTable(), newTable()];
    const { told, activities } = scene([first, second], [{ model: 'gold.a', table: second }]);
    await run(activities);
    expect(told).toEqual([
      'sources',
      'look again',
      ...TABLE_STEPS.map((step) => `${step} ${first}`),
      ...TABLE_STEPS.map((step) => `${step} ${second}`),
      'transform gold.a',
      'verification',
      `verify ${first}`,
      `verify ${second}`,
      'finish',
    ]);
  });

  it('waits with the reason where a source is away, and goes on', async () => {
    const { told, activities } = scene([]);
    let tries = 0;
    const forgetSources = async () => {
      tries += 1;
      if (tries > 1) return;
      throw ApplicationFailure.nonRetryable('away', 'SourceUnavailable');
    };
    await run({ ...activities, forgetSources });
    expect(told.slice(0, 2)).toEqual(['waits: SourceUnavailable', 'goes on']);
    expect(told.at(-1)).toBe('finish');
  });

  it('does a table again whose step failed, from its survey, and never goes on without it', async () => {
    const table = newTable();
    const { told, activities } = scene([table]);
    let purged = 0;
    const eraseStep = async ({ step }: TableStepInput) => {
      told.push(step);
      if (step !== 'purge') return receipt({ operation: 'erase' });
      purged += 1;
      const error = { code: 'InvariantBroken', message: 'no' } as const;
      return receipt({ operation: 'erase', ...(purged === 1 ? { status: 'failed', error } : {}) });
    };
    await run({ ...activities, eraseStep });
    const purge = TABLE_STEPS.indexOf('purge');
    expect(told.filter((one) => one !== 'sources' && one !== 'look again')).toEqual([
      ...TABLE_STEPS.slice(0, purge + 1),
      'waits: InvariantBroken',
      ...TABLE_STEPS,
      'goes on',
      'verification',
      `verify ${table}`,
      'finish',
    ]);
  });

  it('waits for refs that still reach old files, then does their tables once more', async () => {
    const [free, held] = [newTable(), newTable()];
    const { told, activities } = scene([free, held]);
    const answers = [[held], [], []];
    const findBlocked = async () => answers.shift() ?? [];
    await run({ ...activities, findBlocked });
    const surveys = told.filter((one) => one.startsWith('survey'));
    expect(surveys).toEqual([`survey ${free}`, `survey ${held}`, `survey ${held}`]);
    expect(told).toContain('waits: SafetyRefused');
  });

  it('without requests does nothing', async () => {
    const { told, activities } = scene([newTable()]);
    const closeBatch: Activities['closeBatch'] = async ({ batchId }) => ({
      ...{ batchId, requestIds: [], tables: [], verified: [], models: [] },
    });
    await run({ ...activities, closeBatch });
    expect(told).toEqual([]);
  });
});

describe('a request', () => {
  it('does what the ledger says next, and looks again when it is woken', async () => {
    const requestId = newId();
    const told: string[] = [];
    const next: ErasureStep[] = [
      { kind: 'find' },
      { kind: 'wait', untilMs: Date.now() + 3_600_000 },
      { kind: 'join' },
      { kind: 'wait', untilMs: Date.now() + 3_600_000 },
      { kind: 'end' },
    ];
    const activities: Partial<Activities> = {
      nextErasureStep: async () => {
        const step = next.shift() as ErasureStep;
        told.push(step.kind);
        return step;
      },
      findSubject: async () => {},
      joinBatch: async () => {},
    };
    await harness.serve(activities, async () => {
      await wakeErasure(harness.client, requestId);
      const workflow = harness.client.workflow.getHandle(erasureWorkflowId(requestId));
      for (const count of [2, 4]) {
        while (told.length < count) await new Promise((resume) => setTimeout(resume, 20));
        await wakeErasure(harness.client, requestId);
      }
      await workflow.result();
    });
    expect(told).toEqual(['find', 'wait', 'join', 'wait', 'end']);
  });

  it('that cannot be looked for says why, and is looked for again', async () => {
    const requestId = newId();
    const told: string[] = [];
    let finds = 0;
    const activities: Partial<Activities> = {
      nextErasureStep: async () => (finds < 2 ? { kind: 'find' } : { kind: 'end' }),
      findSubject: async () => {
        finds += 1;
        told.push('find');
        if (finds === 1) throw ApplicationFailure.nonRetryable('lost', 'CatalogRejected');
      },
      noteRequest: async ({ waitingFor }) => void told.push(`waits: ${waitingFor?.code}`),
    };
    await harness.serve(activities, async () => {
      await wakeErasure(harness.client, requestId);
      await ended(erasureWorkflowId(requestId));
    });
    expect(told).toEqual(['find', 'waits: CatalogRejected', 'find']);
  });
});
