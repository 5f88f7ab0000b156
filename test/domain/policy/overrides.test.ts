import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { effectivePolicy } from '../../../src/domain/policy/effective.ts';
import { FIELDS, fieldPath } from '../../../src/domain/policy/fields.ts';
import type { TableSelector } from '../../../src/domain/policy/match.ts';
import { faultInAllowed, propertyOf } from '../../../src/domain/policy/overrides.ts';
import {
  DEFAULT_SETTINGS,
  type MaintenancePolicy,
  type PartialSettings,
} from '../../../src/domain/policy/policy.ts';
import { parseTable } from '../../../src/domain/table.ts';

const ORDERS = parseTable('bronze.raw_orders', 'lake');
const MB = 2 ** 20;
const ALL: TableSelector = { kind: 'glob', text: '*' };

function policy(settings: PartialSettings, tables: readonly TableSelector[] = [ALL], name = 'p') {
  return {
    kind: 'maintenance',
    name,
    file: `policies/${name}.yaml`,
    tables,
    settings,
    origins: {},
  } satisfies MaintenancePolicy;
}

function effective(allow: readonly string[], properties: Readonly<Record<string, string>>) {
  return effectivePolicy([policy({ overrides: { allow } })], ORDERS, properties);
}

describe('table properties', () => {
  test('change what the policies allow, and provenance names the property', () => {
    const { settings, origins, ignored } = effective(['compact.*'], {
      'icewright.compact.target-file-size': '128MB',
      'icewright.compact.min-input-files': '9',
      'write.format.default': 'parquet',
      'icewright.tags': 'pii',
    });
    expect(settings.compact).toMatchObject({ targetFileSizeBytes: 128 * MB, minInputFiles: 9 });
    expect(origins['compact.targetFileSizeBytes']).toEqual({
      policy: 'table property icewright.compact.target-file-size',
      file: 'table property icewright.compact.target-file-size',
      line: 0,
    });
    expect(ignored).toBeUndefined();
  });

  test('by default none is heard, and each says which line would allow it', () => {
    const { settings, ignored } = effective([], { 'icewright.expire.keep-last': '1' });
    expect(settings).toEqual(DEFAULT_SETTINGS);
    expect(ignored).toEqual([
      {
        property: 'icewright.expire.keep-last',
        value: '1',
        because: 'no policy allows it: overrides: {allow: [expire.keepLast]} would',
      },
    ]);
  });

  test.each([
    ['icewright.orphans.older-than', '1h', /below the floor of 3 d/],
    ['icewright.orphans.max-share', '2', /a number from 0 to 1/],
    ['icewright.compact.target-file-size', 'big', /is not a size/],
    ['icewright.compact.target-file-size', '1KB', /at least 1MB/],
    ['icewright.compact.engine', 'flink', /one of auto, spark, trino/],
    ['icewright.compact.enabled', 'yes', /true or false/],
    ['icewright.compact.columns', 'a,,b', /names with commas/],
    ['icewright.compact.trigger', '{}', /cannot hold this setting/],
    ['icewright.expire.keep-last', '0', /from 1 to/],
    ['icewright.expire.keep-lst', '5', /no such setting/],
    ['icewright.overrides.allow', '*', /no table may decide/],
    ['icewright.cadence.window', 'always', /no table may decide/],
  ])('%s=%s is passed over, whatever is allowed', (property, value, because) => {
    const { settings, ignored } = effective(['*'], { [property]: value });
    expect({ ...settings, overrides: { allow: [] } }).toEqual(DEFAULT_SETTINGS);
    expect(ignored).toEqual([{ property, value, because: expect.stringMatching(because) }]);
  });

  test('icewright.enabled=false switches every operation off, also where others switch on', () => {
    const properties = { 'icewright.enabled': 'false', 'icewright.orphans.enabled': 'true' };
    const { settings, origins } = effective(['enabled', 'orphans.enabled'], properties);
    const sections = Object.values(settings).filter((section) => 'enabled' in section);
    expect(sections.map((section) => section.enabled)).toEqual(sections.map(() => false));
    expect(origins['compact.enabled']?.file).toBe('table property icewright.enabled');
    expect(effective(['enabled'], { 'icewright.enabled': 'true' }).ignored).toHaveLength(1);
  });

  test('no text ever brings a table below a floor, or down', () => {
    const names = FIELDS.map(propertyOf);
    const texts = fc.oneof(fc.string(), fc.nat().map(String), fc.constantFrom('1s', '-1', '1e9d'));
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), texts), (properties) => {
        const { settings } = effective(['*'], properties);
        expect(settings.orphans.olderThanMs).toBeGreaterThanOrEqual(72 * 3_600_000);
        expect(settings.orphans.maxShare).toBeLessThanOrEqual(1);
        expect(settings.expire.keepLast).toBeGreaterThanOrEqual(1);
        expect(settings.overrides.allow).toEqual(['*']);
      }),
    );
  });
});

describe('what may be allowed', () => {
  test.each(['compact.targetFileSize', 'compact.*', '*', 'enabled', '*.enabled'])('%s', (entry) =>
    expect(faultInAllowed(entry)).toBeNull(),
  );
  test.each([
    ['compact.targetFileSizes', /is no field/],
    ['icewright.compact', /is no field/],
    ['overrides.allow', /no table may decide/],
  ])('%s is a fault', (entry, message) => expect(faultInAllowed(entry)).toMatch(message));
});

describe('tags', () => {
  const tag: TableSelector = { kind: 'tag', text: 'pii' };
  const tagged = policy({ expire: { keepLast: 77 } }, [tag], 'tagged');
  const glob = policy({ expire: { keepLast: 2 } }, [{ kind: 'glob', text: 'bronze.raw_*' }], 'g');

  test.each([
    ['pii', 77],
    ['hourly, PII ,x', 77],
    ['pii-heavy', 2],
    ['', 2],
  ])('icewright.tags=%j', (tags, keepLast) => {
    const { settings } = effectivePolicy([tagged, glob], ORDERS, { 'icewright.tags': tags });
    expect(settings.expire.keepLast).toBe(keepLast);
  });

  test('an exact name is more precise still', () => {
    const exact = policy(
      { expire: { keepLast: 9 } },
      [{ kind: 'exact', text: 'bronze.raw_orders' }],
      'a',
    );
    const { settings } = effectivePolicy([exact, tagged], ORDERS, { 'icewright.tags': 'pii' });
    expect(settings.expire.keepLast).toBe(9);
  });
});

describe('the list of fields', () => {
  test('has every setting once, and no other', () => {
    const listed = FIELDS.map(({ section, name }) => `${section}.${name}`);
    const there = Object.entries(DEFAULT_SETTINGS).flatMap(([section, values]) =>
      Object.keys(values).map((name) => `${section}.${name}`),
    );
    expect([...listed].sort()).toEqual([...there].sort());
    expect(new Set(FIELDS.map(fieldPath)).size).toBe(FIELDS.length);
  });

  test('stands in the documentation, each field in a row of its own', async () => {
    const text = await readFile(join(import.meta.dirname, '../../../docs/policies.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `(\w+\.\w+)` \|/gm)].map(([, path]) => path);
    const fields = rows.filter((path) => !path?.startsWith('budget.'));
    expect(fields.sort()).toEqual(FIELDS.map(fieldPath).sort());
  });
});
