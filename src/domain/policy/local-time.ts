/** Local time of IANA zones, both ways, from what `Intl` knows of their changes. */

const DAY_MS = 86_400_000;

/** `2026-03-29` */
export type LocalDate = string;

/** Making a formatter costs far more than using it. */
const FORMATS = new Map<string, Intl.DateTimeFormat>();

function formatOf(zone: string): Intl.DateTimeFormat {
  const known = FORMATS.get(zone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  FORMATS.set(zone, made);
  return made;
}

/** The local clock at an instant, as if it were UTC (milliseconds). */
function wallMs(zone: string, atMs: number): number {
  const seconds = Math.floor(atMs / 1000) * 1000;
  const part: Record<string, number> = {};
  for (const { type, value } of formatOf(zone).formatToParts(seconds)) part[type] = Number(value);
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function offsetMs(zone: string, atMs: number): number {
  return wallMs(zone, atMs) - Math.floor(atMs / 1000) * 1000;
}

/** The date that a calendar on the wall of that zone shows. */
export function localDateOf(zone: string, atMs: number): LocalDate {
  return new Date(wallMs(zone, atMs)).toISOString().slice(0, 10);
}

export function addDays(date: LocalDate, days: number): LocalDate {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** 0: Sunday. */
export function weekdayOf(date: LocalDate): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay();
}

export interface Instant {
  readonly atMs: number;
  /** `skipped`: there is no such local time that day; `twice`: this is the first of two. */
  readonly kind: 'once' | 'twice' | 'skipped';
}

/**
 * When the clocks of a zone first show a local time. A time that is left out when they are put
 * forward is taken as the first instant after the gap.
 * @param time `HH:MM`
 */
export function instantOf(zone: string, date: LocalDate, time: string): Instant {
  const wall = Date.parse(`${date}T${time}:00Z`);
  // A day before and after: no zone has changed its offset twice within two days.
  const offsets = [...new Set([offsetMs(zone, wall - DAY_MS), offsetMs(zone, wall + DAY_MS)])];
  const found = offsets
    .map((offset) => wall - offset)
    .filter((atMs) => wallMs(zone, atMs) === wall)
    .sort((a, b) => a - b);
  const [first] = found;
  if (first !== undefined) return { atMs: first, kind: found.length > 1 ? 'twice' : 'once' };
  return { atMs: firstAfterGap(zone, wall, offsets), kind: 'skipped' };
}

/** Halves the span in which the offset changes, down to the second. */
function firstAfterGap(zone: string, wall: number, offsets: readonly number[]): number {
  let before = wall - Math.max(...offsets);
  let after = wall - Math.min(...offsets);
  const old = offsetMs(zone, before);
  while (after - before > 1000) {
    const middle = Math.floor((before + after) / 2000) * 1000;
    if (offsetMs(zone, middle) === old) before = middle;
    else after = middle;
  }
  return after;
}
