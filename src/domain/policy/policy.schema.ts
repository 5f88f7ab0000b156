/**
 * The shape of the files in `policies/`, checked by zod; the JSON Schema for editors is generated
 * from here. Every setting is optional: a policy says only what it wants to change.
 */
import { z } from 'zod';
import { LAYERS } from '../model/model.ts';
import { parseBytes, parseDuration } from '../units.ts';
import { faultInCron, WEEKDAYS } from './cron.ts';
import { parseSelector, type TableSelector } from './match.ts';
import { METRICS, type Trigger } from './trigger.ts';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is no name: small letters, digits and dashes, at most 63')
  .describe('Unique among all policies; part of the schedule id of a nightly.');

const duration = z
  .string('a duration is a text such as 7d')
  .regex(/^\d+(\.\d+)?\s*(ms|s|m|h|d)$/, 'is not a duration: write for example 7d, 12h or 30m')
  .transform(parseDuration);

const size = z
  .string('a size is a text such as 512MB')
  .regex(/^\d+(\.\d+)?\s*([Bb]|[KkMmGgTt][Bb])$/, 'is not a size: write for example 512MB')
  .transform(parseBytes)
  .refine((bytes) => bytes >= 2 ** 20, 'a target file size is at least 1MB');

const engine = z
  .enum(['auto', 'spark', 'trino'])
  .describe('auto: the first engine that can. A named engine that cannot is refused.');

interface TriggerDocument {
  metric?: (typeof METRICS)[number] | undefined;
  atLeast?: number | undefined;
  any?: TriggerDocument[] | undefined;
  all?: TriggerDocument[] | undefined;
}

const trigger: z.ZodType<TriggerDocument> = z
  .lazy(() =>
    z
      .strictObject({
        metric: z.enum(METRICS).optional().describe('What was measured.'),
        atLeast: z.number().nonnegative().optional().describe('Met from this value on.'),
        any: z.array(trigger).min(1).optional().describe('Met when one of these is.'),
        all: z.array(trigger).min(1).optional().describe('Met when all of these are.'),
      })
      .refine(
        ({ metric, atLeast, any, all }) =>
          (metric === undefined) === (atLeast === undefined) &&
          [metric, any, all].filter((part) => part !== undefined).length === 1,
        'a trigger is either metric and atLeast, or any, or all',
      ),
  )
  .meta({ id: 'trigger', description: 'Conditions over measured values; replaced as a whole.' });

/** A checked trigger document as the planner evaluates it. */
export function triggerOf(document: TriggerDocument): Trigger {
  if (document.any !== undefined) return { kind: 'any', of: document.any.map(triggerOf) };
  if (document.all !== undefined) return { kind: 'all', of: document.all.map(triggerOf) };
  const { metric, atLeast } = document;
  // The refinement above leaves no other case.
  if (metric === undefined || atLeast === undefined) return { kind: 'any', of: [] };
  return { kind: 'at_least', metric, atLeast };
}

const compact = z
  .strictObject({
    enabled: z.boolean().optional(),
    engine: engine.optional(),
    strategy: z.enum(['binpack', 'sort', 'zorder']).optional(),
    columns: z.array(z.string().min(1)).min(1).optional().describe('Sort or Z-order columns.'),
    targetFileSize: size.optional().describe('Size to aim at, for example 512MB (the default).'),
    minInputFiles: z
      .int()
      .min(2)
      .max(10_000)
      .optional()
      .describe('Fewest small files of a partition that are worth a rewrite; default 5.'),
    trigger: trigger.optional(),
  })
  .refine(({ strategy, columns }) => strategy !== 'binpack' || columns === undefined, {
    message: 'bin-pack takes no columns',
    path: ['columns'],
  })
  .refine(({ strategy = 'binpack', columns }) => strategy === 'binpack' || columns !== undefined, {
    message: 'sort and zorder need "columns"',
    path: ['strategy'],
  })
  .describe('Rewrites data files into fewer, larger or better ordered ones.');

