/**
 * History of health as a step function: a point is written when something changed and holds until
 * the next one. A table that nobody writes to costs nothing, however often it is swept.
 */
import { IcewrightError } from '../errors.ts';
import { parseDuration } from '../units.ts';
import type { TableFigures } from './health.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** How long points are kept as they came, then one for each hour, then one for each day. */
export interface HistoryRetention {
  readonly rawMs: number;
  readonly hourlyMs: number;
  readonly dailyMs: number;
}

/** Two days, thirty days, two years. */
export const DEFAULT_RETENTION: HistoryRetention = {
  rawMs: 2 * DAY_MS,
  hourlyMs: 30 * DAY_MS,
  dailyMs: 730 * DAY_MS,
};

/** `"2d,30d,730d"`: raw, hourly, daily. Throws `UsageInvalid`. */
export function parseRetention(text: string): HistoryRetention {
  const [rawMs, hourlyMs, dailyMs, ...more] = text.split(',').map(parseDuration);
  const complete = rawMs !== undefined && hourlyMs !== undefined && dailyMs !== undefined;
  if (complete && more.length === 0 && rawMs <= hourlyMs && hourlyMs <= dailyMs) {
    return { rawMs, hourlyMs, dailyMs };
  }
  const message = `"${text}": expected three ascending durations, for example 2d,30d,730d`;
  throw new IcewrightError('UsageInvalid', message);
}

/** Before which times points are thinned out or removed. */
export interface HistoryCutoffs {
  /** Start of an hour: before it, the last point of each hour stays. */
  readonly rawBeforeMs: number;
  /** Start of a day (UTC): before it, the last point of each day stays. */
  readonly hourlyBeforeMs: number;
  /** Before it, only the newest point of a table stays. */
  readonly dailyBeforeMs: number;
}

/** Aligned to whole hours and days, so that no hour or day is ever cut in two. */
export function cutoffsAt(nowMs: number, retention: HistoryRetention): HistoryCutoffs {
  const floor = (atMs: number, stepMs: number) => Math.floor(atMs / stepMs) * stepMs;
  return {
    rawBeforeMs: floor(nowMs - retention.rawMs, HOUR_MS),
    hourlyBeforeMs: floor(nowMs - retention.hourlyMs, DAY_MS),
    dailyBeforeMs: floor(nowMs - retention.dailyMs, DAY_MS),
  };
}

/**
 * Bytes of the small files, from the size classes: the smallest files are the small ones. Within
 * the class in which they end each file counts as its mean. `null`: files were not read.
 */
export function smallBytesOf(figures: TableFigures): number | null {
  if (figures.smallFiles === null || figures.detail === null) return null;
  let left = figures.smallFiles;
  let bytes = 0;
  for (const size of figures.detail.sizes) {
    const taken = Math.min(left, size.files);
    if (taken > 0) bytes += (size.bytes * taken) / size.files;
    left -= taken;
  }
  return Math.round(bytes);
}

/**
 * The value at the end of each of `columns` equal parts of a span; `null` before the first point.
 * @param points oldest first
 */
export function resample(
  points: readonly { readonly atMs: number; readonly value: number }[],
  span: { readonly fromMs: number; readonly toMs: number; readonly columns: number },
): readonly (number | null)[] {
  const { fromMs, toMs, columns } = span;
  const values: (number | null)[] = [];
  let at = 0;
  let current: number | null = null;
  for (let column = 1; column <= columns; column += 1) {
    const endMs = fromMs + ((toMs - fromMs) * column) / columns;
    for (let point = points[at]; point !== undefined && point.atMs <= endMs; point = points[at]) {
      current = point.value;
      at += 1;
    }
    values.push(current);
  }
  return values;
}
