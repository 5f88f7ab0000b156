import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TableStepInput } from '../../src/activities/erasure/types.ts';
import { TABLE_STEPS } from '../../src/domain/erasure/table-steps.ts';
import { batchWorkflowId } from '../../src/domain/ids.ts';
import { startBatch } from '../../src/temporal/erasures.ts';
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
      const error = { code: 'StorageUnavailable', message: 'no' } as const;
      return receipt({ operation: 'erase', ...(purged === 1 ? { status: 'failed', error } : {}) });
    };
    await run({ ...activities, eraseStep });
    const purge = TABLE_STEPS.indexOf('purge');
    expect(told.filter((one) => one !== 'sources' && one !== 'look again')).toEqual([
      ...TABLE_STEPS.slice(0, purge + 1),
      'waits: StorageUnavailable',
      ...TABLE_STEPS,
      'goes on',
      'verification',
      `verify ${table}`,
      'finish',
    ]);
  });

  it('whose counts are wrong fails its requests, and goes no further', async () => {
    const table = newTable();
    const { told, activities } = scene([table, newTable()]);
    const eraseStep = async ({ step }: TableStepInput) => {
      const error = { code: 'InvariantBroken', message: 'others changed' } as const;
      if (step !== 'count') return receipt({ operation: 'erase' });
      return receipt({ operation: 'erase', status: 'failed', error });
    };
    const failBatch: Activities['failBatch'] = async ({ error }) =>
      void told.push(`failed: ${error.code} ${error.message}`);
    await run({ ...activities, eraseStep, failBatch });
    expect(told.at(-1)).toBe('failed: InvariantBroken others changed');
    expect(told.filter((one) => /sources|failed|verif|finish/.test(one))).toHaveLength(2);
  });

  it('leaves a table that is gone to the end, where it is found out whether that may be', async () => {
    const [gone, there] = [newTable(), newTable()];
    const { told, activities } = scene([gone, there]);
    const away = () => ApplicationFailure.nonRetryable('gone', 'TableNotFound');
    const { eraseStep, verifyTable } = activities;
    await run({
      ...activities,
      eraseStep: async (input) => {
        if (input.table === gone) throw away();
        return eraseStep?.(input) as never;
      },
      verifyTable: async (input) => {
        if (input.table === gone) throw away();
        return verifyTable?.(input) as never;
      },
    });
    expect(told).toContain(`purge ${there}`);
    expect(told.slice(-2)).toEqual([`verify ${there}`, 'finish']);
  });

  it('gives the traces of a reading to the next one', async () => {
    const { activities } = scene([newTable()]);
    const given: (readonly string[] | undefined)[] = [];
    const verifyTable: Activities['verifyTable'] = async ({ table, suspects }) => {
      given.push(suspects);
      const waitingFor = given.length === 1 ? 'it was written to' : null;
      return { table, failed: [], waitingFor, suspects: ['a1'] };
    };
    await run({ ...activities, verifyTable });
    expect(given).toEqual([[], ['a1']]);
  });

  it('outlives whatever cannot be told, or begun', async () => {
    const { told, activities } = scene([]);
    let [asked, noted] = [0, 0];
    const away = () => ApplicationFailure.nonRetryable('away', 'LedgerUnavailable');
    const batchClosesAt = async () => {
      asked += 1;
      if (asked === 1) throw away();
      return Date.now();
    };
    const noteBatch = async () => {
      noted += 1;
      throw away();
    };
    await run({ ...activities, batchClosesAt, noteBatch });
    expect([asked, noted, told.at(-1)]).toEqual([2, 2, 'finish']);
  });

  it('that is begun anew does everything anew, under other runs', async () => {
    const { activities } = scene([newTable()]);
    const runs = new Set<string>();
    const submitTableJob: Activities['submitTableJob'] = async (input) => {
      runs.add(input.job.runId);
      await activities.submitTableJob?.(input);
    };
    const batchId = newId();
    await harness.serve({ ...activities, submitTableJob }, async () => {
      for (const _life of [1, 2]) {
        await startBatch(harness.client, batchId);
        await ended(batchWorkflowId(batchId));
      }
    });
    expect(runs.size).toBe(2);
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
