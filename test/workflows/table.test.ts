import { randomUUID } from 'node:crypto';
import { CancelledFailure, Context } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tableWorkflowId } from '../../src/domain/ids.ts';
import { type Job, type JobOutcome, QUEUE_LIMIT } from '../../src/domain/job.ts';
import { awaitRun, cancelJob, readQueue, requestJob, submitJob } from '../../src/temporal/jobs.ts';
import {
  createHarness,
  gate,
  type Harness,
  jobOf,
  newTable,
  receipt,
  SUGGEST_EVENTS,
} from './environment.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const id = () => randomUUID().slice(0, 8);

/** Asks as a command does, and waits for the end. */
async function runJob(table: string, job: Job) {
  const { client } = harness;
  const { runId, joined } = await requestJob(client, table, job);
  return { joined, outcome: await awaitRun(client, table, runId) };
}

/** Polls until `check` answers true: for states that another process reaches. */
async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resume) => setTimeout(resume, 20));
}

describe('the table workflow', () => {
  it('runs one of two equal requests; the other joins it and gets the same outcome', async () => {
    const { client } = harness;
    const table = newTable();
    const hold = gate();
    let runs = 0;
    const runOperation = async () => {
      runs += 1;
      await hold.passed;
      return receipt();
    };
    await harness.serve({ runOperation }, async () => {
      const first = runJob(table, jobOf(id(), 'manual', 'same'));
      await until(async () => (await readQueue(client, table))?.holder != null);
      const second = runJob(table, jobOf(id(), 'manual', 'same'));
      await until(async () => (await readQueue(client, table))?.holder?.joined === 1);
      hold.open();
      const [one, two] = await Promise.all([first, second]);
      expect(one).toMatchObject({ joined: false, outcome: { state: 'done' } });
      expect(two).toEqual({ joined: true, outcome: one.outcome });
      expect(runs).toBe(1);
    });
  });

  it('does not let an equal request join a job that has ended for those who wait for it', async () => {
    const table = newTable();
    const ended = new Map<string, JobOutcome>();
    let runs = 0;
    const activities = {
      runOperation: async () => {
        runs += 1;
        return receipt();
      },
      closeRun: async ({ outcome }: { outcome: JobOutcome }) => {
        ended.set(outcome.runId, outcome);
      },
      readOutcome: async (runId: string) => ended.get(runId) ?? null,
    };
    await harness.serve(activities, async () => {
      for (let at = 1; at <= 20; at += 1) {
        const { joined } = await runJob(table, jobOf(id(), 'manual', 'same'));
        expect(joined).toBe(false);
        expect(runs).toBe(at);
      }
    });
  });

  it('lets a withdrawal overtake a request that waits for the ledger', async () => {
    const { client } = harness;
    const table = newTable();
    const [hold, ledger] = [gate(), gate()];
    const activities = {
      runOperation: async () => {
        await hold.passed;
        return receipt();
      },
      readOutcome: async () => {
        await ledger.passed;
        throw new Error('the ledger is away');
      },
    };
    await harness.serve(activities, async () => {
      const first = jobOf(id(), 'manual', 'same');
      const done = runJob(table, first);
      await until(async () => (await readQueue(client, table))?.holder != null);
      const requester = { workflowId: 'nightly/x', askedRunId: 'second' };
      await submitJob(client, { table, job: jobOf('second', 'manual', 'same'), requester });
      const handle = client.workflow.getHandle(tableWorkflowId(table));
      await handle.signal('withdraw', { workflowId: requester.workflowId });
      ledger.open();
      const third = jobOf(id(), 'manual', 'other');
      await requestJob(client, table, third);
      await until(async () => (await readQueue(client, table))?.waiting.length === 1);
      expect((await readQueue(client, table))?.holder).toMatchObject({ joined: 0 });
      hold.open();
      expect((await done).outcome.state).toBe('done');
      await awaitRun(client, table, third.runId);
    });
  });

  it('runs different jobs one at a time, the most urgent first', async () => {
    const { client } = harness;
    const table = newTable();
    const hold = gate();
    const order: string[] = [];
    let atOnce = 0;
    const runOperation = async ({ runId }: { runId: string }) => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      if (order.length === 0) await hold.passed;
      order.push(runId);
      atOnce -= 1;
      return receipt();
    };
    await harness.serve({ runOperation }, async () => {
      const tag = id();
      const kinds = ['maintenance', 'maintenance', 'transform', 'manual', 'erasure'] as const;
      for (const [at, kind] of kinds.entries()) {
        const job = jobOf(`${tag}-${at}-${kind}`, kind);
        await requestJob(client, table, job);
        if (at === 0) await until(async () => (await readQueue(client, table))?.holder != null);
      }
      const queue = await readQueue(client, table);
      expect(queue?.waiting.map((one) => one.kind)).toEqual([
        'erasure',
        'manual',
        'transform',
        'maintenance',
      ]);
      hold.open();
      await client.workflow.getHandle(tableWorkflowId(table)).result();
      expect(order.map((one) => one.slice(tag.length + 1))).toEqual([
        '0-maintenance',
        '4-erasure',
        '3-manual',
        '2-transform',
        '1-maintenance',
      ]);
    });
  });

  it('stops a running job inside its activity, and takes a waiting one out', async () => {
    const { client } = harness;
    const table = newTable();
    let interrupted = false;
    const runOperation = async () => {
      const context = Context.current();
      const beat = setInterval(() => context.heartbeat(), 50);
      try {
        await context.cancelled;
      } catch (error) {
        interrupted = error instanceof CancelledFailure;
        throw error;
      } finally {
        clearInterval(beat);
      }
      return receipt();
    };
    const closed: string[] = [];
    const closeRun = async ({ outcome }: { outcome: { runId: string; state: string } }) => {
      closed.push(`${outcome.runId} ${outcome.state}`);
    };
    await harness.serve({ runOperation, closeRun }, async () => {
      const [running, waiting] = [id(), id()];
      const first = runJob(table, jobOf(running));
      await until(async () => (await readQueue(client, table))?.holder != null);
      const second = runJob(table, jobOf(waiting));
      await until(async () => (await readQueue(client, table))?.waiting.length === 1);
      const dropped = await cancelJob(client, table, waiting);
      expect(dropped).toMatchObject({ runId: waiting, state: 'cancelled' });
      expect(await second).toMatchObject({ outcome: { runId: waiting, state: 'cancelled' } });
      expect(await cancelJob(client, table, running)).toMatchObject({ state: 'cancelled' });
      expect(await first).toMatchObject({ outcome: { runId: running, state: 'cancelled' } });
      expect(interrupted).toBe(true);
      expect(closed).toContain(`${waiting} cancelled`);
      expect(closed).toContain(`${running} cancelled`);
      expect(await cancelJob(client, table, 'never there')).toBeNull();
    });
  });

  it('refuses what a full queue cannot hold, with the code', async () => {
    const { client } = harness;
    const table = newTable();
    const hold = gate();
    const runOperation = async () => {
      await hold.passed;
      return receipt();
    };
    await harness.serve({ runOperation }, async () => {
      const tag = id();
      for (let at = 0; at <= QUEUE_LIMIT; at += 1) {
        await submitJob(client, { table, job: jobOf(`${tag}-${at}`), requester: null });
        if (at === 0) await until(async () => (await readQueue(client, table))?.holder != null);
      }
      await until(async () => (await readQueue(client, table))?.waiting.length === QUEUE_LIMIT);
      const more = runJob(table, jobOf(`${tag}-more`));
      await expect(more).rejects.toMatchObject({ code: 'QueueFull' });
      await client.workflow.getHandle(tableWorkflowId(table)).terminate('seen');
      hold.open();
    });
  });

  it('carries its queue and its waiting commands through continue-as-new, and ends when idle', async () => {
    const { client } = harness;
    const table = newTable();
    const ran: string[] = [];
    const runOperation = async ({ runId }: { runId: string }) => {
      ran.push(runId);
      return receipt();
    };
    await harness.serve({ runOperation }, async () => {
      const tag = id();
      const jobs = Array.from({ length: 40 }, (_, at) => jobOf(`${tag}-${at}`));
      const all = jobs.map((job) => runJob(table, job));
      const results = await Promise.all(all);
      expect(results.every((one) => one.outcome.state === 'done')).toBe(true);
      expect([...ran].sort()).toEqual(jobs.map((job) => job.runId).sort());
      const handle = client.workflow.getHandle(tableWorkflowId(table));
      await handle.result();
      const { status, historyLength } = await handle.describe();
      expect(status.name).toBe('COMPLETED');
      expect(historyLength).toBeLessThan(SUGGEST_EVENTS * 3);
    });
  });

  it('reports a failed activity with its code, and goes on with the next job', async () => {
    const table = newTable();
    const { ApplicationFailure } = await import('@temporalio/activity');
    const openRun = async () => {
      throw ApplicationFailure.nonRetryable('no column "nope"', 'UsageInvalid');
    };
    await harness.serve({ openRun }, async () => {
      const result = await runJob(table, jobOf(id()));
      expect(result).toMatchObject({
        outcome: { state: 'failed', error: { code: 'UsageInvalid', message: 'no column "nope"' } },
      });
      const again = await runJob(table, jobOf(id()));
      expect(again.outcome.state).toBe('failed');
    });
  });

  it('keeps the lock until what an activity without an answer left running has been ended', async () => {
    const table = newTable();
    const { ApplicationFailure } = await import('@temporalio/activity');
    const seen: string[] = [];
    const tag = id();
    const runOperation = async ({ runId }: { runId: string }) => {
      seen.push(`run ${runId}`);
      if (runId !== `${tag}-1`) return receipt();
      throw ApplicationFailure.nonRetryable('lost', 'EngineOutcomeUnknown');
    };
    const endStatement = async ({ engine, key }: { engine: string; key: string }) => {
      seen.push(`end ${engine} ${key}`);
    };
    await harness.serve({ runOperation, endStatement }, async () => {
      const jobs = [1, 2].map((at) => jobOf(`${tag}-${at}`));
      const [lost] = await Promise.all(jobs.map((job) => runJob(table, job)));
      expect(lost).toMatchObject({ outcome: { error: { code: 'EngineOutcomeUnknown' } } });
      const from = seen.indexOf(`run ${tag}-1`);
      expect(seen[from + 1]).toBe(`end spark ${tag}-1/0`);
    });
  });

  it('leaves no workflow running behind a hundred quiet tables', async () => {
    const { client } = harness;
    const tables = Array.from({ length: 100 }, newTable);
    await harness.serve({}, async () => {
      for (let at = 0; at < tables.length; at += 10) {
        const batch = tables.slice(at, at + 10);
        await Promise.all(batch.map((table) => runJob(table, jobOf(id()))));
      }
      await Promise.all(
        tables.map((table) => client.workflow.getHandle(tableWorkflowId(table)).result()),
      );
      // Lists lag a moment behind the ends of workflows.
      await until(async () => {
        for await (const one of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
          if (tables.some((table) => one.workflowId.includes(table))) return false;
        }
        return true;
      });
    });
  });
});
