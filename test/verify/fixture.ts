/** A table, a subject and what is looked for, for tests of the second reader. */
import type { TableVerification } from '../../src/domain/erasure/certificate.ts';
import type { Subject, TableMapping } from '../../src/domain/erasure/privacy.ts';
import type { VerifyInput } from '../../src/verify/ports.ts';
import { verifyTable } from '../../src/verify/verify-table.ts';
import type { MemoryStore } from './memory-store.ts';

export const LOCATION = 's3://lake/a/t';
export const METADATA = `${LOCATION}/metadata/00003-aa.metadata.json`;

export const VALUES = {
  customer_id: ['4217001'],
  email: ['ann.lee@example.org'],
  full_name: ['Ann Lee-Müller'],
  session: ['sess-7f31-abcdef-0001'],
} as const;
/** Somebody else's, as close to the subject's as may be. */
export const OTHERS = {
  customer_id: ['42170010', '421700', '-4217001'],
  email: ['joann.lee@example.org', 'ann.lee@example.org.uk', 'mary.ann.lee@example.org'],
  full_name: ['Joann Lee-Müller', 'Ann Lee-Müllerin'],
} as const;

export const SUBJECT: Subject = {
  name: 'customer',
  key: 'customer_id',
  identifiers: [
    { name: 'customer_id', type: 'bigint', links: true, trace: false },
    { name: 'session', type: 'string', links: true, trace: false },
    { name: 'email', type: 'string', links: false, trace: true },
    { name: 'full_name', type: 'string', links: false, trace: true },
  ],
  sources: [],
  tables: [],
};

export const MAPPING: TableMapping = {
  table: 'lake.a.t',
  action: 'delete',
  because: null,
  match: {
    customer_id: ['customer_id', 'before.customer_id', 'after.customer_id', 'ids', 'key_text'],
    session: ['session'],
  },
  holds: { customer_id: ['key_decimal'], email: ['email'] },
};

/** A column of a table's schema. */
export const field = (id: number, name: string, type: unknown) => ({
  id,
  name,
  required: false,
  type,
});
export const FIELDS = [
  field(1, 'id', 'long'),
  field(2, 'customer_id', 'long'),
  field(3, 'email', 'string'),
  field(4, 'before', {
    type: 'struct',
    fields: [field(5, 'customer_id', 'long'), field(6, 'note', 'string')],
  }),
  field(7, 'after', 'string'),
  field(8, 'note', 'string'),
  field(9, 'ids', { type: 'list', 'element-id': 10, element: 'long', 'element-required': false }),
  field(11, 'key_decimal', 'decimal(18, 0)'),
  field(12, 'key_text', 'string'),
  field(13, 'session', 'string'),
  field(14, 'payload', 'binary'),
  field(15, 'amount', 'decimal(12, 2)'),
];

/** Metadata JSON of a table in format version 2. */
export function metadataJson(more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    'format-version': 2,
    'table-uuid': '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    location: LOCATION,
    'current-schema-id': 0,
    schemas: [{ 'schema-id': 0, type: 'struct', fields: FIELDS }],
    'partition-specs': [{ 'spec-id': 0, fields: [] }],
    properties: {},
    'current-snapshot-id': -1,
    snapshots: [],
    'metadata-log': [],
    ...more,
  });
}

export function inputOf(more: Partial<VerifyInput> = {}): VerifyInput {
  return {
    table: 'lake.a.t',
    metadataLocation: METADATA,
    subject: SUBJECT,
    mapping: MAPPING,
    subjects: [{ requestId: 'r1', values: VALUES }],
    oldObjects: [],
    ...more,
  };
}

export async function verifyOne(
  store: MemoryStore,
  more: Partial<VerifyInput> = {},
): Promise<TableVerification> {
  const verified = await verifyTable(inputOf(more), store);
  return verified.get('r1') as TableVerification;
}

/** `identifier how`, or `how because`: what a test says of traces; sorted, each once. */
export function tracesOf({ traces }: TableVerification): readonly string[] {
  const told = traces.map((one) => `${one.kind} ${one.identifier ?? one.because ?? ''} ${one.how}`);
  return [...new Set(told)].sort();
}
