import { describe, expect, test } from 'vitest';
import type { StoredReport } from '../../src/activities/ledger-port.ts';
import { type PlaceDeps, refuseSharedPlaces } from '../../src/activities/orphan-places.ts';
import type { TableVersion } from '../../src/activities/table-files.ts';
import { IcewrightError } from '../../src/domain/errors.ts';
import { tableFromKey, tableKey } from '../../src/domain/table.ts';

const OWN = tableFromKey('lake.a.t');
const VERSION: TableVersion = {
  tableUuid: 'u',
  snapshotId: '1',
  metadataLocation: 's3://lake/a/t/metadata/1.metadata.json',
  location: 's3://lake/a/t',
  properties: {},
  encrypted: false,
};

/** Table → its places, the code with which the catalog refuses it, as last measured after `=`. */
function catalogOf(tables: Readonly<Record<string, readonly string[] | string>>): PlaceDeps {
  const refusal = (key: string) => String(tables[key]).split('=');
  return {
    catalog: { listTables: async () => Object.keys(tables).map(tableFromKey) },
    ledger: {
      latestReports: async () =>
        Object.keys(tables).map((table) => {
          const location = typeof tables[table] === 'string' ? refusal(table)[1] : undefined;
          return { table, location: location ?? null } as StoredReport;
        }),
    },
    files: {
      places: async (table) => {
        const key = tableKey(table);
        const found = tables[key];
        if (Array.isArray(found)) return { table: key, places: found };
        throw new IcewrightError(refusal(key)[0] as 'TableNotFound', `${key} is broken`);
      },
    },
  };
}

const told = (tables: Parameters<typeof catalogOf>[0], version = VERSION) =>
  refuseSharedPlaces(catalogOf({ 'lake.a.t': [version.location], ...tables }), OWN, version).then(
    () => 'allowed',
    (error: IcewrightError) => `${error.code} ${error.message}`,
  );

describe('where all tables of the catalog lie', () => {
  test('allows a table that is by itself', async () => {
    const others = { 'lake.a.t_2': ['s3://lake/a/t_2'], 'lake.b.t': ['s3://lake/b/t'] };
    expect(await told(others)).toBe('allowed');
  });

  test.each([
    ['equal', ['s3a://lake/a/t/']],
    ['around it', ['s3://lake/a']],
    ['within it', ['s3://lake/a/t/data/x']],
    ['only its data', ['s3://lake/b/x', 's3://lake/a/t/x']],
  ])('refuses where another is %s', async (_what, places) => {
    expect(await told({ 'lake.b.x': places })).toMatch(/^SafetyRefused lake\.b\.x keeps files at/);
  });

  test('goes by the last measurement of a table that cannot be read', async () => {
    expect(await told({ 'lake.b.x': 'CatalogRejected=s3://lake/b/x' })).toBe('allowed');
    expect(await told({ 'lake.b.x': 'CatalogRejected=s3://lake/a' })).toMatch(/overlaps/);
  });

  test('refuses when a table’s place was never known, not when the table is gone', async () => {
    expect(await told({ 'lake.b.x': 'CatalogRejected' })).toMatch(
      /^SafetyRefused where lake\.b\.x lies is not known/,
    );
    expect(await told({ 'lake.b.x': 'TableNotFound' })).toBe('allowed');
  });

  test('refuses places that it cannot compare', async () => {
    const version = { ...VERSION, properties: { 'write.data.path': 's3://elsewhere/x' } };
    expect(await told({}, version)).toMatch(/outside of its location/);
  });
});
