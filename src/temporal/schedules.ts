/** Brings the server's Schedules to what the policies say; touches none that is not ours. */
import { type Client, ScheduleOverlapPolicy } from '@temporalio/client';
import { CONTROL_QUEUE, SCHEDULE_PREFIX } from '../domain/ids.ts';
import {
  type ActualSchedule,
  type DesiredSchedule,
  diffSchedules,
  type ScheduleDiff,
} from '../domain/policy/schedules.ts';
import type { NightlyInput } from '../workflows/messages.ts';

/** A server that was down over night runs at most the last missed night, not all of them. */
const CATCHUP_WINDOW = '1 hour';

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
  };
  return {
    spec: { cronExpressions: [one.cron], timezone: one.zone },
    action: {
      type: 'startWorkflow' as const,
      workflowType: 'nightly',
      // The server appends the time: nightly/<policy>-2026-11-21T02:00:00Z
      workflowId: `nightly/${one.scheduleId.slice(SCHEDULE_PREFIX.length)}`,
      taskQueue: CONTROL_QUEUE,
      args: [input],
      memo: { fingerprint: one.fingerprint },
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: CATCHUP_WINDOW },
  };
}
