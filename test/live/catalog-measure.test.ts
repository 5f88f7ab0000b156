/** What our own reader counts must be what Spark's metadata tables say, table by table. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { EngineRow, EngineRunner } from '../../src/domain/engine.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { createTrinoRunner } from '../../src/engines/trino/run.ts';
import { createRestCatalog, type RestCatalog } from '../../src/iceberg/rest-catalog.ts';
import { createObjectStore, type ObjectStore } from '../../src/storage/object-store.ts';

const config = readConfig();
const lake = config.catalog.name;
const namespace = `catalog_measure_${process.pid}`;
const NOW_MS = Date.parse('2030-01-01T00:00:00Z');

let spark: EngineRunner;
let trino: EngineRunner;
let store: ObjectStore;
let catalog: RestCatalog;
let serial = 0;

vi.setConfig({ testTimeout: 180_000, hookTimeout: 300_000 });

/** Rows `id, day, name` of several days, one file a statement and partition. */
const rows = (from: number, count: number, day: string) =>
  `SELECT CAST(id AS bigint) id, DATE '${day}' day, concat('n', id % 3) name, ` +
  `TIMESTAMP '${day} 13:00:00' at FROM range(${from}, ${from + count})`;

const TABLES: Readonly<Record<string, readonly string[]>> = {
  by_day: ['PARTITIONED BY (days(at))', "TBLPROPERTIES ('format-version' = '2')"],
  by_bucket: ['PARTITIONED BY (bucket(4, id))', "TBLPROPERTIES ('format-version' = '2')"],
  by_identity: [
    'PARTITIONED BY (name, day)',
    "TBLPROPERTIES ('format-version' = '2', 'write.target-file-size-bytes' = '1200')",
  ],
  by_hour_v1: ['PARTITIONED BY (hours(at))', "TBLPROPERTIES ('format-version' = '1')"],
  plain: ['', "TBLPROPERTIES ('format-version' = '2', 'write.target-file-size-bytes' = '2400')"],
  deletes_v2: [
    'PARTITIONED BY (day)',
    "TBLPROPERTIES ('format-version' = '2', 'write.delete.mode' = 'merge-on-read')",
  ],
  deletes_v3: [
    'PARTITIONED BY (truncate(name, 1), years(at))',
    "TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read')",
  ],
  evolved: ['PARTITIONED BY (day)', "TBLPROPERTIES ('format-version' = '2')"],
  zstandard: [
    'PARTITIONED BY (months(at))',
    "TBLPROPERTIES ('format-version' = '2', 'write.avro.compression-codec' = 'zstd')",
  ],
};

beforeAll(async () => {
  spark = createSparkRunner({ url: config.spark.url, deployment: namespace, catalog: lake });
  trino = createTrinoRunner({ ...config.trino, catalog: lake });
  store = createObjectStore(config.storage);
  catalog = createRestCatalog({ ...config.catalog, readObject: store.get });
  await sql(`CREATE NAMESPACE ${lake}.${namespace}`);
  for (const [name, [partitioning, properties]] of Object.entries(TABLES)) {
    const table = `${lake}.${namespace}.${name}`;
    const columns = 'id bigint, day date, name string, at timestamp';
    await sql(`CREATE TABLE ${table} (${columns}) USING iceberg ${partitioning} ${properties}`);
    await sql(`INSERT INTO ${table} ${rows(0, 50, '2024-02-29')}`);
    await sql(`INSERT INTO ${table} ${rows(50, 700, '2024-03-01')}`);
  }
  for (const name of ['deletes_v2', 'deletes_v3']) {
    await sql(`DELETE FROM ${lake}.${namespace}.${name} WHERE id IN (3, 60)`);
  }
  const evolved = `${lake}.${namespace}.evolved`;
  await sql(`ALTER TABLE ${evolved} ADD PARTITION FIELD bucket(2, id)`);
  await sql(`INSERT INTO ${evolved} ${rows(1000, 20, '2024-03-01')}`);
  await sql(`ALTER TABLE ${evolved} DROP PARTITION FIELD day`);
  await sql(`INSERT INTO ${evolved} ${rows(2000, 20, '2024-03-02')}`);
});

afterAll(async () => {
  for (const name of [...Object.keys(TABLES), 'never_written', 'counted']) {
    await sql(`DROP TABLE IF EXISTS ${lake}.${namespace}.${name}`);
  }
  await sql(`DROP NAMESPACE ${lake}.${namespace}`);
  await spark.close();
  await trino.close();
  store.close();
});

async function sql(text: string): Promise<readonly EngineRow[]> {
  serial += 1;
  const key = `${namespace} ${serial}`;
  const result = await spark.run({ engine: 'spark', sql: text }, { key, session: namespace });
  await result.release();
  return result.rows;
}

function measure(name: string, depth: 'metadata' | 'files'): Promise<TableHealth> {
  return catalog.measureTable({ catalog: lake, namespace, name }, { nowMs: NOW_MS, depth });
}

