import { describe, expect, test } from 'vitest';
import type { StoredReport } from '../../../src/activities/ledger-port.ts';
import { type PlaceDeps, refuseSharedPlaces } from '../../../src/activities/orphans/places.ts';
import type { TableVersion } from '../../../src/activities/table-files.ts';
import { type ErrorCode, IcewrightError } from '../../../src/domain/errors.ts';
import { tableFromKey, tableKey } from '../../../src/domain/table.ts';

const OWN = tableFromKey('lake.a.t');
const VERSION: TableVersion = {
  tableUuid: 'u',
  snapshotId: '1',
  metadataLocation: 's3://lake/a/t/metadata/1.metadata.json',
  location: 's3://lake/a/t',
  properties: {},
  encrypted: false,
};

/** What the catalog refuses to load, and what the ledger last knew of it. */
interface Broken {
  readonly code: ErrorCode;
  readonly known?: Partial<StoredReport>;
  /** Listed at first, and no more when the catalog is asked again. */
  readonly dropped?: true;
  /** Under this name it is listed from then on. */
  readonly renamed?: string;
  /** Where it lies when it is loaded a second time: dropped, and made anew under its name. */
  readonly remade?: readonly string[];
  /** Listed until it was asked for twice: dropped in between. */
  readonly lingers?: true;
}

type Held = readonly string[] | Broken;

function catalogOf(tables: Readonly<Record<string, Held>>): PlaceDeps {
  const isBroken = (held: Held | undefined): held is Broken => !Array.isArray(held);
  const later = Object.values(tables).flatMap((one) => (isBroken(one) ? (one.renamed ?? []) : []));
  let lists = 0;
  const loaded = new Set<string>();
  const isListed = (key: string) => {
    const one = tables[key];
    if (isBroken(one) && one.lingers) return lists <= 2;
    if (later.includes(key)) return lists > 1;
    return lists === 1 || !isBroken(one) || (one.dropped ?? one.renamed) === undefined;
  };
  return {
    catalog: {
      listTables: async () => {
        lists += 1;
        return Object.keys(tables).filter(isListed).map(tableFromKey);
      },
    },
    ledger: {
      latestReports: async () =>
        Object.entries(tables).map(([table, one]) => {
          const known = isBroken(one) ? one.known : {};
          return { table, location: null, ...known } as StoredReport;
        }),
    },
    files: {
      places: async (table) => {
        const key = tableKey(table);
        const found = tables[key];
        if (!isBroken(found)) return { table: key, places: found as readonly string[] };
        if (found.remade !== undefined && loaded.has(key)) {
          return { table: key, places: found.remade };
        }
        loaded.add(key);
        throw new IcewrightError(found.code, `${key} is broken`);
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

  test('asks again for a table that was made anew in between, and goes by what it is now', async () => {
    const known = { places: ['s3://lake/b/old'] };
    const toldOf = (...remade: string[]) =>
      told({ 'lake.b.x': { code: 'TableNotFound', known, remade } });
    expect(await toldOf('s3://lake/b/x')).toBe('allowed');
    expect(await toldOf('s3://lake/a/t/x')).toMatch(/^SafetyRefused lake\.b\.x keeps files at/);
  });

  test('passes over a table that was dropped after it was listed a second time', async () => {
    expect(await told({ 'lake.b.x': { code: 'TableNotFound', lingers: true } })).toBe('allowed');
  });

  // A catalog answers 404 for a listed table whose metadata file is lost.
  test.each(['CatalogRejected', 'TableNotFound'] as const)(
    'goes by all places last measured of a table that is listed, but not loaded (%s)',
    async (code) => {
      const toldOf = (...places: string[]) => told({ 'lake.b.x': { code, known: { places } } });
      expect(await toldOf('s3://lake/b/x')).toBe('allowed');
      expect(await toldOf('s3://lake/a')).toMatch(/overlaps/);
      expect(await toldOf('s3://lake/b/x', 's3://lake/a/t/guest')).toMatch(/overlaps/);
    },
  );

  test.each(['CatalogRejected', 'TableNotFound'] as const)(
    'refuses when not all places of a listed table are known (%s)',
    async (code) => {
      const why =
        /^SafetyRefused where lake\.b\.x keeps its files is not known .*repair or drop it/;
      expect(await told({ 'lake.b.x': { code } })).toMatch(why);
      const known = { location: 's3://lake/b/x' };
      expect(await told({ 'lake.b.x': { code, known } })).toMatch(why);
    },
  );

  test('allows when a table was dropped meanwhile, and follows one that was renamed', async () => {
    const code = 'TableNotFound';
    expect(await told({ 'lake.b.x': { code, dropped: true } })).toBe('allowed');
    const renamed = { code, renamed: 'lake.b.y' } as const;
    expect(await told({ 'lake.b.x': renamed, 'lake.b.y': ['s3://lake/b/x'] })).toBe('allowed');
    expect(await told({ 'lake.b.x': renamed, 'lake.b.y': ['s3://lake/a'] })).toMatch(/overlaps/);
  });

  test('refuses places that it cannot compare', async () => {
    const version = { ...VERSION, properties: { 'write.data.path': 's3://elsewhere/x' } };
    expect(await told({}, version)).toMatch(/outside of its location/);
  });
});
