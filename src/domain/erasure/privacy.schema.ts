/** The shape of `policies/privacy.yaml`, checked by zod. What must hold across it: `privacy-checks`. */
import { z } from 'zod';
import { parseDuration } from '../units.ts';

const DAY_MS = 86_400_000;

const identifierName = z
  .string()
  .regex(/^[a-z][a-z0-9_]{0,62}$/, 'is no name: small letters, digits and _, at most 63');

const columnPath = z
  .string()
  .regex(/^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$/, 'is no column: write customer_id or after.customer_id');

const duration = z
  .string('a duration is a text such as 30d')
  .regex(/^\d+(\.\d+)?\s*(ms|s|m|h|d)$/, 'is not a duration: write for example 30d, 12h or 30m')
  .transform(parseDuration);

const columnPaths = z
  .union([columnPath, z.array(columnPath).min(1)])
  .transform((paths): readonly string[] => (Array.isArray(paths) ? paths : [paths]));

const holds = z
  .record(identifierName, columnPaths)
  .describe('Identifier → the columns, or fields of columns, that hold it.');

const identifier = z.strictObject({
  type: z.enum(['bigint', 'string']).optional().describe('Default string.'),
  links: z
    .boolean()
    .optional()
    .describe('Rows that hold it are the subject’s, in every table. Default false.'),
  trace: z
    .boolean()
    .optional()
    .describe('Its text alone betrays the subject: looked for in every file. Default false.'),
});

const table = z
  .strictObject({
    table: z
      .string()
      .regex(/^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+$/, 'is no table: write bronze.raw_orders'),
    action: z.enum(['delete', 'recompute', 'keep']).optional().describe('Default delete.'),
    because: z.string().min(10).optional().describe('Of keep: why no row is personal.'),
    match: holds.optional().describe('A row is the subject’s when one of these holds its value.'),
    holds: holds.optional().describe('More personal data in those rows.'),
  })
  .refine(({ action, because }) => action !== 'keep' || because !== undefined, {
    message: 'keep needs "because": the certificate tells why the table holds no personal data',
    path: ['action'],
  })
  .refine(({ action, match }) => action === 'keep' || match !== undefined, {
    message: 'delete and recompute need "match": by which columns rows are the subject’s',
    path: ['table'],
  });

const source = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,30}$/, 'is no name: small letters, digits and dashes, at most 31'),
  kind: z.literal('postgres'),
  tell: z
    .array(z.string().min(1))
    .optional()
    .describe('Queries, asked first: further linking identifiers, in rows that hold the key.'),
  forget: z
    .array(z.string().min(1))
    .min(1)
    .describe('Statements in order, in one transaction; :customer_id is the array of values.'),
});

const subject = z.strictObject({
  key: identifierName.describe('The identifier that a request names.'),
  identifiers: z.record(identifierName, identifier),
  sources: z.array(source).optional(),
  tables: z.array(table).min(1),
});

const sink = z.strictObject({
  name: z.string().min(1),
  owner: z.string().min(1),
  retention: duration.optional().describe('How long copies stay; without it: no end is known.'),
  note: z.string().optional(),
});

export const privacySchema = z.strictObject({
  kind: z.literal('privacy'),
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'is no name: small letters, digits, dashes'),
  deadline: duration
    .optional()
    .refine((ms) => ms === undefined || (ms >= DAY_MS && ms <= 92 * DAY_MS), {
      message: 'is between 1d and 92d: one month, extendable by two (Art. 12(3) GDPR)',
    })
    .describe('From request to answer; default 30d.'),
  warnAt: z.array(duration).min(1).optional().describe('Ages that alarm; default 20d and 25d.'),
  collect: duration
    .optional()
    .describe('Requests approved within this time share one rewrite; default 0s.'),
  subjects: z.record(identifierName, subject),
  sinks: z.array(sink).optional(),
});

export type PrivacyDocument = z.output<typeof privacySchema>;
