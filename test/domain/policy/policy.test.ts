import { describe, expect, test } from 'vitest';
import { effectivePolicy } from '../../../src/domain/policy/effective.ts';
import { parseSelector, selects, type TableSelector } from '../../../src/domain/policy/match.ts';
import {
  DEFAULT_SETTINGS,
  type MaintenancePolicy,
  type PartialSettings,
} from '../../../src/domain/policy/policy.ts';
import { parseTable } from '../../../src/domain/table.ts';

const ORDERS = parseTable('bronze.raw_orders', 'lake');

function selector(text: string): TableSelector {
  const found = parseSelector(text);
  if (typeof found === 'string') throw new Error(found);
  return found;
}

const LAYER: TableSelector = { kind: 'layer', text: 'bronze' };

function policy(
  name: string,
  tables: readonly TableSelector[],
  settings: PartialSettings,
): MaintenancePolicy {
  const origins = Object.fromEntries(
    Object.entries(settings).flatMap(([section, fields]) =>
      Object.keys(fields).map((field, index) => [
        `${section}.${field}`,
        { policy: name, file: `policies/${name}.yaml`, line: index + 5 },
      ]),
    ),
  );
  return { kind: 'maintenance', name, file: `policies/${name}.yaml`, tables, settings, origins };
}

describe('selectors', () => {
  test.each([
    ['bronze.raw_orders', true],
    ['lake.bronze.raw_orders', true],
    ['other.bronze.raw_orders', false],
    ['raw_orders.bronze', false],
    ['*', true],
    ['bronze.*', true],
    ['bronze.raw_*', true],
    ['*.raw_orders', true],
    ['bronze.raw', false],
    ['**.raw_orders', true],
    ['lake.**', true],
    ['silver.*', false],
    ['bronz*e.x*', false],
    ['/^bronze\\./', true],
    ['/orders$/', true],
    ['/^orders/', false],
  ])('%s on lake.bronze.raw_orders: %s', (text, expected) => {
    expect(selects(selector(text), ORDERS)).toBe(expected);
  });

  test('one star does not cross a dot, two do', () => {
    const deep = parseTable('lake.shop.eu.orders', 'lake');
    expect(selects(selector('shop.*.x*'), deep)).toBe(false);
    expect(selects(selector('lake.*.orders'), deep)).toBe(false);
    expect(selects(selector('lake.**.orders'), deep)).toBe(true);
  });

  test('a layer is the first level of the namespace', () => {
    expect(selects(LAYER, ORDERS)).toBe(true);
    expect(selects(LAYER, parseTable('lake.bronze.eu.x', 'lake'))).toBe(true);
    expect(selects(LAYER, parseTable('silver.orders', 'lake'))).toBe(false);
  });

  test.each(['orders', '/((/', '/abc', '//', 'a b.c', '', '/(a+)+$/', '/(\\w*)*x/'])(
    '%j names no table',
    (text) => expect(typeof parseSelector(text)).toBe('string'),
  );
});

describe('effective policy', () => {
  const all = policy('all', [selector('*')], { expire: { keepLast: 10, olderThanMs: 1 } });
  const layer = policy('layer', [LAYER], {
    expire: { keepLast: 20 },
    compact: { engine: 'trino' },
  });
  const glob = policy('glob', [selector('bronze.*')], { expire: { keepLast: 30 } });
  const exact = policy('exact', [selector('bronze.raw_orders')], { compact: { enabled: false } });

  test('without policies is the defaults, and says so', () => {
    const { settings, origins } = effectivePolicy([], ORDERS);
    expect(settings).toEqual(DEFAULT_SETTINGS);
    expect(origins['compact.targetFileSizeBytes']).toMatchObject({ policy: 'built-in', line: 0 });
  });

  test('the more specific wins field by field, in whatever order the files come', () => {
    for (const policies of [
      [all, layer, glob, exact],
      [exact, glob, layer, all],
    ]) {
      const { settings, origins } = effectivePolicy(policies, ORDERS);
      expect(settings.expire).toMatchObject({ keepLast: 30, olderThanMs: 1, enabled: true });
      expect(settings.compact).toMatchObject({ engine: 'trino', enabled: false });
      expect(origins).toMatchObject({
        'expire.keepLast': { policy: 'glob' },
        'expire.olderThanMs': { policy: 'all', file: 'policies/all.yaml', line: 6 },
        'compact.engine': { policy: 'layer' },
        'compact.enabled': { policy: 'exact' },
        'compact.strategy': { policy: 'built-in' },
      });
    }
  });

  test('a policy for other tables has no say', () => {
    const customers = parseTable('gold.customers', 'lake');
    const { settings } = effectivePolicy([layer, glob, exact], customers);
    expect(settings).toEqual(DEFAULT_SETTINGS);
  });

  test('of two globs the one with more letters wins, of two equals the later name', () => {
    const longer = policy('a', [selector('bronze.raw_*')], { expire: { keepLast: 40 } });
    const twin = policy('z', [selector('bronze.*')], { expire: { keepLast: 50 } });
    expect(effectivePolicy([longer, glob], ORDERS).settings.expire.keepLast).toBe(40);
    expect(effectivePolicy([twin, glob], ORDERS).settings.expire.keepLast).toBe(50);
  });

  test('every effective field has an origin', () => {
    const { settings, origins } = effectivePolicy([all, layer], ORDERS);
    const fields = Object.entries(settings).flatMap(([section, values]) =>
      Object.keys(values).map((field) => `${section}.${field}`),
    );
    expect(Object.keys(origins).sort()).toEqual(fields.sort());
  });
});
