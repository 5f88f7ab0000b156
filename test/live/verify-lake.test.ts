/**
 * The second reader on real tables and a real object store with versions: at each step of an erasure
 * it must agree with a scan that shares no code with it.
 */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { TableVerification } from '../../src/domain/erasure/certificate.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import { createRestCatalog } from '../../src/iceberg/rest-catalog.ts';
import { createObjectStore } from '../../src/storage/object-store.ts';
import type { VerifyInput } from '../../src/verify/ports.ts';
import { verifyTable } from '../../src/verify/verify-table.ts';
import { metadataJson, SUBJECT, VALUES, verifyOne } from '../verify/fixture.ts';
import { openS3, scanBucket } from './independent-scan.ts';
import { type Lake, openLake } from './lake.ts';

const config = readConfig();
const NAMESPACE = `verify_${process.pid}`;
const BUCKET = `verify-${process.pid}-${Date.now()}`;
const SOUGHT = {
  texts: { email: VALUES.email[0], name: VALUES.full_name[0] },
  numbers: { key: VALUES.customer_id[0] },
  columns: ['customer_id'],
};

let lake: Lake;
let s3: S3Client;
const store = createObjectStore(config.storage);
const catalog = createRestCatalog({ ...config.catalog, readObject: store.get });

beforeAll(async () => {
  s3 = openS3();
  await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
  await setVersioning('Enabled');
  lake = openLake('verify');
  await lake.spark(`CREATE NAMESPACE lake.${NAMESPACE}`);
});

afterAll(async () => {
  for (const version of [2, 3])
    await lake.spark(`DROP TABLE IF EXISTS lake.${NAMESPACE}.v${version}`);
  await lake.spark(`DROP NAMESPACE lake.${NAMESPACE}`);
  await purge('', () => true);
  store.close();
  s3.destroy();
  await lake.close();
});

function setVersioning(Status: 'Enabled' | 'Suspended') {
  const VersioningConfiguration = { Status };
  return s3.send(new PutBucketVersioningCommand({ Bucket: BUCKET, VersioningConfiguration }));
}

/** Deletes versions for good; tells which. */
async function purge(prefix: string, which: (isLatest: boolean, isMarker: boolean) => boolean) {
  const found = [];
  for await (const one of store.listVersions(`s3://${BUCKET}/${prefix}`)) {
    if (which(one.isLatest, one.isDeleteMarker)) found.push(one);
  }
  await store.delete(found);
  return found;
}

async function verify(name: string, more: Partial<VerifyInput> = {}): Promise<TableVerification> {
  const table = `lake.${NAMESPACE}.${name}`;
  const loaded = await catalog.loadTable(tableFromKey(table), { fresh: true });
  const verified = await verifyTable(
    {
      table,
      metadataLocation: loaded.metadataLocation ?? '',
      subject: SUBJECT,
      mapping: {
        table,
        action: 'delete',
        because: null,
        match: { customer_id: ['customer_id', 'before.customer_id'] },
        holds: {},
      },
      subjects: [{ requestId: 'r1', values: VALUES }],
      oldObjects: [],
      ...more,
    },
    store,
  );
  return verified.get('r1') as TableVerification;
}

async function seed(version: number): Promise<string> {
  const table = `lake.${NAMESPACE}.v${version}`;
  await lake.spark(
    `CREATE TABLE ${table} (id BIGINT, customer_id BIGINT, email STRING, note STRING,
      before STRUCT<customer_id: BIGINT, name: STRING>, day DATE) USING iceberg
      PARTITIONED BY (day) LOCATION 's3://${BUCKET}/v${version}'
      TBLPROPERTIES ('format-version'='${version}', 'write.delete.mode'='merge-on-read')`,
  );
  const { customer_id: keys, email, full_name: names } = VALUES;
  const mine = `${keys[0]}L AS customer_id, '${email[0]}' AS email`;
  await lake.spark(
    `INSERT INTO ${table} SELECT id, 1000000 + id % 50, concat('user', id, '@example.org'), 'n',
      named_struct('customer_id', 1000000 + id % 50, 'name', concat('Name ', id)),
      date_add(DATE '2026-01-01', CAST(id % 3 AS INT)) FROM range(3000)`,
  );
  for (const id of [1, 2]) {
    await lake.spark(
      `INSERT INTO ${table} SELECT id, customer_id, email, note, before, day FROM (SELECT ${id}L AS id, ${mine}, '${names[0]}' AS note,
        named_struct('customer_id', ${keys[0]}L, 'name', '${names[0]}') AS before, DATE '2026-01-02' AS day
        UNION ALL SELECT 0L, 7L, 'x@example.org', 'n', named_struct('customer_id', 7L, 'name', 'N'), DATE '2026-01-02')`,
    );
  }
  await lake.spark(`ALTER TABLE ${table} CREATE TAG kept`);
  return table;
}

