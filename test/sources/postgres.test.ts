import { expect, test } from 'vitest';
import { numbered } from '../../src/sources/postgres.ts';

test('identifiers become arrays, each once; casts and texts stay', () => {
  const statement = `DELETE FROM a WHERE x = ANY(:customer_id::bigint[]) OR y = ANY(:email)
    OR z = ANY(:customer_id) OR t > now()::timestamptz`;
  expect(numbered(statement)).toEqual({
    text: `DELETE FROM a WHERE x = ANY($1::text[]::bigint[]) OR y = ANY($2::text[])
    OR z = ANY($1::text[]) OR t > now()::timestamptz`,
    names: ['customer_id', 'email'],
  });
});
