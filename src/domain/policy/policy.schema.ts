/**
 * The shape of the files in `policies/`, checked by zod; the JSON Schema for editors is generated
 * from here. Every setting is optional: a policy says only what it wants to change.
 */

import { z } from 'zod';
import { privacySchema } from '../erasure/privacy.schema.ts';
import { assertNever } from '../errors.ts';
import { LAYERS } from '../model/model.ts';
import { formatDuration, parseBytes, parseDuration } from '../units.ts';
import { WEEKDAYS } from './cron.ts';
import { FIELDS, type FieldType, type Section } from './fields.ts';
import { parseSelector, TAG_PATTERN, type TableSelector } from './match.ts';
import { faultInAllowed } from './overrides.ts';
import { METRICS, type Trigger } from './trigger.ts';
import {
  cron,
  missed,
  operationWindowSchema,
  timeOfDay,
  windowSchema,
  zone,
} from './window.schema.ts';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is no name: small letters, digits and dashes, at most 63')
  .describe('Unique among all policies; part of the schedule id of a nightly.');

function duration(minMs: number, floor?: string) {
  const why = floor === undefined ? '' : `: ${floor}`;
  return z
    .string('a duration is a text such as 7d')
    .regex(/^\d+(\.\d+)?\s*(ms|s|m|h|d)$/, 'is not a duration: write for example 7d, 12h or 30m')
    .transform(parseDuration)
    .refine((ms) => ms >= minMs, `is below the floor of ${formatDuration(minMs)}${why}`);
}

function size(minBytes: number, fault: string) {
  return z
    .string('a size is a text such as 512MB')
    .regex(/^\d+(\.\d+)?\s*([Bb]|[KkMmGgTt][Bb])$/, 'is not a size: write for example 512MB')
    .transform(parseBytes)
    .refine((bytes) => bytes >= minBytes, fault);
}

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

/** What a field takes, as the files write it. */
function schemaOf(type: FieldType): z.ZodType {
  switch (type.kind) {
    case 'flag':
      return z.boolean();
    case 'choice':
      return z.enum(type.of as [string, ...string[]]);
    case 'size':
      return size(type.minBytes, 'a target file size is at least 1MB');
    case 'duration':
      return duration(type.minMs, type.floor);
    case 'count':
      return z.int().min(type.min).max(type.max);
    case 'share':
      return z.number().min(0).max(1);
    case 'names':
      return z.array(z.string().min(1)).min(1);
    case 'pairs':
      return z.record(z.string().min(1), z.string('a property is a text: write it in quotes'));
    case 'trigger':
      return trigger;
    case 'window':
      return z.union([operationWindowSchema, z.literal('always').transform(() => null)]);
    default:
      return assertNever(type);
  }
}

/** Every field of a section, each optional. */
function section(name: Section) {
  const fields = FIELDS.filter((field) => field.section === name);
  return z.strictObject(
    Object.fromEntries(
      fields.map(({ key, type, about }) => [key, schemaOf(type).optional().describe(about)]),
    ),
  );
}

const compact = section('compact')
  .refine(({ strategy, columns }) => strategy !== 'binpack' || columns === undefined, {
    message: 'bin-pack takes no columns',
    path: ['columns'],
  })
  .refine(({ strategy = 'binpack', columns }) => strategy === 'binpack' || columns !== undefined, {
    message: 'sort and zorder need "columns"',
    path: ['strategy'],
  });

const allowed = z.string().superRefine((entry, context) => {
  const fault = faultInAllowed(entry);
  if (fault !== null) context.addIssue({ code: 'custom', message: fault });
});

const SECTION_SCHEMAS = {
  compact: compact.describe('Rewrites data files into fewer, larger or better ordered ones.'),
  rewriteDeletes: section('rewriteDeletes').describe('Rewrites position delete files.'),
  expire: section('expire').describe('Expires snapshots that nothing needs any more.'),
  rewriteManifests: section('rewriteManifests').describe('Rewrites manifests, clustered.'),
  orphans: section('orphans').describe('Removes files that nothing reaches; off by default.'),
  statistics: section('statistics').describe('Computes statistics; off by default.'),
  properties: section('properties').describe('Table properties that shall hold.'),
  cadence: section('cadence').describe('When an operation may run again.'),
  overrides: z
    .strictObject({ allow: z.array(allowed) })
    .describe('What tables may decide by their properties icewright.…; default: nothing.'),
} satisfies Record<Section, z.ZodType>;

const selector = z
  .string('a table is a name, a glob, a /regex/ or {layer: bronze}')
  .transform((text, context): TableSelector => {
    const found = parseSelector(text);
    if (typeof found !== 'string') return found;
    context.addIssue({ code: 'custom', message: found });
    return z.NEVER;
  });

