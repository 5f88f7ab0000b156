/** The shape of windows, zones, times of day and the rule for missed turns, in every file. */
import { z } from 'zod';
import { faultInCron, WEEKDAYS } from './cron.ts';
import type { WindowPolicy } from './policy.ts';

export const zone = z
  .string()
  .refine(isZone, 'is not an IANA time zone: write for example Europe/Berlin or UTC')
  .describe('IANA time zone, for example Europe/Berlin.');

function isZone(text: string): boolean {
  // Offsets such as +02:00 know no daylight-saving time, and the server takes none.
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

export const timeOfDay = z
  .string('"at" is a time in quotes such as "02:00"')
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time of day: write for example "02:00"');

const timeInWindow = z
  .string('a time of day is a text in quotes such as "02:00"')
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time of day: write for example "02:00"');

export const cron = z.string().superRefine((text, context) => {
  const fault = faultInCron(text);
  if (fault !== null) context.addIssue({ code: 'custom', message: fault });
});

export const missed = z.enum(['skip', 'run']);

const date = z
  .string('a date is a text such as 2026-12-24')
  .regex(/^\d{4}-\d{2}-\d{2}$/, 'is not a date: write for example 2026-12-24')
  .refine(isDate, 'is not a date of the calendar');

function isDate(text: string): boolean {
  const ms = Date.parse(`${text}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(text);
}

const blackout = z
  .strictObject({
    from: date.describe('First local date on which nothing begins.'),
    to: date.optional().describe('Last one, included; default: `from`.'),
    because: z.string().min(1).describe('Shown with every decision that waits for it.'),
  })
  .refine(({ from, to = from }) => to >= from, {
    message: 'is before "from"',
    path: ['to'],
  });

const opening = z.strictObject({
  zone,
  from: timeInWindow.describe('Local time at which it opens.'),
  to: timeInWindow.describe('Local time at which it closes; not after `from`: the next day.'),
  days: z.array(z.enum(WEEKDAYS)).min(1).optional().describe('Days it opens; default: all.'),
  blackouts: z.array(blackout).max(366).optional(),
});

function windowOf(document: z.output<typeof opening>, rule: WindowPolicy['missed']): WindowPolicy {
  const { days = [], blackouts = [], ...rest } = document;
  const dates = blackouts.map(({ to, ...one }) => ({ ...one, to: to ?? one.from }));
  return { ...rest, days, blackouts: dates, missed: rule };
}

/** Of a sweep: it knows when it last had a turn. */
export const windowSchema = opening
  .extend({
    missed: missed
      .optional()
      .describe('A window in which nobody was there: skip (default), or run as soon as possible.'),
  })
  .transform(({ missed: rule = 'skip', ...rest }): WindowPolicy => windowOf(rest, rule));

/** Of a single operation: only one that was due has missed a window, and nobody notes that. */
export const operationWindowSchema = opening.transform(
  (document): WindowPolicy => windowOf(document, 'skip'),
);
