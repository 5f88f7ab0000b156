import { randomUUID } from 'node:crypto';
import { ApplicationFailure } from '@temporalio/activity';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CloseSweepInput, SweepTablesInput } from '../../src/activities/types.ts';
import { healthWorkflowId } from '../../src/domain/ids.ts';
import { readHealth, setHealthInterval, startHealth, sweepNow } from '../../src/temporal/health.ts';
import type { SweepReport } from '../../src/workflows/messages.ts';
import { createHarness, gate, type Harness, SUGGEST_EVENTS } from './environment.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const HOUR_MS = 3_600_000;

const newCatalog = () => `c${randomUUID().slice(0, 8)}`;

/** Polls until `check` answers true: for states that another process reaches. */
async function until(check: () => Promise<boolean>): Promise<void> {
  while (!(await check())) await new Promise((resume) => setTimeout(resume, 20));
}

const start = (catalog: string, intervalMs: number) =>
  startHealth(harness.client, { catalog, intervalMs });

const handleOf = (catalog: string) => harness.client.workflow.getHandle(healthWorkflowId(catalog));

/** Ends the sweeps of a test, so that they do not go on beside the next one. */
async function end(catalog: string): Promise<void> {
  await handleOf(catalog).terminate('seen');
}

/** Each sweep's report, gathered by watching. */
async function watchSweeps(catalog: string, count: number): Promise<readonly SweepReport[]> {
  const seen = new Map<number, SweepReport>();
  await until(async () => {
    const { last } = await readHealth(harness.client, catalog);
    if (last !== null) seen.set(last.sweep, last);
    return seen.size >= count;
  });
  return [...seen.values()];
}

/** Stand-ins that keep which sweeps there were. */
function recorder() {
  const sweeps: CloseSweepInput[] = [];
  const closeSweep = async (input: CloseSweepInput) => {
    sweeps.push(input);
    return { tables: 0, failing: 0, findings: 0, worst: [] };
  };
  return { sweeps, activities: { closeSweep } };
}