const group = z
  .strictObject({
    layer: z.enum(LAYERS).optional().describe('First level of the namespace.'),
    tag: z
      .string()
      .regex(TAG_PATTERN, 'is no tag: small letters, digits and dashes')
      .optional()
      .describe('One of those in the table property icewright.tags.'),
  })
  .refine((one) => Object.keys(one).length === 1, 'write either {layer: …} or {tag: …}')
  .transform(({ layer, tag = '' }): TableSelector => {
    return layer === undefined ? { kind: 'tag', text: tag } : { kind: 'layer', text: layer };
  });

const selectors = z.union([selector, group]);

const tables = z
  .union([selectors, z.array(selectors).min(1, 'name at least one table')])
  .describe('Exact names, globs (bronze.*), regular expressions (/…/), {layer: …} or {tag: …}.');

export const maintenanceSchema = z.strictObject({
  kind: z.literal('maintenance'),
  name,
  tables,
  compact: SECTION_SCHEMAS.compact.optional(),
  rewriteDeletes: SECTION_SCHEMAS.rewriteDeletes.optional(),
  expire: SECTION_SCHEMAS.expire.optional(),
  rewriteManifests: SECTION_SCHEMAS.rewriteManifests.optional(),
  orphans: SECTION_SCHEMAS.orphans.optional(),
  statistics: SECTION_SCHEMAS.statistics.optional(),
  properties: SECTION_SCHEMAS.properties.optional(),
  cadence: SECTION_SCHEMAS.cadence.optional(),
  overrides: SECTION_SCHEMAS.overrides.optional(),
});

export const nightlySchema = z
  .strictObject({
    kind: z.literal('nightly'),
    name,
    at: timeOfDay.optional(),
    days: z.array(z.enum(WEEKDAYS)).min(1).optional().describe('With `at`; default: every day.'),
    cron: cron.optional().describe('Five fields, instead of `at` and `days`.'),
    zone,
    models: z.array(z.string().min(1)).optional().describe('Model selection; default: all.'),
    maintenance: z.boolean().optional().describe('Maintain what was touched; default true.'),
    paused: z.boolean().optional(),
    concurrency: z.int().min(1).max(64).optional().describe('Tables at once; default 4.'),
    missed: missed
      .optional()
      .describe('A night that could not begin in time: skip (default), run.'),
  })
  .refine(({ at, cron: expression }) => (at === undefined) !== (expression === undefined), {
    message: 'a nightly needs either "at" or "cron"',
  })
  .refine(({ days, at }) => days === undefined || at !== undefined, {
    message: '"days" goes with "at"; with "cron" write the days there',
    path: ['days'],
  });

const limit = z.int().min(1);

export const sweepSchema = z.strictObject({
  kind: z.literal('sweep'),
  name,
  tables: tables.optional(),
  every: duration(60_000).optional().describe('From one look to the next; default 15m.'),
  window: windowSchema.optional().describe('When operations may begin; default: always.'),
  budget: z
    .strictObject({
      bytes: size(1, 'a budget is at least 1B').optional().describe('Rewritten; no limit.'),
      engineSeconds: limit.optional().describe('Seconds of engine time; default: no limit.'),
      tables: limit.optional().describe('Tables that are worked on; default: no limit.'),
      concurrency: z.int().min(1).max(64).optional().describe('Tables at once; default 4.'),
    })
    .optional()
    .describe('What one window may cost; without a window one day (UTC).'),
  paused: z.boolean().optional(),
});

export type MaintenanceDocument = z.output<typeof maintenanceSchema>;
export type NightlyDocument = z.output<typeof nightlySchema>;
export type SweepDocument = z.output<typeof sweepSchema>;

export const POLICY_KINDS = ['maintenance', 'nightly', 'sweep', 'privacy'] as const;

const KIND_SCHEMAS = {
  maintenance: maintenanceSchema,
  nightly: nightlySchema,
  sweep: sweepSchema,
  privacy: privacySchema,
} satisfies Record<(typeof POLICY_KINDS)[number], z.ZodType>;

/** JSON Schema of one policy file, as it is checked in at `policies/policy.schema.json`. */
export function policyJsonSchema(): Record<string, unknown> {
  const options = { io: 'input', target: 'draft-7' } as const;
  const schema = z.toJSONSchema(z.union(Object.values(KIND_SCHEMAS)), options);
  return { title: 'Icewright policy', ...schema };
}

/** JSON Schema of one kind, to look up which keys are known at a path. */
export function kindJsonSchema(kind: (typeof POLICY_KINDS)[number]): Record<string, unknown> {
  const options = { io: 'input', target: 'draft-7' } as const;
  return z.toJSONSchema(KIND_SCHEMAS[kind], options) as Record<string, unknown>;
}
