import { expect, test } from 'vitest';
import { nameInCatalog, parseTable, tableFromKey, tableKey } from '../../src/domain/table.ts';

test('a two-part name stands in the default catalog', () => {
  const table = parseTable('bronze.raw_orders', 'lake');
  expect(table).toEqual({ catalog: 'lake', namespace: 'bronze', name: 'raw_orders' });
  expect(tableKey(table)).toBe('lake.bronze.raw_orders');
});

test('all parts between the first and the last are the namespace', () => {
  const table = parseTable(' lake.shop.eu.orders ', 'other');
  expect(table).toEqual({ catalog: 'lake', namespace: 'shop.eu', name: 'orders' });
  expect(nameInCatalog(table)).toBe('shop.eu.orders');
});

test('a key is read back as the same table', () => {
  const table = { catalog: 'lake', namespace: 'a.b', name: 'c-d' };
  expect(tableFromKey(tableKey(table))).toEqual(table);
});

test.each(['orders', '', 'a..b', 'a.b;drop', '1a.b', "a.b'", 'a b.c', `a.${'x'.repeat(129)}`])(
  '%j is refused as usage',
  (text) => {
    expect(() => parseTable(text, 'lake')).toThrow(
      expect.objectContaining({ code: 'UsageInvalid' }),
    );
  },
);
