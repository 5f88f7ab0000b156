/** The lake is read again after an erasure: what is back is told, and what was not looked at. */
import { describe, expect, test } from 'vitest';
import type { Certificate } from '../../src/domain/erasure/certificate.ts';
import { IcewrightError } from '../../src/domain/errors.ts';
import { checkTables, type LakeCheckInput } from '../../src/second-reader.ts';
import { pathHash } from '../../src/verify/paths.ts';
import { certificate } from '../proof/fixture.ts';
import { type AvroRow, encodeData } from './avro-file.ts';
import { LOCATION, MAPPING, METADATA, metadataJson, SUBJECT, VALUES } from './fixture.ts';
import { createMemoryStore } from './memory-store.ts';

const TABLE = MAPPING.table;
const [KEY] = VALUES.customer_id;
const OLD = `${LOCATION}/data/old.parquet`;
const OUTSIDE = 's3://lake/elsewhere/data/old.parquet';

const removed = (uri: string) => {
  return { pathHash: pathHash(uri), kind: 'data', bytes: 1, etag: null, versions: 0 } as const;
};
const [first] = certificate().tables as readonly [Certificate['tables'][number]];
const certified = { ...first, table: TABLE, filesRemoved: [removed(OLD), removed(OUTSIDE)] };

interface Scene {
  readonly rows?: Readonly<Record<string, AvroRow>>;
  readonly objects?: readonly string[];
  readonly input?: Partial<LakeCheckInput>;
  readonly remains?: Certificate['remains'];
  readonly isThere?: boolean;
}

async function check({ rows = {}, objects = [], input = {}, remains = [], isThere }: Scene) {
  const store = createMemoryStore();
  store.put(METADATA, metadataJson());
  for (const [name, row] of Object.entries(rows)) {
    store.put(`${LOCATION}/data/${name}`, await encodeData([row]));
  }
  for (const uri of objects) store.put(uri, 'x');
  const properties = { 'write.data.path': 's3://lake/elsewhere/data' };
  const loadTable = async () => {
    if (isThere === false) throw new IcewrightError('TableNotFound', 'gone');
    return { metadataLocation: METADATA, metadata: { location: LOCATION, properties } };
  };
  const hashOf = (identifier: string, value: string) => `${identifier} ${value}`;
  const hashes = new Map([['customer_id', new Set([hashOf('customer_id', KEY)])]]);
  const told = await checkTables(
    { store, loadTable },
    {
      certificate: certificate({ requestId: 'r1', tables: [certified], remains }),
      subject: { ...SUBJECT, tables: [MAPPING] },
      hashed: { hashes, hashOf },
      exceptedFiles: async () => null,
      givenUp: new Set(),
      ...input,
    },
  );
  return { codes: told.faults.map(({ code }) => code), notChecked: told.notChecked };
}

const back = { customer_id: Number(KEY) };

describe('what is back', () => {
  test('nothing', async () => {
    expect(await check({ rows: { a: { customer_id: 5 } } })).toEqual({ codes: [], notChecked: [] });
  });

  test('a row, and files, also where a property has put them', async () => {
    expect((await check({ rows: { a: back } })).codes).toEqual(['subject_back']);
    expect((await check({ objects: [OLD] })).codes).toEqual(['file_back']);
    expect((await check({ objects: [OUTSIDE] })).codes).toEqual(['file_back']);
  });

  test('an exception covers its files, and no others of the table', async () => {
    const exceptedFiles = async () => (hash: string) => hash === pathHash(`${LOCATION}/data/kept`);
    const because = { owner: 'cli:eve', because: 'tax law', until: null };
    const remains = [{ where: `${TABLE}, tag kept`, ...because }];
    const input = { exceptedFiles };
    expect((await check({ rows: { kept: back }, remains, input })).codes).toEqual([]);
    const seen = await check({ rows: { kept: back, again: back }, remains, input });
    expect(seen.codes).toEqual(['subject_back']);
  });
});

describe('what was not looked at is told', () => {
  const reasons = async (scene: Scene) =>
    (await check(scene)).notChecked.map(({ because }) => because);

  test('a table that the policy does not map any more: its files are asked for all the same', async () => {
    const input = { subject: { ...SUBJECT, tables: [] } };
    const seen = await check({ rows: { a: back }, objects: [OLD], input });
    expect(seen.codes).toEqual(['file_back']);
    expect(seen.notChecked).toMatchObject([{ table: TABLE }]);
  });

  test('one that is not there, and one that could not be read', async () => {
    expect(await reasons({ isThere: false })).toEqual(['it is not there']);
    const input = { givenUp: new Set([TABLE]) };
    expect(await reasons({ input })).toEqual(['it could not be read and was left as it was']);
  });
});
