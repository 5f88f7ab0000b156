/** What becomes of a plan when one of its steps is refused. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { awaitRun, requestJob } from '../../src/temporal/jobs.ts';
import { createHarness, type Harness, jobOf, newTable, receipt } from './environment.ts';

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness.close());

const STEPS = [
  { ordinal: 0, kind: 'rewrite_manifests', engine: 'spark' },
  { ordinal: 1, kind: 'remove_orphans', engine: 'spark' },
  { ordinal: 2, kind: 'compute_statistics', engine: 'spark' },
] as const;

/** The operations that were tried, with the head that each expected, when `refused` is refused. */
async function walk(refused: string) {
  const { client } = harness;
  const table = newTable();
  const tried: (readonly [string, unknown])[] = [];
  const activities = {
    openRun: async () => ({ planId: 'p', steps: STEPS, refused: [] }),
    runOperation: async (input: { ordinal: number; expectedSnapshotId?: string | null }) => {
      const { kind: operation } = STEPS[input.ordinal] as (typeof STEPS)[number];
      tried.push([operation, input.expectedSnapshotId]);
      if (operation !== refused) return receipt({ operation });
      const error = { code: 'SafetyRefused', message: 'too many' } as const;
      return receipt({ operation, status: 'refused', snapshotAfter: '9', error });
    },
  };
  return harness.serve(activities, async () => {
    const { runId } = await requestJob(client, table, jobOf(randomUUID().slice(0, 8)));
    return { tried, outcome: await awaitRun(client, table, runId) };
  });
}

it('orphans that are refused hold up nothing of the rest', async () => {
  const { tried, outcome } = await walk('remove_orphans');
  expect(tried).toEqual([
    ['rewrite_manifests', undefined],
    ['remove_orphans', '2'],
    ['compute_statistics', '2'],
  ]);
  expect(outcome).toMatchObject({ state: 'refused', error: { code: 'SafetyRefused' } });
});

it('any other refusal ends the plan: later steps rely on it', async () => {
  const { tried, outcome } = await walk('rewrite_manifests');
  expect(tried).toHaveLength(1);
  expect(outcome.state).toBe('refused');
});