const meta = (name: string, view: string) => `${lake}.${namespace}.${name}.${view}`;

describe('a measured table', () => {
  it.each(Object.keys(TABLES))('%s has the totals that Spark sees', async (name) => {
    const health = await measure(name, 'files');
    const small = health.targetFileSizeBytes * 0.75;
    const [files] = await sql(
      `SELECT count_if(content = 0) data, count_if(content <> 0) deletes,
         sum(if(content = 0, record_count, 0)) records,
         count_if(content = 0 AND file_size_in_bytes < ${small}) small,
         sum(coalesce(content_size_in_bytes, file_size_in_bytes)) bytes
       FROM ${meta(name, 'files')}`,
    );
    const [manifests] = await sql(`SELECT count(*) n FROM ${meta(name, 'manifests')}`);
    const partitions = await sql(`SELECT * FROM ${meta(name, 'partitions')}`);
    const most = Math.max(...partitions.map((row) => Number(row.file_count)));
    expect({
      data: BigInt(health.dataFiles),
      deletes: BigInt(health.deleteFiles),
      records: BigInt(health.records),
      small: BigInt(health.smallFiles ?? -1),
      bytes: BigInt(health.totalBytes),
    }).toEqual(files);
    expect(BigInt(health.manifests ?? -1)).toBe(manifests?.n);
    expect(health.partitions).toBe(partitions.length);
    expect(health.filesPerPartitionMax).toBe(most);
  });

  it.each(Object.keys(TABLES))('%s has the same totals by its summary alone', async (name) => {
    const pick = ({ records, dataFiles, totalBytes, deleteFiles, deleteRatio }: TableHealth) => {
      return { records, dataFiles, totalBytes, deleteFiles, deleteRatio };
    };
    expect(pick(await measure(name, 'metadata'))).toEqual(pick(await measure(name, 'files')));
  });

  it('really has small files, large files, position deletes and deletion vectors', async () => {
    const plain = await measure('plain', 'files');
    expect(plain.smallFiles).toBeGreaterThan(0);
    expect(plain.smallFiles).toBeLessThan(plain.dataFiles);
    expect(await measure('deletes_v2', 'files')).toMatchObject({
      formatVersion: 2,
      deleteFiles: 2,
    });
    const v3 = await measure('deletes_v3', 'files');
    expect(v3).toMatchObject({ formatVersion: 3, deleteFiles: 2 });
  });

  it.each([
    ['by_day', [{ at_day: '2024-02-29' }, { at_day: '2024-03-01' }]],
    ['by_hour_v1', [{ at_hour: '2024-02-29-13' }, { at_hour: '2024-03-01-13' }]],
    ['zstandard', [{ at_month: '2024-02' }, { at_month: '2024-03' }]],
    ['deletes_v3', [{ name_trunc: 'n', at_year: '2024' }]],
    ['by_bucket', ['0', '1', '2', '3'].map((bucket) => ({ id_bucket: bucket }))],
    [
      'by_identity',
      ['n0', 'n1', 'n2'].flatMap((name) => [
        { name, day: '2024-02-29' },
        { name, day: '2024-03-01' },
      ]),
    ],
    ['plain', [{}]],
  ])('%s prints its partitions', async (name, expected) => {
    const health = await measure(name, 'files');
    expect(health.partitionHealth?.map((one) => one.partition)).toEqual(expected);
  });

  it('counts each partition as Spark does, also across specs', async () => {
    const health = await measure('evolved', 'files');
    const seen = await sql(
      `SELECT partition.day day, partition.id_bucket_2 bucket, file_count, record_count,
         total_data_file_size_in_bytes bytes FROM ${meta('evolved', 'partitions')}`,
    );
    const told = seen.map((row) => [row.day, row.bucket, row.file_count, row.bytes].join(' '));
    const ours = (health.partitionHealth ?? []).map(({ partition, dataFiles, totalBytes }) =>
      [partition.day ?? null, partition.id_bucket_2 ?? null, dataFiles, totalBytes].join(' '),
    );
    expect(ours.sort()).toEqual(told.sort());
    expect(ours.length).toBeGreaterThan(4);
  });

  it('agrees with Trino as well', async () => {
    const health = await measure('deletes_v2', 'files');
    const statement = {
      engine: 'trino',
      sql: `SELECT content, count(*) n, sum(file_size_in_bytes) bytes
            FROM ${lake}.${namespace}."deletes_v2$files" GROUP BY 1 ORDER BY 1`,
    } as const;
    const { rows: seen } = await trino.run(statement, { key: namespace, session: namespace });
    expect(seen.map((row) => [row.content, row.n])).toEqual([
      [0, BigInt(health.dataFiles)],
      [1, BigInt(health.deleteFiles)],
    ]);
    const bytes = seen.reduce((total, row) => total + (row.bytes as bigint), 0n);
    expect(bytes).toBe(BigInt(health.totalBytes));
  });

  it('tells snapshots, refs, columns, ages', async () => {
    await sql(`ALTER TABLE ${lake}.${namespace}.plain CREATE TAG kept`);
    const health = await measure('plain', 'metadata');
    const seen = await sql(
      `SELECT CAST(snapshot_id AS string) id, operation FROM ${meta('plain', 'snapshots')}
       ORDER BY committed_at`,
    );
    expect(
      health.snapshots.map((one) => ({ id: one.snapshotId, operation: one.operation })),
    ).toEqual(seen);
    expect(health.refs.map((ref) => `${ref.type} ${ref.name} ${ref.snapshotId}`).sort()).toEqual([
      `branch main ${health.snapshotId}`,
      `tag kept ${health.snapshotId}`,
    ]);
    expect(health.columns).toContainEqual({ name: 'at', type: 'timestamptz' });
    const [first, last] = health.snapshots;
    expect(health.oldestSnapshotAgeMs).toBe(NOW_MS - (first?.committedAtMs ?? 0));
    expect(health.lastCommitAgeMs).toBe(NOW_MS - (last?.committedAtMs ?? 0));
  });

  it('without a snapshot has nothing', async () => {
    await sql(`CREATE TABLE ${lake}.${namespace}.never_written (id bigint) USING iceberg`);
    expect(await measure('never_written', 'files')).toMatchObject({
      snapshotId: null,
      dataFiles: 0,
      manifests: 0,
      partitionHealth: [],
      snapshots: [],
      oldestSnapshotAgeMs: null,
    });
  });
});

