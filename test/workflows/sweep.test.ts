import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { OpenRunInput } from '../../src/activities/types.ts';
import { awaitRun, requestJob } from '../../src/temporal/jobs.ts';
import { maintainNow, readSweeps, startSweeps } from '../../src/temporal/sweeps.ts';
import { type Activities, gate, jobOf, receipt } from './environment.ts';

import {
  busy,
  end,
  firstReport,
  HOUR_MS,
  harness,
  NOTHING,
  newCatalog,
  planned,
  STEPS,
  selected,
  turn,
  until,
  useHarness,
} from './sweep-scene.ts';

useHarness();

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

  it('begins what was chosen beyond the budget, and nothing besides', async () => {
    const catalog = newCatalog();
    const [huge, next] = [`${catalog}.a.huge`, `${catalog}.a.next`];
    const cost = { bytes: 100, engineSeconds: 1 };
    const tables = [
      { table: huge, ...cost, beyond: true as const },
      { table: next, ...cost },
    ];
    const selectSweep = async () =>
      selected([], { tables, remaining: { bytes: 45, engineSeconds: null } });
    await harness.serve({ ...busy([huge, next]), selectSweep }, async () => {
      await startSweeps(harness.client, catalog);
      expect(await firstReport(catalog)).toMatchObject({ done: 1, left: { budget_bytes: 1 } });
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
});