const expire = z
  .strictObject({
    enabled: z.boolean().optional(),
    olderThan: duration.optional().describe('Only older snapshots may go; default 7d.'),
    keepLast: z.int().min(1).max(100_000).optional().describe('Per branch; default 5.'),
    trigger: trigger.optional(),
  })
  .describe('Expires snapshots, by exact ids, that nothing needs any more.');

const rewriteManifests = z.strictObject({
  enabled: z.boolean().optional(),
  engine: engine.optional(),
  trigger: trigger.optional(),
});

const cadence = z.strictObject({
  minInterval: duration.optional().describe('Shortest time between two runs; default 0s.'),
  failureBackoff: duration.optional().describe('Wait after a failure, doubled each time; 1h.'),
  failureBackoffMax: duration.optional().describe('The doubling ends here; default 1d.'),
  breakerFailures: z.int().min(1).max(100).optional().describe('Failures until paused; 3.'),
});

const selector = z
  .string('a table is a name, a glob, a /regex/ or {layer: bronze}')
  .transform((text, context): TableSelector => {
    const found = parseSelector(text);
    if (typeof found !== 'string') return found;
    context.addIssue({ code: 'custom', message: found });
    return z.NEVER;
  });

const layer = z
  .strictObject({ layer: z.enum(LAYERS) })
  .transform((document): TableSelector => ({ kind: 'layer', text: document.layer }));

const selectors = z.union([selector, layer]);

const tables = z
  .union([selectors, z.array(selectors).min(1, 'name at least one table')])
  .describe('Exact names, globs (bronze.*), regular expressions (/…/) or {layer: bronze}.');

export const maintenanceSchema = z.strictObject({
  kind: z.literal('maintenance'),
  name,
  tables,
  compact: compact.optional(),
  expire: expire.optional(),
  rewriteManifests: rewriteManifests.optional(),
  cadence: cadence.optional(),
});

const zone = z
  .string()
  .refine(isZone, 'is not an IANA time zone: write for example Europe/Berlin or UTC')
  .describe('IANA time zone of `at` and `cron`, for example Europe/Berlin.');

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

const cron = z.string().superRefine((text, context) => {
  const fault = faultInCron(text);
  if (fault !== null) context.addIssue({ code: 'custom', message: fault });
});

export const nightlySchema = z
  .strictObject({
    kind: z.literal('nightly'),
    name,
    at: z
      .string('"at" is a time in quotes such as "02:00"')
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is not a time of day: write for example "02:00"')
      .optional(),
    days: z.array(z.enum(WEEKDAYS)).min(1).optional().describe('With `at`; default: every day.'),
    cron: cron.optional().describe('Five fields, instead of `at` and `days`.'),
    zone,
    models: z.array(z.string().min(1)).optional().describe('Model selection; default: all.'),
    maintenance: z.boolean().optional().describe('Maintain what was touched; default true.'),
    paused: z.boolean().optional(),
    concurrency: z.int().min(1).max(64).optional().describe('Tables at once; default 4.'),
  })
  .refine(({ at, cron: expression }) => (at === undefined) !== (expression === undefined), {
    message: 'a nightly needs either "at" or "cron"',
  })
  .refine(({ days, at }) => days === undefined || at !== undefined, {
    message: '"days" goes with "at"; with "cron" write the days there',
    path: ['days'],
  });

export type MaintenanceDocument = z.output<typeof maintenanceSchema>;
export type NightlyDocument = z.output<typeof nightlySchema>;

export const POLICY_KINDS = ['maintenance', 'nightly'] as const;

/** JSON Schema of one policy file, as it is checked in at `policies/policy.schema.json`. */
export function policyJsonSchema(): Record<string, unknown> {
  const options = { io: 'input', target: 'draft-7' } as const;
  const schema = z.toJSONSchema(z.union([maintenanceSchema, nightlySchema]), options);
  return { title: 'Icewright policy', ...schema };
}

/** JSON Schema of one kind, to look up which keys are known at a path. */
export function kindJsonSchema(kind: (typeof POLICY_KINDS)[number]): Record<string, unknown> {
  const schema = kind === 'maintenance' ? maintenanceSchema : nightlySchema;
  return z.toJSONSchema(schema, { io: 'input', target: 'draft-7' }) as Record<string, unknown>;
}