describe('the catalog', () => {
  it('lists tables and tells which exist', async () => {
    const listed = (await catalog.listTables()).filter((one) => one.namespace === namespace);
    const names = listed.map((one) => one.name);
    expect(names).toEqual([...names].sort());
    expect(names).toEqual(expect.arrayContaining(Object.keys(TABLES)));
    expect(await catalog.tableExists({ catalog: lake, namespace, name: 'plain' })).toBe(true);
    expect(await catalog.tableExists({ catalog: lake, namespace, name: 'nothing' })).toBe(false);
  });

  it('answers "not modified" until the table changes', async () => {
    const table = { catalog: lake, namespace, name: 'by_day' };
    const first = await catalog.loadTable(table, { fresh: true });
    const second = await catalog.loadTable(table);
    expect(second).toMatchObject({ notModified: true, metadataLocation: first.metadataLocation });
    await sql(`INSERT INTO ${lake}.${namespace}.by_day ${rows(5000, 1, '2024-03-05')}`);
    const third = await catalog.loadTable(table);
    expect(third.notModified).toBe(false);
    expect(third.metadata.snapshots.length).toBe(first.metadata.snapshots.length + 1);
  });

  it('loads only the snapshots that refs name', async () => {
    const table = { catalog: lake, namespace, name: 'by_bucket' };
    const { metadata } = await catalog.loadTable(table, { snapshots: 'refs' });
    expect(metadata.snapshots.map((one) => one.snapshotId)).toEqual([metadata.currentSnapshotId]);
  });

  it('loads so a table of which an older snapshot has statistics, too', async () => {
    const table = { catalog: lake, namespace, name: 'counted' };
    const name = `${lake}.${namespace}.counted`;
    await sql(`CREATE TABLE ${name} USING iceberg AS SELECT 1 AS id`);
    await sql(`CALL ${lake}.system.compute_table_stats(table => '${namespace}.counted')`);
    await sql(`INSERT INTO ${name} VALUES (2)`);
    // The danger: the catalog answers 400, and who must know where all tables lie would refuse.
    const { url, token } = config.catalog;
    const raw = await fetch(`${url}/v1/namespaces/${namespace}/tables/counted?snapshots=refs`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect([raw.status, await raw.text()]).toEqual([400, expect.stringMatching(/1 changes/)]);
    const { metadata } = await catalog.loadTable(table, { snapshots: 'refs' });
    expect(metadata.snapshots.map((one) => one.snapshotId)).toContain(metadata.currentSnapshotId);
    expect(metadata.location).toContain('counted');
  });

  it('says TableNotFound', async () => {
    await expect(measure('nothing', 'files')).rejects.toMatchObject({ code: 'TableNotFound' });
  });

  it('says CredentialsRejected for a wrong token', async () => {
    const wrong = createRestCatalog({ ...config.catalog, token: 'wrong', readObject: store.get });
    await expect(wrong.listTables()).rejects.toMatchObject({ code: 'CredentialsRejected' });
  });

  it('names the missing manifest of a damaged table', async () => {
    const table = { catalog: lake, namespace, name: 'by_hour_v1' };
    const { metadata } = await catalog.loadTable(table);
    const list = metadata.files.get(metadata.currentSnapshotId ?? '')?.manifestList ?? '';
    const failures = await store.delete([{ uri: list }]);
    expect(failures).toEqual([]);
    const error = await measure('by_hour_v1', 'files').catch((cause: Error) => cause);
    expect(error).toMatchObject({ code: 'InvariantBroken' });
    expect((error as Error).message).toContain(list);
  });
});
