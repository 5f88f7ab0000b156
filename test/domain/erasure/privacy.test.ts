import { describe, expect, test } from 'vitest';
import { privacySchema } from '../../../src/domain/erasure/privacy.schema.ts';
import type { PrivacyPolicy, Subject, TableMapping } from '../../../src/domain/erasure/privacy.ts';
import { checkPrivacy } from '../../../src/domain/erasure/privacy-checks.ts';

function mapping(change: Partial<TableMapping>): TableMapping {
  const plain = { action: 'delete', because: null, match: {}, holds: {} } as const;
  return { table: 'lake.bronze.a', ...plain, ...change };
}

function policy(change: Partial<Subject>): PrivacyPolicy {
  const subject: Subject = {
    name: 'customer',
    key: 'customer_id',
    identifiers: [
      { name: 'customer_id', type: 'bigint', links: true, trace: false },
      { name: 'order_id', type: 'bigint', links: true, trace: false },
      { name: 'email', type: 'string', links: false, trace: true },
    ],
    sources: [],
    tables: [
      mapping({ match: { customer_id: ['customer_id'] }, holds: { order_id: ['order_id'] } }),
      mapping({ table: 'lake.bronze.b', match: { order_id: ['order_id'] } }),
    ],
    ...change,
  };
  const fixed = { name: 'p', file: 'privacy.yaml', sinks: [], warnAtMs: [], collectMs: 0 };
  return { kind: 'privacy', subjects: [subject], deadlineMs: 1, ...fixed };
}

const messages = (change: Partial<Subject>) =>
  checkPrivacy(policy(change)).map((one) => one.message);

describe('across a privacy policy', () => {
  test('one that is whole has no faults', () => expect(messages({})).toEqual([]));
  test('the key is an identifier that links', () => {
    expect(messages({ key: 'nobody' })[0]).toContain('"nobody" is none of the identifiers');
    expect(messages({ key: 'email' })[0]).toContain('must have "links: true"');
  });
  test('a linking identifier that no row tells stays unknown', () => {
    const tables = [mapping({ match: { customer_id: ['customer_id'] } })];
    expect(messages({ tables })).toEqual([expect.stringContaining('holds "order_id"')]);
  });
  test('rows match by linking identifiers only', () => {
    const tables = [
      mapping({ match: { customer_id: ['c'], email: ['e'] }, holds: { order_id: ['o'] } }),
    ];
    expect(messages({ tables })).toEqual([expect.stringContaining('cannot match by "email"')]);
  });
  test('a table is mapped once', () => {
    const one = mapping({ match: { customer_id: ['c'] }, holds: { order_id: ['o'] } });
    expect(messages({ tables: [one, one] })).toEqual(['lake.bronze.a is mapped twice']);
  });
});

describe('the shape', () => {
  const shape = (table: object) =>
    privacySchema.safeParse({
      kind: 'privacy',
      name: 'shop',
      subjects: {
        customer: { key: 'id', identifiers: { id: { links: true } }, tables: [table] },
      },
    });
  test('keep needs its reason, delete its columns', () => {
    expect(shape({ table: 'gold.a', action: 'keep' }).success).toBe(false);
    expect(shape({ table: 'gold.a', action: 'keep', because: 'sums over a day' }).success).toBe(
      true,
    );
    expect(shape({ table: 'gold.a' }).success).toBe(false);
    expect(shape({ table: 'gold.a', match: { id: 'after.id' } }).success).toBe(true);
  });
  test('a column is a path, not an expression', () => {
    expect(shape({ table: 'gold.a', match: { id: "after->>'id'" } }).success).toBe(false);
  });
});
