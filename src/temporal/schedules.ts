/** Brings the server's Schedules to what the policies say; touches none that is not ours. */
import { type Client, ScheduleOverlapPolicy, type ScheduleSpec } from '@temporalio/client';
import { CONTROL_QUEUE, SCHEDULE_PREFIX } from '../domain/ids.ts';
import {
  type ActualSchedule,
  type DesiredSchedule,
  diffSchedules,
  type ScheduleDiff,
} from '../domain/policy/schedules.ts';
import type { NightlyInput } from '../workflows/messages.ts';

const HOUR_MS = 3_600_000;

/**
 * How late a night may begin after the server was down; `skip` holds for the worker as well. Of
 * several missed nights only one begins: the others find it under way.
 */
const LATE_MS = { skip: HOUR_MS, run: 7 * 24 * HOUR_MS } as const;

const MONTHS = [
  ...(['JANUARY', 'FEBRUARY', 'MARCH', 'APRIL', 'MAY', 'JUNE'] as const),
  ...(['JULY', 'AUGUST', 'SEPTEMBER', 'OCTOBER', 'NOVEMBER', 'DECEMBER'] as const),
];

/** Creates, changes and deletes; answers what it did. */
export async function reconcileSchedules(
  client: Client,
  desired: readonly DesiredSchedule[],
): Promise<ScheduleDiff> {
  const diff = diffSchedules(desired, await readSchedules(client));
  for (const one of diff.create) {
    await client.schedule.create({
      scheduleId: one.scheduleId,
      ...definition(one),
      state: { paused: one.paused, note: one.note },
    });
  }
  for (const one of diff.update) {
    await client.schedule.getHandle(one.scheduleId).update(() => ({
      ...definition(one),
      state: { paused: one.paused, note: one.note },
    }));
  }
  for (const scheduleId of diff.delete) await client.schedule.getHandle(scheduleId).delete();
  return diff;
}

async function readSchedules(client: Client): Promise<readonly ActualSchedule[]> {
  const found: ActualSchedule[] = [];
  for await (const { scheduleId } of client.schedule.list()) {
    if (!scheduleId.startsWith(SCHEDULE_PREFIX)) continue;
    const { action } = await client.schedule.getHandle(scheduleId).describe();
    // The fingerprint travels with the action: a schedule's own memo cannot be updated.
    const fingerprint = action.memo?.fingerprint;
    found.push({ scheduleId, fingerprint: typeof fingerprint === 'string' ? fingerprint : null });
  }
  return found;
}

function definition(one: DesiredSchedule) {
  const input: NightlyInput = {
    runId: null,
    requestedBy: `schedule:${one.scheduleId.slice(SCHEDULE_PREFIX.length)}`,
    models: one.models,
    maintenance: one.maintenance,
    concurrency: one.concurrency,
    startWithinMs: one.missed === 'skip' ? LATE_MS.skip : null,
  };
  return {
    spec: specOf(one),
    action: {
      type: 'startWorkflow' as const,
      workflowType: 'nightly',
      // The server appends the time: nightly/<policy>-2026-11-21T02:00:00Z
      workflowId: `nightly/${one.scheduleId.slice(SCHEDULE_PREFIX.length)}`,
      taskQueue: CONTROL_QUEUE,
      args: [input],
      memo: { fingerprint: one.fingerprint },
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: LATE_MS[one.missed] },
  };
}

function specOf({ cron, zone, exceptions }: DesiredSchedule): ScheduleSpec {
  return {
    cronExpressions: [cron],
    timezone: zone,
    // Multiples of an instant, counted from 1970: itself, and then nothing for half a century.
    intervals: exceptions.extraMs.map((atMs) => ({ every: atMs })),
    // Every full minute of the date, of which none is an instant from above.
    skip: exceptions.skip.map((date) => {
      const [year, month, dayOfMonth] = date.split('-').map(Number) as [number, number, number];
      const name = MONTHS[month - 1] as (typeof MONTHS)[number];
      return { year, month: name, dayOfMonth, hour: '*', minute: '*', second: 0 };
    }),
  };
}
