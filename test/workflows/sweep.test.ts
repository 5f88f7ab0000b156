import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  PlanSweepInput,
  SelectedSweep,
  SweepTurn,
  SweptPlans,
} from '../../src/activities/sweep-types.ts';
import type { OpenRunInput } from '../../src/activities/types.ts';
import { sweepWorkflowId, tableWorkflowId } from '../../src/domain/ids.ts';
import { awaitRun, requestJob, submitJob } from '../../src/temporal/jobs.ts';
import { maintainNow, readSweeps, startSweeps } from '../../src/temporal/sweeps.ts';
import type { MaintenanceSweepReport } from '../../src/workflows/sweep-messages.ts';
import {
  type Activities,
  createHarness,
  gate,
  type Harness,
  jobOf,
  receipt,
  SUGGEST_EVENTS,
} from './environment.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const HOUR_MS = 3_600_000;
const newCatalog = () => `c${randomUUID().slice(0, 8)}`;

async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await new Promise((resume) => setTimeout(resume, 20));
}

const handleOf = (catalog: string) => harness.client.workflow.getHandle(sweepWorkflowId(catalog));
const end = (catalog: string) => handleOf(catalog).terminate('seen');

function turn(policy: string, more: Partial<SweepTurn> = {}): SweepTurn {
  const open = { sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
  const nothing = { paused: false, open, nextOpenMs: null, because: '' };
  return { policy, everyMs: HOUR_MS, ...nothing, ...more };
}

function planned(more: Partial<SweptPlans> = {}): SweptPlans {
  return { quiet: 0, planned: 0, due: 0, elsewhere: 0, failed: [], ...more };
}

function selected(tables: readonly string[], more: Partial<SelectedSweep> = {}): SelectedSweep {
  return {
    tables: tables.map((table) => ({ table, bytes: 10, engineSeconds: 1 })),
    left: {},
    more: false,
    remaining: { bytes: null, engineSeconds: null },
    spent: { bytes: 0, engineSeconds: 0, tables: 0 },
    budget: { bytes: null, engineSeconds: null, tables: null, concurrency: 2 },
    ...more,
  };
}

/** Stand-ins for a catalog of which all these tables are due and chosen. */
function busy(tables: readonly string[], more: Partial<SelectedSweep> = {}): Partial<Activities> {
  return {
    readSweeps: async () => [turn('upkeep')],
    submitTableJob: (request) => submitJob(harness.client, request),
    listSweepTables: async () => ({ tables, more: false }),
    planSweep: async (input: PlanSweepInput) => {
      return planned({ planned: input.tables.length, due: input.tables.length });
    },
    selectSweep: async () => selected(tables, more),
  };
}

/** The report of the first sweep, waited for. */
async function firstReport(catalog: string): Promise<MaintenanceSweepReport> {
  let found: MaintenanceSweepReport | null = null;
  await until(async () => {
    const status = await readSweeps(harness.client, catalog);
    found = status.policies[0]?.last ?? null;
    return found !== null;
  });
  return found as unknown as MaintenanceSweepReport;
}

describe('the maintenance sweep', () => {
  it('looks in batches, has what was chosen maintained, and tells what it did', async () => {
    const catalog = newCatalog();
    const names = Array.from({ length: 450 }, (_, at) => `${catalog}.a.t${1_000 + at}`);
    const batches: number[] = [];
    const opened: OpenRunInput[] = [];
    const activities: Partial<Activities> = {
      ...busy(names),
      planSweep: async ({ tables }) => {
        batches.push(tables.length);
        const failed = tables.filter((table) => table === names[7]);
        return planned({ quiet: tables.length - 3, planned: 2, due: 2, failed });
      },
      selectSweep: async () =>
        selected(names.slice(0, 3), { left: { budget_bytes: 3 }, spent: { ...NOTHING, bytes: 5 } }),
      openRun: async (input) => {
        opened.push(input);
        return { planId: input.job.runId, steps: STEPS, refused: [] };
      },
    };
    await harness.serve(activities, async () => {
      await Promise.all([
        startSweeps(harness.client, catalog),
        startSweeps(harness.client, catalog),
      ]);
      const report = await firstReport(catalog);
      expect(report).toMatchObject({
        sweep: 1,
        policy: 'upkeep',
        listed: 450,
        quiet: 441,
        planned: 6,
        due: 6,
        selected: 3,
        done: 3,
        failed: 1,
        failing: [names[7]],
        left: { budget_bytes: 3 },
        spent: { bytes: 30, tables: 3 },
        spentBefore: { bytes: 5 },
        errors: [],
      });
      expect(batches).toEqual([200, 200, 50]);
      expect(opened.map((one) => one.table).sort()).toEqual(names.slice(0, 3));
      expect(opened[0]?.job).toMatchObject({
        kind: 'maintenance',
        requestedBy: 'sweep:upkeep',
        parentRunId: report.sweepId,
        work: { kind: 'apply_plan', planId: report.sweepId },
      });
      const { policies } = await readSweeps(harness.client, catalog);
      const nextMs = Date.parse(policies[0]?.nextAt ?? '');
      expect(nextMs - Date.parse(report.dueAt ?? '')).toBe(HOUR_MS);
      await end(catalog);
    });
  });

  it('has no more tables under way than its budget says', async () => {
    const catalog = newCatalog();
    const tables = Array.from({ length: 7 }, (_, at) => `${catalog}.a.t${at}`);
    let [running, most] = [0, 0];
    const runOperation = async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resume) => setTimeout(resume, 50));
      running -= 1;
      return receipt();
    };
    await harness.serve({ ...busy(tables), runOperation }, async () => {
      await startSweeps(harness.client, catalog);
      expect(await firstReport(catalog)).toMatchObject({ selected: 7, done: 7 });
      expect(most).toBe(2);
      await end(catalog);
    });
  });

  it('a command on any table runs while the sweep has many before it', async () => {
    const catalog = newCatalog();
    const tables = Array.from({ length: 8 }, (_, at) => `${catalog}.a.t${at}`);
    const hold = gate();
    const order: string[] = [];
    const openRun = async ({ job, table }: OpenRunInput) => {
      order.push(`${job.kind} ${table}`);
      if (job.kind === 'maintenance') await hold.passed;
      return { planId: job.runId, steps: STEPS, refused: [] };
    };
    await harness.serve({ ...busy(tables), openRun }, async () => {
      await startSweeps(harness.client, catalog);
      await until(() => order.length === 2);
      // Of the last table, which the sweep comes to long after.
      const last = tables.at(-1) as string;
      const job = jobOf(randomUUID());
      await requestJob(harness.client, last, job);
      expect((await awaitRun(harness.client, last, job.runId)).state).toBe('done');
      // Of a table that the sweep holds: it waits for that one run and for nothing else.
      const held = tables[0] as string;
      const next = jobOf(randomUUID());
      await requestJob(harness.client, held, next);
      hold.open();
      expect((await awaitRun(harness.client, held, next.runId)).state).toBe('done');
      expect(await firstReport(catalog)).toMatchObject({ done: 8 });
      expect(order.slice(0, 3)).toContain(`manual ${last}`);
      await end(catalog);
    });
  });

  it('does not begin what its receipts have left no budget for', async () => {
    const catalog = newCatalog();
    const tables = [1, 2, 3, 4].map((at) => `${catalog}.a.t${at}`);
    const remaining = { bytes: 45, engineSeconds: null };
    const budget = { bytes: 45, engineSeconds: null, tables: null, concurrency: 1 };
    // Three times what was estimated.
    const runOperation = async () => receipt({ bytesRewritten: 30 });
    await harness.serve({ ...busy(tables, { remaining, budget }), runOperation }, async () => {
      await startSweeps(harness.client, catalog);
      const report = await firstReport(catalog);
      expect(report).toMatchObject({ selected: 4, done: 2, left: { budget_bytes: 2 } });
      expect(report.spent).toMatchObject({ bytes: 60 });
      await end(catalog);
    });
  });

  it('begins nothing after its window has closed', async () => {
    const catalog = newCatalog();
    const tables = [1, 2, 3].map((at) => `${catalog}.a.t${at}`);
    const untilMs = Date.now() + 1_500;
    const runOperation = async () => {
      await new Promise((resume) => setTimeout(resume, Math.max(0, untilMs + 50 - Date.now())));
      return receipt();
    };
    const activities: Partial<Activities> = {
      ...busy(tables, {
        budget: { bytes: null, engineSeconds: null, tables: null, concurrency: 1 },
      }),
      readSweeps: async () => [turn('upkeep', { open: { sinceMs: 0, untilMs } })],
      runOperation,
    };
    await harness.serve(activities, async () => {
      await startSweeps(harness.client, catalog);
      const { done, left } = await firstReport(catalog);
      // The first one outlasts the window, unless a slow machine never came to it.
      expect(done).toBeLessThanOrEqual(1);
      expect(done + (left.window ?? 0)).toBe(3);
      await end(catalog);
    });
  });

  it('waits for its window; a person passes over it, and over a pause', async () => {
    const catalog = newCatalog();
    const nextOpenMs = Date.now() + HOUR_MS;
    const because = 'the window is 03:00 to 06:00 UTC';
    const readTurns = async () => [
      turn('closed', { open: null, nextOpenMs, because }),
      turn('paused', { paused: true, because: 'the policy is paused' }),
    ];
    await harness.serve({ readSweeps: readTurns }, async () => {
      await startSweeps(harness.client, catalog);
      await until(async () => (await readSweeps(harness.client, catalog)).policies.length === 2);
      const { policies } = await readSweeps(harness.client, catalog);
      expect(policies).toMatchObject([
        { policy: 'closed', nextAt: new Date(nextOpenMs).toISOString(), because, last: null },
        { policy: 'paused', nextAt: null, because: 'the policy is paused', last: null },
      ]);
      const reports = await maintainNow(harness.client, catalog, null);
      expect(reports.map((one) => [one.policy, one.dueAt])).toEqual([
        ['closed', null],
        ['paused', null],
      ]);
      const unknown = maintainNow(harness.client, catalog, 'nope');
      await expect(unknown).rejects.toMatchObject({ code: 'UsageInvalid' });
      await end(catalog);
    });
  });

  it('goes on past batches and tables that fail, and past somebody who wrote meanwhile', async () => {
    const catalog = newCatalog();
    const names = Array.from({ length: 250 }, (_, at) => `${catalog}.a.t${1_000 + at}`);
    const outcomes: Readonly<Record<string, string>> = {
      [names[0] as string]: 'EngineRejected',
      [names[1] as string]: 'TableChanged',
    };
    const activities: Partial<Activities> = {
      ...busy(names),
      planSweep: async ({ tables }) => {
        if (tables.includes(names[210] as string)) {
          throw ApplicationFailure.nonRetryable('no catalog', 'CatalogUnavailable');
        }
        return planned({ planned: 200, due: 3 });
      },
      selectSweep: async () => selected(names.slice(0, 3)),
      runOperation: async ({ table }) => {
        const code = outcomes[table];
        if (code === undefined) return receipt();
        const status = code === 'TableChanged' ? 'refused' : 'failed';
        return receipt({ status, error: { code: code as 'TableChanged', message: 'no' } });
      },
    };
    await harness.serve(activities, async () => {
      await startSweeps(harness.client, catalog);
      expect(await firstReport(catalog)).toMatchObject({
        done: 1,
        failed: 1,
        failing: [names[0]],
        left: { table_changed: 1 },
        errors: [`50 tables from ${names[200]}: no catalog`],
      });
      await end(catalog);
    });
  });

  it('cancelled, takes its wishes back: nothing of it runs on', async () => {
    const catalog = newCatalog();
    const tables = [1, 2, 3, 4, 5].map((at) => `${catalog}.a.t${at}`);
    let begun = 0;
    const closed: string[] = [];
    const activities: Partial<Activities> = {
      ...busy(tables),
      runOperation: async () => {
        begun += 1;
        await untilCancelled();
        return receipt();
      },
      closeRun: async ({ outcome }) => {
        closed.push(outcome.state);
      },
    };
    await harness.serve(activities, async () => {
      await startSweeps(harness.client, catalog);
      await until(() => begun === 2);
      await handleOf(catalog).cancel();
      await expect(handleOf(catalog).result()).rejects.toThrow();
      await until(() => closed.length === 2);
      expect(closed).toEqual(['cancelled', 'cancelled']);
      expect(begun).toBe(2);
      for (const table of tables.slice(0, 2)) {
        await until(async () => {
          const { status } = await harness.client.workflow
            .getHandle(tableWorkflowId(table))
            .describe();
          return status.name !== 'RUNNING';
        });
      }
    });
  });

  it('sweeps again at once when more was chosen than one sweep carries out', async () => {
    const catalog = newCatalog();
    let round = 0;
    const activities: Partial<Activities> = {
      ...busy([`${catalog}.a.t`]),
      selectSweep: async () => {
        round += 1;
        return selected([`${catalog}.a.t`], { more: round === 1 });
      },
    };
    await harness.serve(activities, async () => {
      await startSweeps(harness.client, catalog);
      await until(async () => (await readSweeps(harness.client, catalog)).sweeps >= 2);
      await until(() => round === 2);
      await until(async () => {
        const { policies } = await readSweeps(harness.client, catalog);
        return policies[0]?.last?.sweep === 2;
      });
      const { policies } = await readSweeps(harness.client, catalog);
      expect(policies[0]?.last).toMatchObject({ sweep: 2, dueAt: null });
      await end(catalog);
    });
  });

  it('carries its clocks and reports through continue-as-new', async () => {
    const catalog = newCatalog();
    await harness.serve({ readSweeps: async () => [turn('upkeep')] }, async () => {
      await startSweeps(harness.client, catalog);
      const first = await firstReport(catalog);
      const { runId } = await handleOf(catalog).describe();
      for (let at = 0; at < SUGGEST_EVENTS / 8; at += 1) {
        await maintainNow(harness.client, catalog, 'upkeep');
      }
      expect((await handleOf(catalog).describe()).runId).not.toBe(runId);
      const status = await readSweeps(harness.client, catalog);
      expect(status.sweeps).toBe(1 + SUGGEST_EVENTS / 8);
      const nextMs = Date.parse(status.policies[0]?.nextAt ?? '');
      expect(nextMs - Date.parse(first.dueAt ?? '')).toBe(HOUR_MS);
      await end(catalog);
    });
  });

  it('ends when no policy wants it any more, which a worker that starts makes it see', async () => {
    const catalog = newCatalog();
    let turns: readonly SweepTurn[] = [turn('upkeep')];
    await harness.serve({ readSweeps: async () => turns }, async () => {
      await startSweeps(harness.client, catalog);
      await firstReport(catalog);
      turns = [];
      await startSweeps(harness.client, catalog);
      await handleOf(catalog).result();
      const asked = readSweeps(harness.client, newCatalog());
      await expect(asked).rejects.toMatchObject({ code: 'WorkerUnavailable' });
    });
  });
});

const NOTHING = { bytes: 0, engineSeconds: 0, tables: 0 };
const STEPS = [{ ordinal: 0, kind: 'compact', engine: 'spark' }] as const;

/** As an engine's activity waits: it heartbeats, and hears of its cancellation by that. */
async function untilCancelled(): Promise<void> {
  const { Context } = await import('@temporalio/activity');
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 50);
  try {
    await context.cancelled;
  } finally {
    clearInterval(beat);
  }
}
