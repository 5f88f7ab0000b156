/** Catalogs with stand-ins for their tables, for tests of the sweep. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll } from 'vitest';
import type {
  PlanSweepInput,
  SelectedSweep,
  SweepTurn,
  SweptPlans,
} from '../../src/activities/sweep/types.ts';
import { sweepWorkflowId } from '../../src/domain/ids.ts';
import { submitJob } from '../../src/temporal/jobs.ts';
import { readSweeps } from '../../src/temporal/sweeps.ts';
import type { MaintenanceSweepReport } from '../../src/workflows/sweep-messages.ts';
import { type Activities, createHarness, type Harness } from './environment.ts';

/** Of the file that called {@link useHarness}. */
export let harness: Harness;

/** A server for all tests of a file. */
export function useHarness(): void {
  beforeAll(async () => {
    harness = await createHarness();
  });
  afterAll(() => harness.close());
}

export const HOUR_MS = 3_600_000;
export const newCatalog = () => `c${randomUUID().slice(0, 8)}`;

export async function until(check: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await check())) await new Promise((resume) => setTimeout(resume, 20));
}

export const handleOf = (catalog: string) =>
  harness.client.workflow.getHandle(sweepWorkflowId(catalog));
export const end = (catalog: string) => handleOf(catalog).terminate('seen');

export function turn(policy: string, more: Partial<SweepTurn> = {}): SweepTurn {
  const open = { sinceMs: 0, untilMs: Number.MAX_SAFE_INTEGER };
  const nothing = { paused: false, open, nextOpenMs: null, because: '' };
  return { policy, everyMs: HOUR_MS, ...nothing, ...more };
}

export function planned(more: Partial<SweptPlans> = {}): SweptPlans {
  return { quiet: 0, planned: 0, due: 0, elsewhere: 0, failed: [], ...more };
}

export function selected(
  tables: readonly string[],
  more: Partial<SelectedSweep> = {},
): SelectedSweep {
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
export function busy(
  tables: readonly string[],
  more: Partial<SelectedSweep> = {},
): Partial<Activities> {
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
export async function firstReport(catalog: string): Promise<MaintenanceSweepReport> {
  let found: MaintenanceSweepReport | null = null;
  await until(async () => {
    const status = await readSweeps(harness.client, catalog);
    found = status.policies[0]?.last ?? null;
    return found !== null;
  });
  return found as unknown as MaintenanceSweepReport;
}

export const NOTHING = { bytes: 0, engineSeconds: 0, tables: 0 };
export const STEPS = [{ ordinal: 0, kind: 'compact', engine: 'spark' }] as const;

/** As an engine's activity waits: it heartbeats, and hears of its cancellation by that. */
export async function untilCancelled(): Promise<void> {
  const { Context } = await import('@temporalio/activity');
  const context = Context.current();
  const beat = setInterval(() => context.heartbeat(), 50);
  try {
    await context.cancelled;
  } finally {
    clearInterval(beat);
  }
}
