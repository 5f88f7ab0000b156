/**
 * Windows of local time in which something may begin. A window belongs to the local date on which
 * it opens and opens at most once on it, whatever the clocks of its zone do that night.
 */
import { WEEKDAYS, type Weekday } from './cron.ts';
import { addDays, instantOf, type LocalDate, localDateOf, weekdayOf } from './local-time.ts';

/** What becomes of a turn that nobody could take: it is left out, or made up for at once. */
export type MissedRule = 'skip' | 'run';

/** When something may begin, in local time. Without one: always. */
export interface WindowPolicy {
  /** IANA name, for example `Europe/Berlin`. */
  readonly zone: string;
  /** Days on which a window opens; empty: every day. */
  readonly days: readonly Weekday[];
  /** `HH:MM`; a window whose end is not after its start ends on the next day. */
  readonly from: string;
  readonly to: string;
  /** Local dates, both included, on which nothing begins and no window opens. */
  readonly blackouts: readonly Blackout[];
  readonly missed: MissedRule;
}

export interface Blackout {
  /** `YYYY-MM-DD` */
  readonly from: string;
  readonly to: string;
  readonly because: string;
}

/** One opening of a window: from `sinceMs` (included) to `untilMs` (excluded). */
export interface Opening {
  /** The local date on which it opens: what makes one night differ from another. */
  readonly night: LocalDate;
  readonly sinceMs: number;
  readonly untilMs: number;
}

export type WindowState =
  | (Opening & { readonly kind: 'open'; readonly makesUp: boolean })
  | {
      readonly kind: 'closed';
      /** `null`: it does not open within two years. */
      readonly nextMs: number | null;
      readonly because: string;
    };

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A window that does not open for so long is taken never to open. */
const DAYS_AHEAD = 731;

/**
 * Whether something may begin now.
 * @param window `null`: always; a night is then a day of UTC
 * @param lastTurnMs when somebody was last there to begin something. Under `missed: run` the window
 *   that has closed since without anybody is made up for at once. `null`: not known, nothing was
 *   missed
 */
export function windowAt(
  window: WindowPolicy | null,
  nowMs: number,
  lastTurnMs: number | null = null,
): WindowState {
  if (window === null) return { kind: 'open', ...utcDay(nowMs), makesUp: false };
  const today = localDateOf(window.zone, nowMs);
  const [yesterdays, todays] = [openingOn(window, addDays(today, -1)), openingOn(window, today)];
  for (const opening of [yesterdays, todays]) {
    if (opening !== null && opening.sinceMs <= nowMs && nowMs < opening.untilMs) {
      return { kind: 'open', ...opening, makesUp: false };
    }
  }
  const blackout = blackoutOn(window, today);
  if (blackout === null && window.missed === 'run' && lastTurnMs !== null) {
    const missed = lastClosed(window, nowMs);
    if (missed !== null && lastTurnMs < missed.sinceMs) {
      // As long as the window that it stands for.
      const untilMs = nowMs + missed.untilMs - missed.sinceMs;
      return { kind: 'open', night: missed.night, sinceMs: nowMs, untilMs, makesUp: true };
    }
  }
  const next = nextOpening(window, nowMs);
  return {
    kind: 'closed',
    nextMs: next?.sinceMs ?? null,
    because: blackout === null ? describeWindow(window) : `blacked out: ${blackout.because}`,
  };
}

/** `the window is 22:00 to 05:00 Europe/Berlin on fri, sat` */
export function describeWindow({ from, to, zone, days }: WindowPolicy): string {
  const on = days.length === 0 ? '' : ` on ${days.join(', ')}`;
  return `the window is ${from} to ${to} ${zone}${on}`;
}

/** The first opening that begins after `nowMs`; `null`: none within two years. */
export function nextOpening(window: WindowPolicy, nowMs: number): Opening | null {
  const today = localDateOf(window.zone, nowMs);
  for (let days = 0; days <= DAYS_AHEAD; days += 1) {
    const opening = openingOn(window, addDays(today, days));
    if (opening !== null && opening.sinceMs > nowMs) return opening;
  }
  return null;
}

/** The opening before the present: the newest that has ended; `null`: none for two years. */
export function lastClosed(window: WindowPolicy, nowMs: number): Opening | null {
  const today = localDateOf(window.zone, nowMs);
  for (let days = 0; days <= DAYS_AHEAD; days += 1) {
    const opening = openingOn(window, addDays(today, -days));
    if (opening !== null && opening.untilMs <= nowMs) return opening;
  }
  return null;
}

/** The window that opens on a local date; `null`: none does. */
export function openingOn(window: WindowPolicy, night: LocalDate): Opening | null {
  const { zone, days, from, to } = window;
  const weekday = WEEKDAYS[weekdayOf(night)] as Weekday;
  if (days.length > 0 && !days.includes(weekday)) return null;
  if (blackoutOn(window, night) !== null) return null;
  const sinceMs = instantOf(zone, night, from).atMs;
  // A zone that leaves out a whole day (as Apia did on 2011-12-30) has no night on it.
  if (localDateOf(zone, sinceMs) !== night) return null;
  const crosses = to <= from;
  const last = crosses ? addDays(night, 1) : night;
  let untilMs = instantOf(zone, last, to).atMs;
  // Start and end both lie in the hour that is left out: the window keeps its length.
  if (untilMs <= sinceMs) untilMs = sinceMs + lengthMs(window);
  // Tomorrow is blacked out: nothing begins after midnight.
  if (crosses && blackoutOn(window, last) !== null) {
    untilMs = Math.min(untilMs, instantOf(zone, last, '00:00').atMs);
  }
  return { night, sinceMs, untilMs };
}

function blackoutOn({ blackouts }: WindowPolicy, date: LocalDate): Blackout | null {
  return blackouts.find(({ from, to }) => from <= date && date <= to) ?? null;
}

/** On a night without changes of the clock. */
function lengthMs({ from, to }: WindowPolicy): number {
  const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const length = (minutes(to) - minutes(from)) * MINUTE_MS;
  return length > 0 ? length : length + DAY_MS;
}

function utcDay(nowMs: number): Opening {
  const sinceMs = Math.floor(nowMs / DAY_MS) * DAY_MS;
  const night = new Date(sinceMs).toISOString().slice(0, 10);
  return { night, sinceMs, untilMs: sinceMs + DAY_MS };
}