describe('the health workflow', () => {
  it('is started once, however often a worker starts, and sweeps at once', async () => {
    const catalog = newCatalog();
    const swept: SweepTablesInput[] = [];
    const activities = {
      listHealthTables: async () => ({ tables: [`${catalog}.a.t`], more: false }),
      sweepTables: async (input: SweepTablesInput) => {
        swept.push(input);
        return { measured: 1, unchanged: 0, failed: [] };
      },
      closeSweep: async () => ({
        tables: 1,
        failing: 0,
        findings: 2,
        worst: [{ table: `${catalog}.a.t`, score: 40, findings: ['metadata_grows'] }],
      }),
    };
    await harness.serve(activities, async () => {
      await Promise.all([start(catalog, HOUR_MS), start(catalog, HOUR_MS)]);
      await start(catalog, HOUR_MS);
      const [report] = await watchSweeps(catalog, 1);
      expect(report).toMatchObject({ sweep: 1, full: true, listed: 1, measured: 1, findings: 2 });
      expect(report?.worst[0]).toMatchObject({ score: 40, findings: ['metadata_grows'] });
      const status = await readHealth(harness.client, catalog);
      expect(status).toMatchObject({ catalog, intervalMs: HOUR_MS, sweeping: false, missed: 0 });
      expect(Date.parse(status.nextDueAt) - Date.parse(report?.dueAt ?? '')).toBe(HOUR_MS);
      expect(swept).toEqual([{ catalog, tables: [`${catalog}.a.t`], full: true }]);
      await end(catalog);
    });
  });

  it('neither loses nor doubles a due time while workers come and go', async () => {
    const catalog = newCatalog();
    const intervalMs = 300;
    const { sweeps, activities } = recorder();
    await start(catalog, intervalMs);
    for (const count of [3, 4, 7]) {
      await harness.serve(activities, () => until(async () => sweeps.length >= count));
      // Nobody serves: several due times pass, in which the timer fires and no worker hears it.
      await new Promise((resume) => setTimeout(resume, 4 * intervalMs));
    }
    await end(catalog);
    expect(sweeps.map((one) => one.sweep)).toEqual(sweeps.map((_one, at) => at + 1));
    const dues = sweeps.map((one) => Date.parse(one.dueAt as string));
    for (const [at, { missed }] of sweeps.entries()) {
      if (at === 0) continue;
      const since = (dues[at] as number) - (dues[at - 1] as number);
      expect(since).toBe((missed + 1) * intervalMs);
    }
    expect(sweeps.filter((one) => one.missed >= 2).length).toBeGreaterThanOrEqual(2);
  });

  it('a timer that one worker set is heard by the next', async () => {
    const catalog = newCatalog();
    const { sweeps, activities } = recorder();
    await harness.serve(activities, async () => {
      await start(catalog, 3_000);
      await watchSweeps(catalog, 1);
    });
    await harness.serve(activities, () => until(async () => sweeps.length === 2));
    await end(catalog);
    const [first, second] = sweeps.map((one) => Date.parse(one.dueAt as string));
    expect((second as number) - (first as number)).toBe(3_000);
  });

  it('takes a changed interval at once, and keeps it when a worker starts again', async () => {
    const catalog = newCatalog();
    await harness.serve({}, async () => {
      await start(catalog, HOUR_MS);
      const [first] = await watchSweeps(catalog, 1);
      const changed = await setHealthInterval(harness.client, catalog, 10_000);
      const dueAt = Date.parse(first?.dueAt ?? '');
      expect(changed.intervalMs).toBe(10_000);
      expect(Date.parse(changed.nextDueAt) - dueAt).toBe(10_000);
      // Of the configuration, which has not changed.
      await start(catalog, HOUR_MS);
      await until(async () => ((await readHealth(harness.client, catalog)).last?.sweep ?? 0) >= 2);
      const { last, intervalMs } = await readHealth(harness.client, catalog);
      expect(Date.parse(last?.dueAt ?? '') - dueAt).toBe(10_000);
      expect(intervalMs).toBe(10_000);
      // Now it has.
      await start(catalog, 2 * HOUR_MS);
      await until(
        async () => (await readHealth(harness.client, catalog)).intervalMs === 2 * HOUR_MS,
      );
      await end(catalog);
    });
  });

  it.each([9_999, 86_400_001, 0.5])('refuses an interval of %d ms', async (intervalMs) => {
    const catalog = newCatalog();
    await harness.serve({}, async () => {
      await start(catalog, HOUR_MS);
      const asked = setHealthInterval(harness.client, catalog, intervalMs);
      await expect(asked).rejects.toMatchObject({ code: 'UsageInvalid' });
      expect(await readHealth(harness.client, catalog)).toMatchObject({ intervalMs: HOUR_MS });
      await end(catalog);
    });
  });

  it('sweeps when asked, beside the due times; wishes during a sweep share the next', async () => {
    const catalog = newCatalog();
    const hold = gate();
    let sweeps = 0;
    const closeSweep = async () => {
      sweeps += 1;
      if (sweeps === 2) await hold.passed;
      return { tables: 0, failing: 0, findings: 0, worst: [] };
    };
    await harness.serve({ closeSweep }, async () => {
      await start(catalog, HOUR_MS);
      const [first] = await watchSweeps(catalog, 1);
      const asked = sweepNow(harness.client, catalog);
      await until(async () => (await readHealth(harness.client, catalog)).sweeping);
      await until(async () => sweeps === 2);
      const more = [sweepNow(harness.client, catalog), sweepNow(harness.client, catalog)];
      await until(async () => {
        const { events } = await handleOf(catalog).fetchHistory();
        const accepted = (events ?? []).filter(
          (event) => event.workflowExecutionUpdateAcceptedEventAttributes != null,
        );
        return accepted.length === 3;
      });
      hold.open();
      expect((await asked).sweep).toBeGreaterThanOrEqual(2);
      const [one, two] = await Promise.all(more);
      expect(one).toMatchObject({ sweep: 3, dueAt: null });
      expect(two).toMatchObject({ sweep: 3 });
      expect(sweeps).toBe(3);
      const { nextDueAt } = await readHealth(harness.client, catalog);
      expect(Date.parse(nextDueAt) - Date.parse(first?.dueAt ?? '')).toBe(HOUR_MS);
      await end(catalog);
    });
  });

  it('goes on past tables and batches that fail, and tells them', async () => {
    const catalog = newCatalog();
    const names = Array.from({ length: 450 }, (_, at) => `${catalog}.a.t${1_000 + at}`);
    const listHealthTables = async ({ after }: { after: string | null }) => {
      const rest = names.filter((name) => after === null || name > after);
      return { tables: rest.slice(0, 250), more: rest.length > 250 };
    };
    const sweepTables = async ({ tables }: SweepTablesInput) => {
      if (tables.includes(names[210] as string)) {
        throw ApplicationFailure.nonRetryable('no catalog', 'CatalogUnavailable');
      }
      const failed = tables.filter((table) => table === names[7]);
      return { measured: 1, unchanged: tables.length - failed.length - 1, failed };
    };
    await harness.serve({ listHealthTables, sweepTables }, async () => {
      await start(catalog, HOUR_MS);
      const [report] = await watchSweeps(catalog, 1);
      expect(report).toMatchObject({
        listed: 450,
        measured: 2,
        unchanged: 397,
        failed: 1,
        failing: [names[7]],
        errors: [`50 tables from ${names[200]}: no catalog`],
      });
      // A full sweep that was not complete is tried again.
      expect(await sweepNow(harness.client, catalog)).toMatchObject({ full: true });
      await end(catalog);
    });
  });

  it('outlives a catalog and a ledger that are away', async () => {
    const catalog = newCatalog();
    let away = true;
    const gone = async () => {
      if (away) throw ApplicationFailure.nonRetryable('it is away', 'CatalogUnavailable');
      return { tables: [], more: false };
    };
    await harness.serve({ listHealthTables: gone }, async () => {
      await start(catalog, HOUR_MS);
      const [report] = await watchSweeps(catalog, 1);
      expect(report?.errors).toEqual(['listing: it is away']);
      away = false;
      expect(await sweepNow(harness.client, catalog)).toMatchObject({ sweep: 2, errors: [] });
      await end(catalog);
    });
  });

  it('carries interval, due times and the last report through continue-as-new', async () => {
    const catalog = newCatalog();
    await harness.serve({}, async () => {
      await start(catalog, HOUR_MS);
      const [first] = await watchSweeps(catalog, 1);
      const { runId } = (await handleOf(catalog).describe()) as { runId: string };
      await setHealthInterval(harness.client, catalog, HOUR_MS / 2);
      for (let at = 0; at < SUGGEST_EVENTS / 8; at += 1) await sweepNow(harness.client, catalog);
      const later = await handleOf(catalog).describe();
      expect(later.runId).not.toBe(runId);
      const status = await readHealth(harness.client, catalog);
      expect(status).toMatchObject({ intervalMs: HOUR_MS / 2, sweeps: 1 + SUGGEST_EVENTS / 8 });
      expect(status.last?.sweep).toBe(status.sweeps);
      // Nobody began to count anew, and nobody read everything again.
      expect(status.last).toMatchObject({ full: false });
      expect(Date.parse(status.nextDueAt) - Date.parse(first?.dueAt ?? '')).toBe(HOUR_MS / 2);
      await end(catalog);
    });
  });

  it('tells who asks that nobody sweeps, or that no worker answers', async () => {
    const asked = readHealth(harness.client, newCatalog());
    await expect(asked).rejects.toMatchObject({ code: 'WorkerUnavailable' });
    const catalog = newCatalog();
    await start(catalog, HOUR_MS);
    const away = { code: 'WorkerUnavailable', message: expect.stringContaining('no worker') };
    const { client } = harness;
    await Promise.all([
      expect(readHealth(client, catalog)).rejects.toMatchObject(away),
      expect(setHealthInterval(client, catalog, 10_000)).rejects.toMatchObject(away),
    ]);
    await end(catalog);
  });
});
