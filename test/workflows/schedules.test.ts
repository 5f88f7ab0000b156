/** What a real Temporal server makes of the nightly policies when the clocks change. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CONTROL_QUEUE } from '../../src/domain/ids.ts';
import type { NightlyPolicy } from '../../src/domain/policy/policy.ts';
import { desiredSchedules } from '../../src/domain/policy/schedules.ts';
import { reconcileSchedules } from '../../src/temporal/schedules.ts';
import type { NightlyInput, NightlyReport } from '../../src/workflows/messages.ts';
import { createHarness, type Harness } from './environment.ts';

const NOW_MS = Date.parse('2026-11-21T02:00:00Z');
const ZONES = ['Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe'] as const;
const TIMES = ['00:30', '01:00', '01:30', '02:00', '02:30', '03:00', '22:00'] as const;
/** Around each change of 2027, and of a year further on. */
const SPANS = [
  ['2027-03-10', '2027-04-02'],
  ['2027-10-25', '2027-11-12'],
  ['2027-04-01', '2027-04-10'],
  ['2027-09-28', '2027-10-08'],
  ['2032-03-10', '2032-04-02'],
] as const;

let harness: Harness;
beforeAll(async () => {
  harness = await createHarness();
});
afterAll(() => harness?.close());

function nightly(zone: string, time: string): NightlyPolicy {
  const [hour, minute] = time.split(':').map(Number);
  return {
    kind: 'nightly',
    name: `${zone}-${time}`.toLowerCase().replace(/\W/g, '-'),
    file: 'policies/nightly.yaml',
    cron: `${minute} ${hour} * * *`,
    zone,
    models: [],
    maintenance: true,
    paused: true,
    concurrency: 1,
    missed: 'skip',
  };
}

test('every local night begins once, on both changes of the clock, in every zone', async () => {
  const { client } = harness;
  const policies = ZONES.flatMap((zone) => TIMES.map((time) => nightly(zone, time)));
  const desired = desiredSchedules(policies, NOW_MS);
  await reconcileSchedules(client, desired);
  for (const { name, zone } of policies) {
    const dateOf = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short' });
    for (const [first, last] of SPANS) {
      const found = await client.workflowService.listScheduleMatchingTimes({
        namespace: 'default',
        scheduleId: `icewright/nightly/${name}`,
        startTime: { seconds: Date.parse(`${first}T12:00:00Z`) / 1000 } as never,
        endTime: { seconds: Date.parse(`${last}T12:00:00Z`) / 1000 } as never,
      });
      const begun = (found.startTime ?? []).map(({ seconds }) => Number(seconds) * 1000);
      const days = Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000);
      const expected = Array.from({ length: days + 1 }, (_, day) =>
        new Date(Date.parse(first) + day * 86_400_000).toISOString().slice(0, 10),
      );
      // By noon of the first day its night is over, or still to come.
      const nights = begun.map((atMs) => dateOf.format(atMs));
      const late = nights[0] === first;
      expect(nights, name).toEqual(late ? expected.slice(0, -1) : expected.slice(1));
    }
  }
  // Nothing is left to do, though the server keeps other texts than it was sent.
  const again = await reconcileSchedules(client, desired);
  expect(again).toMatchObject({ create: [], update: [], delete: [] });
});

/** Starts a night while no worker is there, and lets one come. */
async function nightFoundLate(startWithinMs: number | null) {
  const closed: { state: string; message: string | null }[] = [];
  const planned: string[] = [];
  const input: NightlyInput = {
    runId: null,
    requestedBy: 'schedule:test',
    models: [],
    maintenance: false,
    concurrency: 1,
    startWithinMs,
  };
  const handle = await harness.client.workflow.start('nightly', {
    workflowId: `nightly/test-${startWithinMs}`,
    taskQueue: CONTROL_QUEUE,
    args: [input],
  });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const report: NightlyReport = await harness.serve(
    {
      planNight: async () => {
        planned.push('night');
        return { models: [] };
      },
      closeNight: async ({ state, message }) => {
        closed.push({ state, message });
      },
    },
    () => handle.result(),
  );
  return { report, closed, planned };
}

test('a night that waits too long for a worker is left out, and says so', async () => {
  const { report, closed, planned } = await nightFoundLate(1);
  expect(planned).toEqual([]);
  expect(closed).toEqual([
    { state: 'cancelled', message: expect.stringMatching(/^no worker was there for .*left out/) },
  ]);
  expect(report).toMatchObject({ models: [], maintenance: [], planId: null, failed: [] });
});

test('under the other rule it begins however late it is', async () => {
  const { closed, planned } = await nightFoundLate(null);
  expect(planned).toEqual(['night']);
  expect(closed).toEqual([{ state: 'done', message: null }]);
});
