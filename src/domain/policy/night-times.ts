/**
 * The nights on which the clocks change. As measured, Temporal 1.29 leaves out a night whose time
 * does not exist, takes a time that exists twice twice or late, and takes some times of the hour
 * before that twice as well. A night at a fixed time is therefore taken out of its hands on those
 * dates, for some years ahead.
 */
import { addDays, instantOf, type LocalDate, weekdayOf } from './local-time.ts';

export interface NightExceptions {
  /** Local dates on which the expression begins no night. */
  readonly skip: readonly LocalDate[];
  /** Instants at which a night begins instead, in milliseconds; never at a full minute. */
  readonly extraMs: readonly number[];
}

const NONE: NightExceptions = { skip: [], extraMs: [] };
/** A worker that starts once in so many years sets the dates anew. */
const YEARS_AHEAD = 10;
/** Months are a whole year's, so that the answer changes once a year and not with every start. */
const DAYS_A_YEAR = 366;

/**
 * Exceptions of a night at one time of day; none for expressions that begin several times a day or
 * on days of the month: those are left to Temporal.
 * @param cron five fields, in `zone`
 */
export function exceptionsOf(cron: string, zone: string, nowMs: number): NightExceptions {
  const fixed = /^(\d{1,2}) (\d{1,2}) \* \* (\*|[0-6](?:,[0-6])*)$/.exec(cron.trim());
  if (fixed === null) return NONE;
  const [, minute = '', hour = '', days = '*'] = fixed;
  const time = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  const wanted = (date: LocalDate) =>
    days === '*' || days.split(',').includes(String(weekdayOf(date)));
  const skip = changesOf(zone, nowMs).filter(wanted);
  return {
    skip,
    // A second late: what is skipped are the full minutes of the date.
    extraMs: skip.map((date) => instantOf(zone, date, time).atMs + 1000),
  };
}

/** Local dates on which the clocks of a zone are changed, from this year on. */
function changesOf(zone: string, nowMs: number): readonly LocalDate[] {
  const year = new Date(nowMs).getUTCFullYear();
  const found: LocalDate[] = [];
  let date: LocalDate = `${year}-01-01`;
  let before = instantOf(zone, date, '00:00').atMs;
  for (let day = 0; day < YEARS_AHEAD * DAYS_A_YEAR; day += 1) {
    const next = addDays(date, 1);
    const after = instantOf(zone, next, '00:00').atMs;
    if (after - before !== 86_400_000) found.push(date);
    date = next;
    before = after;
  }
  return found;
}
