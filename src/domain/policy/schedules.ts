/** The schedules that the policies want, against those that the server has. */
import { SCHEDULE_PREFIX } from '../ids.ts';
import { exceptionsOf, type NightExceptions } from './night-times.ts';
import type { MissedRule, NightlyPolicy, Policy } from './policy.ts';

export interface DesiredSchedule {
  readonly scheduleId: string;
  /** Five cron fields, read in `zone`. */
  readonly cron: string;
  readonly zone: string;
  /** The nights on which the clocks of the zone change. */
  readonly exceptions: NightExceptions;
  readonly paused: boolean;
  readonly models: readonly string[];
  readonly maintenance: boolean;
  readonly concurrency: number;
  readonly missed: MissedRule;
  /** For people: which policy of which file wants it. */
  readonly note: string;
  /**
   * Kept in the schedule's memo. The server stores cron as calendars, so what it answers cannot be
   * compared with what was sent; equal fingerprints mean that nothing has to be sent.
   */
  readonly fingerprint: string;
}

export interface ActualSchedule {
  readonly scheduleId: string;
  /** `null`: none in its memo, therefore made by someone else or by an older version. */
  readonly fingerprint: string | null;
}

export interface ScheduleDiff {
  readonly create: readonly DesiredSchedule[];
  readonly update: readonly DesiredSchedule[];
  readonly delete: readonly string[];
  readonly unchanged: readonly string[];
}

/** @param nowMs from which the nights on which clocks change are looked for */
export function desiredSchedules(
  policies: readonly Policy[],
  nowMs: number,
): readonly DesiredSchedule[] {
  return policies
    .filter((policy) => policy.kind === 'nightly')
    .map((policy) => desiredSchedule(policy, nowMs))
    .sort((a, b) => (a.scheduleId < b.scheduleId ? -1 : 1));
}

function desiredSchedule(policy: NightlyPolicy, nowMs: number): DesiredSchedule {
  const { cron, zone, paused, models, maintenance, concurrency, missed } = policy;
  const exceptions = exceptionsOf(cron, zone, nowMs);
  return {
    scheduleId: `${SCHEDULE_PREFIX}${policy.name}`,
    cron,
    zone,
    exceptions,
    paused,
    models,
    maintenance,
    concurrency,
    missed,
    note: `policy ${policy.name}`,
    fingerprint: JSON.stringify([
      ...[2, cron, zone, paused, models, maintenance, concurrency, missed],
      ...[exceptions.skip, exceptions.extraMs],
    ]),
  };
}

/**
 * What has to be done to the server. Schedules whose id lacks our prefix are never touched. Pausing
 * one in Temporal's UI survives: only a change of the policy is sent.
 */
export function diffSchedules(
  desired: readonly DesiredSchedule[],
  actual: readonly ActualSchedule[],
): ScheduleDiff {
  const ours = actual.filter((one) => one.scheduleId.startsWith(SCHEDULE_PREFIX));
  const there = new Map(ours.map((one) => [one.scheduleId, one.fingerprint]));
  const wanted = new Set(desired.map((one) => one.scheduleId));
  const same = (one: DesiredSchedule) => there.get(one.scheduleId) === one.fingerprint;
  return {
    create: desired.filter((one) => !there.has(one.scheduleId)),
    update: desired.filter((one) => there.has(one.scheduleId) && !same(one)),
    delete: ours.map((one) => one.scheduleId).filter((id) => !wanted.has(id)),
    unchanged: desired.filter((one) => same(one)).map((one) => one.scheduleId),
  };
}
