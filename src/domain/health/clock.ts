/**
 * When a catalog is swept: due times stand on a grid that no delay shifts. A worker or server that
 * was away makes up for every due time it missed by one sweep, and goes on with the grid.
 */
import { IcewrightError } from '../errors.ts';
import { formatDuration } from '../units.ts';

/** Below ten seconds, a sweep of a large catalog would never end before the next is due. */
export const HEALTH_INTERVAL_MIN_MS = 10_000;
/** A day: findings that are older help nobody. */
export const HEALTH_INTERVAL_MAX_MS = 86_400_000;
/** Five minutes: ten times in the thirty minutes after which the seeds' alert fires, and more. */
export const HEALTH_INTERVAL_DEFAULT_MS = 300_000;
/** Once a day everything is read anew, whatever the catalog's tags say. */
export const FULL_EVERY_MS = 86_400_000;

/** So long after a full sweep that could not be done. */
export const FULL_AGAIN_MS = 3_600_000;

export interface HealthClock {
  readonly intervalMs: number;
  /** The last due time that was swept or made up for; `null`: none yet. */
  readonly lastDueMs: number | null;
  /** Due times that another sweep made up for. */
  readonly missed: number;
}

/** Throws `UsageInvalid` for an interval that is out of range. */
export function checkInterval(intervalMs: number): void {
  const inRange = intervalMs >= HEALTH_INTERVAL_MIN_MS && intervalMs <= HEALTH_INTERVAL_MAX_MS;
  if (Number.isInteger(intervalMs) && inRange) return;
  const message = `an interval of ${intervalMs} ms: expected 10s to 1d`;
  throw new IcewrightError('UsageInvalid', message, { intervalMs });
}

/** When the next sweep is due; in the past when it is late. A clock without a sweep is due now. */
export function nextDueMs(clock: HealthClock, nowMs: number): number {
  return clock.lastDueMs === null ? nowMs : clock.lastDueMs + clock.intervalMs;
}

/** What a sweep that begins now stands for: the latest due time, and how many before it. */
export interface Due {
  readonly dueMs: number;
  readonly missed: number;
}

/** `null`: nothing is due yet. */
export function takeDue(clock: HealthClock, nowMs: number): Due | null {
  const first = nextDueMs(clock, nowMs);
  if (first > nowMs) return null;
  const missed = Math.floor((nowMs - first) / clock.intervalMs);
  return { dueMs: first + missed * clock.intervalMs, missed };
}

/** The clock after a due time was taken. */
export function afterDue(clock: HealthClock, due: Due): HealthClock {
  return { ...clock, lastDueMs: due.dueMs, missed: clock.missed + due.missed };
}

/** A shorter interval makes a sweep due now at most: nothing was missed before it was set. */
export function withInterval(clock: HealthClock, intervalMs: number, nowMs: number): HealthClock {
  const { lastDueMs } = clock;
  const changed = { ...clock, intervalMs };
  const wasDue = nextDueMs(clock, nowMs) <= nowMs;
  if (lastDueMs === null || wasDue || lastDueMs + intervalMs >= nowMs) return changed;
  return { ...changed, lastDueMs: nowMs - intervalMs };
}

/** `every 5 m`, for people. */
export function describeInterval(intervalMs: number): string {
  return `every ${formatDuration(intervalMs)}`;
}
