/** The YAML header of a model file, checked by zod. */
import { z } from 'zod';
import { parseDuration } from '../units.ts';
import { LAYERS, type ModelGate } from './model.ts';
import { parseColumnType, parsePartition, TYPE_NAMES } from './types.ts';

const NAME = /^[a-z_][a-z0-9_]{0,127}$/;
const columnName = z
  .string()
  .regex(NAME, 'is not a column name: small letters, digits and underscores');
const tableName = z
  .string()
  .regex(
    /^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+$/,
    'is not a table: write for example silver.orders',
  );

const columnType = z
  .string()
  .refine((text) => parseColumnType(text) !== null, `is not a type: write ${TYPE_NAMES}`);
const partition = z
  .string()
  .refine(
    (text) => parsePartition(text) !== null,
    'is not a partitioning: write a column, day(column) or bucket(16, column)',
  );

const column = z.union([
  columnType,
  z.strictObject({
    type: columnType,
    pii: z
      .enum(['none', 'direct', 'pseudonym'])
      .optional()
      .describe('none: not personal. direct: identifies. pseudonym: keyed hash or masked.'),
  }),
]);

const columnNames = z.array(columnName).min(1);
const gate = z
  .strictObject({
    not_null: columnNames.optional(),
    unique: columnNames.optional(),
    accepted_values: z
      .strictObject({ column: columnName, values: z.array(z.string()).min(1) })
      .optional(),
    relationships: z
      .strictObject({ column: columnName, to: tableName, field: columnName })
      .optional(),
    row_count_delta: z.strictObject({ maxRatio: z.number().positive() }).optional(),
    freshness: z
      .strictObject({
        column: columnName,
        maxAge: z.string().regex(/^\d+(ms|s|m|h|d)$/, 'is not a duration: write for example 2d'),
      })
      .optional(),
    sql: z.string().min(1).optional().describe('Rows that this SELECT returns are faults.'),
  })
  .refine((one) => Object.keys(one).length === 1, 'a gate names exactly one check');

/** Everything optional has the meaning "none". */
export const modelHeaderSchema = z.strictObject({
  target: tableName.describe(`<layer>.<file name>; layers: ${LAYERS.join(', ')}`),
  engine: z.enum(['spark', 'trino']),
  materialization: z.enum(['append', 'merge', 'overwrite_partitions', 'replace']),
  description: z.string().min(1),
  owner: z.string().min(1).optional(),
  key: z.array(columnName).optional().describe('Required for merge.'),
  deletedWhen: columnName.optional().describe('merge: result column that is true for a delete.'),
  changedWhen: z.string().min(1).optional().describe('merge: SQL over t (target), s (result).'),
  inputs: z.array(tableName).optional().describe('Tables of other models that it reads.'),
  sources: z.array(tableName).optional().describe('Tables outside the lake that it reads.'),
  columns: z.record(columnName, column).refine((all) => Object.keys(all).length > 0, 'is empty'),
  partitioning: z.array(partition).optional(),
  sortOrder: z
    .array(z.string().regex(/^[a-z_][a-z0-9_]*( (asc|desc))?$/, 'is not "column" or "column desc"'))
    .optional(),
  gates: z.array(gate).optional(),
  properties: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .optional()
    .describe('Iceberg table properties.'),
});

export type ModelHeader = z.infer<typeof modelHeaderSchema>;

/** For editors, and for telling which keys are known. */
export function modelHeaderJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(modelHeaderSchema, { io: 'input', target: 'draft-7' });
}

/** A checked gate as the domain knows it. */
export function gateOf(one: z.infer<typeof gate>): ModelGate {
  if (one.not_null !== undefined) return { kind: 'not_null', columns: one.not_null };
  if (one.unique !== undefined) return { kind: 'unique', columns: one.unique };
  if (one.accepted_values !== undefined) return { kind: 'accepted_values', ...one.accepted_values };
  if (one.relationships !== undefined) return { kind: 'relationships', ...one.relationships };
  if (one.row_count_delta !== undefined) return { kind: 'row_count_delta', ...one.row_count_delta };
  if (one.freshness !== undefined) {
    const { column: name, maxAge } = one.freshness;
    return { kind: 'freshness', column: name, maxAgeMs: parseDuration(maxAge) };
  }
  // The refinement above leaves no other case.
  return { kind: 'sql', sql: one.sql ?? '' };
}
