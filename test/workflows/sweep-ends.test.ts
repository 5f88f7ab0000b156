import { ApplicationFailure } from '@temporalio/activity';
import { describe, expect, it } from 'vitest';
import type { SweepTurn } from '../../src/activities/sweep/types.ts';
import { tableWorkflowId } from '../../src/domain/ids.ts';
import { maintainNow, readSweeps, startSweeps } from '../../src/temporal/sweeps.ts';
import { type Activities, receipt, SUGGEST_EVENTS } from './environment.ts';

import {
  busy,
  end,
  firstReport,
  HOUR_MS,
  handleOf,
  harness,
  newCatalog,
  planned,
  selected,
  turn,
  until,
  untilCancelled,
  useHarness,
} from './sweep-scene.ts';

useHarness();

describe('the maintenance sweep, where something fails or ends', () => {
  it('goes on past batches and tables that fail, and past somebody who wrote meanwhile', async () => {
    const catalog = newCatalog();
    const names = Array.from({ length: 250 }, (_, at) => `${catalog}.a.t${1_000 + at}`);
    const outcomes: Readonly<Record<string, string>> = {
      [names[0] as string]: 'EngineRejected',
      [names[1] as string]: 'TableChanged',
    };
    const ended: (readonly string[] | undefined)[] = [];
    const activities: Partial<Activities> = {
      ...busy(names),
      endSweep: async ({ done }) => {
        ended.push(done);
      },
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
      // The others go on waiting, and rise in rank.
      expect(ended).toEqual([[names[2]]]);
      await end(catalog);
    });
  });

  it('cancelled, takes its wishes back: nothing of it runs on', async () => {
    const catalog = newCatalog();
    const tables = [1, 2, 3, 4, 5].map((at) => `${catalog}.a.t${at}`);
    let begun = 0;
    // By table: the run tells its end, and then its table's workflow tells it again.
    const closed = new Map<string, string>();
    const activities: Partial<Activities> = {
      ...busy(tables),
      runOperation: async () => {
        begun += 1;
        await untilCancelled();
        return receipt();
      },
      closeRun: async ({ table, outcome }) => {
        closed.set(table, outcome.state);
      },
    };
    await harness.serve(activities, async () => {
      await startSweeps(harness.client, catalog);
      await until(() => begun >= 2);
      await handleOf(catalog).cancel();
      await expect(handleOf(catalog).result()).rejects.toThrow();
      await until(() => closed.size === 2);
      expect([...closed.values()]).toEqual(['cancelled', 'cancelled']);
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

  it('does not begin again where all that was chosen was refused: it would be chosen again', async () => {
    const catalog = newCatalog();
    let round = 0;
    const error = { code: 'TableChanged', message: 'no' } as const;
    const activities: Partial<Activities> = {
      ...busy([`${catalog}.a.t`]),
      selectSweep: async () => {
        round += 1;
        return selected([`${catalog}.a.t`], { more: round < 5 });
      },
      runOperation: async () => receipt({ status: 'refused', error }),
    };
    await harness.serve(activities, async () => {
      await startSweeps(harness.client, catalog);
      await firstReport(catalog);
      // Each wish is a sweep of its own: whatever would begin by itself has begun before it ends.
      await maintainNow(harness.client, catalog, 'upkeep');
      await maintainNow(harness.client, catalog, 'upkeep');
      expect(round).toBe(3);
      await end(catalog);
    });
  });

  it('answers a wish that nobody can grant with the reason', async () => {
    const catalog = newCatalog();
    let readTurns = async (): Promise<readonly SweepTurn[]> => [turn('upkeep'), turn('other')];
    await harness.serve({ readSweeps: () => readTurns() }, async () => {
      await startSweeps(harness.client, catalog);
      await firstReport(catalog);
      const now = (policy: string | null) => maintainNow(harness.client, catalog, policy);
      readTurns = async () => {
        throw ApplicationFailure.nonRetryable('line 3: no', 'PolicyInvalid');
      };
      const faulty = { code: 'PolicyInvalid', message: 'line 3: no' };
      await expect(now('upkeep')).rejects.toMatchObject(faulty);
      expect(await readSweeps(harness.client, catalog)).toMatchObject({ unreadable: faulty });
      readTurns = async () => [turn('other')];
      await expect(now('upkeep')).rejects.toMatchObject({ code: 'UsageInvalid' });
      expect(await now('other')).toMatchObject([{ policy: 'other' }]);
      readTurns = async () => [];
      await expect(now(null)).rejects.toMatchObject({ code: 'UsageInvalid' });
      await handleOf(catalog).result();
    });
  });

  it('reads the policies again before each turn, and a turn without a window stays open', async () => {
    const catalog = newCatalog();
    let round = 0;
    const open = { sinceMs: 0, untilMs: null };
    const activities: Partial<Activities> = {
      ...busy([`${catalog}.a.t`]),
      readSweeps: async () => [turn('first', { open }), turn('second', { paused: round > 0 })],
      selectSweep: async () => {
        round += 1;
        return selected([`${catalog}.a.t`]);
      },
    };
    await harness.serve(activities, async () => {
      await startSweeps(harness.client, catalog);
      expect(await firstReport(catalog)).toMatchObject({ policy: 'first', done: 1, left: {} });
      await maintainNow(harness.client, catalog, 'first');
      expect((await readSweeps(harness.client, catalog)).policies[1]).toMatchObject({ last: null });
      expect(round).toBe(2);
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
