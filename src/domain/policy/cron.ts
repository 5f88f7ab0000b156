/** The five-field cron of the nightly policies: checked here, evaluated by Temporal's server. */

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

const MONTHS = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');

interface Field {
  readonly name: string;
  readonly from: number;
  readonly to: number;
  /** Words that stand for numbers; the first stands for `from`. */
  readonly words: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: 'minute', from: 0, to: 59, words: [] },
  { name: 'hour', from: 0, to: 23, words: [] },
  { name: 'day of month', from: 1, to: 31, words: [] },
  { name: 'month', from: 1, to: 12, words: MONTHS },
  { name: 'day of week', from: 0, to: 6, words: WEEKDAYS },
];

/** `null` when `text` is a cron expression of five fields; else a sentence that says why not. */
export function faultInCron(text: string): string | null {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length) {
    return `"${text}" has ${parts.length} fields; cron has five: minute hour day month weekday`;
  }
  for (const [index, field] of FIELDS.entries()) {
    const part = parts[index] as string;
    const bad = part.split(',').find((piece) => !isPiece(piece, field));
    if (bad !== undefined) {
      return `"${bad}" is no ${field.name}: ${field.from} to ${field.to}, *, a-b or */n`;
    }
  }
  return null;
}

function isPiece(piece: string, field: Field): boolean {
  const found = /^(?:\*|([^-/]+)(?:-([^-/]+))?)(?:\/(\d+))?$/.exec(piece);
  if (found === null) return false;
  const [, low, high, step] = found;
  if (step !== undefined && !(Number(step) >= 1 && Number(step) <= field.to)) return false;
  if (low === undefined) return true;
  const from = numberOf(low, field);
  const to = high === undefined ? from : numberOf(high, field);
  return from !== null && to !== null && from <= to;
}

function numberOf(text: string, field: Field): number | null {
  const word = field.words.indexOf(text.toLowerCase());
  if (word >= 0) return word + field.from;
  if (!/^\d{1,2}$/.test(text)) return null;
  const value = Number(text);
  return value >= field.from && value <= field.to ? value : null;
}

/**
 * `02:00` on the given days as cron.
 * @param at hour and minute, 24 hours
 * @param days empty: every day
 */
export function cronAt(at: string, days: readonly Weekday[]): string {
  const [hour, minute] = at.split(':').map(Number);
  const numbers = days.map((day) => WEEKDAYS.indexOf(day)).sort((a, b) => a - b);
  return `${minute} ${hour} * * ${numbers.length === 0 ? '*' : numbers.join(',')}`;
}
