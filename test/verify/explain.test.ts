/** Whose a cut bound is: a value that remains, or none but the subject. */
import { expect, test } from 'vitest';
import { explains } from '../../src/verify/explain.ts';

test.each([
  [
    'begins as the subject does',
    'Name Number 1001777',
    'name number 1001',
    'name number 1002',
    true,
  ],
  ['begins with the bound', 'Name Number 1002013', 'name number 1001', 'name number 1002', true],
  ['raised, it is the bound', 'Name Number 1000013', 'name number 1001', 'name number 1001', true],
  ['raised, in capitals', 'NAME NUMBER 1000', 'name number 1001', 'name number 1001', true],
  ['is shorter', 'Name Number 100', 'name number 1001', 'name number 1001', false],
  ['is another one', 'Name Number 1009', 'name number 1001', 'name number 1001', false],
  ['is none', '', 'name number 1001', 'name number 1001', false],
])('a value that %s', (_, value, prefix, bound, is) => {
  const bytes = (text: string) => Buffer.from(text);
  expect(explains(bytes(value), { prefix: bytes(prefix), bound: bytes(bound) })).toBe(is);
});
