import { expect, it } from 'vitest';
import { holdsAt } from '../../../src/domain/erasure/ref-schema.ts';

const THEN = {
  columns: [
    { name: 'client', type: 'long' },
    { name: 'payload', type: 'string' },
    { name: 'fax', type: 'string' },
  ],
  names: { customer_id: 'client', after: 'payload', email: null, who: null, 'who.name': null },
};

it.each([
  ['a column that was called otherwise', 'customer_id', ['client']],
  ['a field of JSON in such a column', 'after.customer.id', ['payload.customer.id']],
  ['a column that was not there yet', 'email', undefined],
  ['a field of a struct that was not there yet', 'who.name', undefined],
  ['a column that is no more', 'fax', ['fax']],
  ['a column that never was', 'nowhere', undefined],
])('%s', (_what, path, paths) => {
  expect(holdsAt({ one: [path] }, THEN).one).toEqual(paths);
});