/** The steps of an erasure, each of which is thought to be enough by somebody. */
function stepsOf(
  table: string,
  version: number,
): readonly (readonly [string, () => Promise<unknown>])[] {
  const name = table.replace('lake.', '');
  const call = (procedure: string, more = '') =>
    lake.spark(`CALL lake.system.${procedure}(table => '${name}'${more})`);
  const expire = () =>
    call('expire_snapshots', `, older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1`);
  return [
    ['before', async () => undefined],
    [
      'DELETE',
      () => lake.spark(`DELETE FROM ${table} WHERE customer_id = ${VALUES.customer_id[0]}`),
    ],
    ['rewrite as it is by default', () => call('rewrite_data_files')],
    ['rewrite all', () => call('rewrite_data_files', `, options => map('rewrite-all', 'true')`)],
    ['rewrite manifests', () => call('rewrite_manifests')],
    ['expire, with a tag', expire],
    [
      'expire, without the tag',
      async () => {
        await lake.spark(`ALTER TABLE ${table} DROP TAG kept`);
        await expire();
      },
    ],
    ['purge versions', () => purge(`v${version}/`, (isLatest, isMarker) => !isLatest || isMarker)],
  ];
}

describe.each([2, 3])('a table of format version %i, in a bucket with versions', (version) => {
  it('is clean when the scan from outside says so, and not before', async () => {
    const table = await seed(version);
    const told: string[] = [];
    for (const [step, act] of stepsOf(table, version)) {
      const result = await act();
      const scanned = await scanBucket(BUCKET, SOUGHT, `v${version}/`);
      const verified = await verify(`v${version}`);
      told.push(`${step}: ${scanned.traces} ${verified.tracesFound}`);
      const last = step === 'purge versions';
      expect([step, scanned.where.length > 0, verified.tracesFound > 0]).toEqual([
        step,
        !last,
        !last,
      ]);
      expect(verified.traces.filter((one) => one.how === 'unreadable')).toEqual([]);
      expect(verified.objectsListed).toBe(scanned.versions);
      if (!last) continue;
      const removed = result as readonly { readonly uri: string; readonly versionId: string }[];
      const byUri = Map.groupBy(removed, (one) => one.uri);
      const oldObjects = [...byUri].map(([uri, versions]) => {
        return { uri, kind: 'data' as const, versionIds: versions.map((one) => one.versionId) };
      });
      const asked = await verify(`v${version}`, { oldObjects });
      expect(asked).toMatchObject({ traces: [], gone: removed.length + byUri.size });
    }
    process.stdout.write(`traces of v${version} (scan, second reader): ${told.join(' · ')}\n`);
  });
});

describe('a bucket whose versions are suspended', () => {
  it('is read in every version, and asked about each', async () => {
    const put = (Key: string, Body: string) =>
      s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body }));
    const [location, key] = [`s3://${BUCKET}/suspended`, 'suspended/data/x'];
    const metadata = `${location}/metadata/1.metadata.json`;
    await setVersioning('Enabled');
    await put('suspended/metadata/1.metadata.json', metadataJson({ location }));
    await put(key, `first ${VALUES.email[0]}`);
    await setVersioning('Suspended');
    await put(key, `second ${VALUES.email[0]}`);
    await s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: key }));
    const listed = [];
    for await (const one of store.listVersions(`s3://${BUCKET}/${key}`)) listed.push(one);
    expect(listed.map((one) => one.isDeleteMarker).sort()).toEqual([false, true]);
    const oldObjects = [
      {
        uri: `s3://${BUCKET}/${key}`,
        kind: 'data' as const,
        versionIds: listed.map((one) => one.versionId),
      },
    ];
    const more = { metadataLocation: metadata, oldObjects };
    const before = await verifyOne(store as never, more);
    expect(before.traces.map((one) => one.how).sort()).toEqual([
      'still_there',
      'still_there',
      'text',
    ]);
    expect(before.gone).toBe(1);
    await store.delete(listed);
    expect(await verifyOne(store as never, more)).toMatchObject({ traces: [], gone: 3 });
  });
});
