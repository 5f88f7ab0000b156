/** What is needed in a way that is easily overlooked: removal and expiry keep it. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { SnapshotInfo } from '../../src/domain/health/health.ts';
import { watermarksInChain } from '../../src/domain/planner/expiry-watermarks.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { icewright, succeed } from './command-line.ts';
import { DAY_MS, makeTable, openShore, orphans, type Shore } from './orphan-support.ts';

let shore: Shore;
let base: string;

beforeAll(async () => {
  shore = await openShore('safety_kept');
  base = `s3://lake/${shore.namespace}`;
});

afterAll(async () => {
  await shore.close();
});

async function column(sql: string): Promise<readonly string[]> {
  return (await shore.spark(sql)).map((row) => String(Object.values(row)[0]));
}

async function ids(table: string): Promise<readonly string[]> {
  return (await shore.measure(table)).snapshots.map((one) => one.snapshotId);
}

/** Everything old, and one orphan beside it: removed is that one, and nothing else. */
async function expectOnlyOrphanGone(table: string, prefix: string): Promise<void> {
  const orphan = `${prefix}data/orphan.parquet`;
  await shore.age(prefix);
  await shore.putOld(orphan, 30 * DAY_MS);
  const before = await shore.under(prefix);
  const told = await orphans(table);
  expect(told).toMatchObject({ exitCode: 0, receipt: { status: 'done', filesRemoved: 1 } });
  expect(await shore.under(prefix)).toEqual(before.filter((uri) => uri !== orphan));
}

describe('paths with another scheme', () => {
  it('are the same files: nothing of a table that was written through s3a goes', async () => {
    const table = await makeTable(shore, 'hadoop', { location: `${base}/hadoop`, rows: 1 });
    await shore.spark(`ALTER TABLE ${table} SET LOCATION '${base.replace('s3:', 's3a:')}/hadoop'`);
    await shore.spark(`INSERT INTO ${table} VALUES (2, 'through s3a'), (3, 'as well')`);
    const paths = await column(`SELECT file_path FROM ${table}.files`);
    expect(new Set(paths.map((path) => path.split(':')[0]))).toEqual(new Set(['s3', 's3a']));
    await shore.spark(`ALTER TABLE ${table} SET LOCATION '${base}/hadoop'`);
    await shore.age(`${base}/hadoop/`);
    // The danger: who holds the schemes for different ones, and differences for orphans.
    const wanted = await shore.wouldDelete(
      table,
      ", prefix_mismatch_mode => 'DELETE', equal_schemes => map('s3a', 'older')",
    );
    const live = paths.filter((path) => path.startsWith('s3a:'));
    expect(wanted).toEqual(expect.arrayContaining(live.map((path) => path.replace('s3a', 's3'))));
    await expectOnlyOrphanGone(table, `${base}/hadoop/`);
    expect(await column(`SELECT count(*) FROM ${table}`)).toEqual(['3']);
    // And the other way round: a location that is spelled so, which Spark compares as a text.
    await shore.spark(`ALTER TABLE ${table} SET LOCATION '${base.replace('s3:', 's3a:')}/hadoop'`);
    await expectOnlyOrphanGone(table, `${base}/hadoop/`);
    expect(await column(`SELECT count(*) FROM ${table}`)).toEqual(['3']);
  });
});

describe('statistics', () => {
  it('are reachable, although no manifest names them', async () => {
    const table = await makeTable(shore, 'counted');
    const location = `${await shore.location(table)}/`;
    const name = table.replace('lake.', '');
    const [stats] = await column(`CALL lake.system.compute_table_stats(table => '${name}')`);
    const [partitions] = await column(
      `CALL lake.system.compute_partition_stats(table => '${name}')`,
    ).catch(() => []);
    expect(stats).toMatch(/\.stats$/);
    // The danger: all of Iceberg's tables of files together do not know it.
    const known = await column(
      `SELECT file_path FROM ${table}.all_files UNION ALL SELECT path FROM ${table}.all_manifests
       UNION ALL SELECT manifest_list FROM ${table}.snapshots
       UNION ALL SELECT file FROM ${table}.metadata_log_entries`,
    );
    expect(known).not.toContain(stats);
    await expectOnlyOrphanGone(table, location);
    expect(await shore.exists(String(stats))).toBe(true);
    if (partitions !== undefined) expect(await shore.exists(partitions)).toBe(true);
  });
});

describe('delete files', () => {
  it.each([
    [2, 'parquet'],
    [3, 'puffin'],
  ])('of format version %d are reachable', async (version, suffix) => {
    const table = await makeTable(shore, `deletes_v${version}`, {
      rows: 1,
      more: `TBLPROPERTIES ('format-version' = '${version}',
        'write.delete.mode' = 'merge-on-read')`,
    });
    // In one file: a file whose rows all go needs no delete file.
    await shore.spark(`INSERT INTO ${table} SELECT /*+ COALESCE(1) */ id, 'some' FROM range(5, 7)`);
    await shore.spark(`DELETE FROM ${table} WHERE id = 5`);
    const [deletes] = await column(`SELECT file_path FROM ${table}.delete_files`);
    expect(deletes).toMatch(new RegExp(`${suffix}$`));
    await expectOnlyOrphanGone(table, `${await shore.location(table)}/`);
    expect(await shore.exists(String(deletes))).toBe(true);
    expect(await column(`SELECT count(*) FROM ${table}`)).toEqual(['2']);
  });
});

describe.each([
  ['tag', 'CREATE TAG keep', "VERSION AS OF 'keep'"],
  ['branch', 'CREATE BRANCH keep', "VERSION AS OF 'keep'"],
])('a snapshot that only a %s keeps', (kind, create, read) => {
  async function made(name: string) {
    const table = await makeTable(shore, name, { rows: 2 });
    const old = await column(`SELECT file_path FROM ${table}.files`);
    await shore.spark(`ALTER TABLE ${table} ${create}`);
    await shore.spark(`INSERT OVERWRITE ${table} VALUES (7, 'all new')`);
    await shore.spark(`INSERT INTO ${table} VALUES (8, 'more')`);
    return { table, old, location: `${await shore.location(table)}/` };
  }

  it('stays, with its files, through expiry and removal', async () => {
    const { table, old, location } = await made(`by_${kind}`);
    // The danger: main knows nothing of these files, and without them the ref is lost.
    const main = await column(`SELECT file_path FROM ${table}.files`);
    expect(main.filter((path) => old.includes(path))).toEqual([]);
    const copy = await made(`by_${kind}_copy`);
    await shore.store.delete(copy.old.map((uri) => ({ uri })));
    await expect(shore.spark(`SELECT * FROM ${copy.table} ${read}`)).rejects.toThrow();
    const before = await ids(table);
    const expiry = ['expire', table, '--older-than', '1ms', '--keep-last', '1'];
    const shown = await icewright([...expiry, '--dry-run']);
    const [planned] = shown.json.plan.decisions;
    expect(planned.preview).toMatchObject({ snapshots: planned.options.snapshotIds.length });
    const told = await succeed([...expiry, '--wait']);
    expect(told.receipts).toMatchObject([{ status: 'done' }]);
    expect(told.receipts[0].invariants.every((one: { ok: boolean }) => one.ok)).toBe(true);
    expect((await ids(table)).length).toBeLessThan(before.length);
    await expectOnlyOrphanGone(table, location);
    for (const uri of old) expect(await shore.exists(uri)).toBe(true);
    expect(await column(`SELECT count(*) FROM ${table} ${read}`)).toEqual(['2']);
    expect(await column(`SELECT count(*) FROM ${table}`)).toEqual(['2']);
    // Once nothing keeps it, it goes.
    await shore.spark(`ALTER TABLE ${table} DROP ${kind.toUpperCase()} keep`);
    await succeed([...expiry, '--wait']);
    for (const uri of old) expect(await shore.exists(uri)).toBe(false);
  });
});

/** A statement in a session of its own, whose snapshot carries these properties. */
async function commit(sql: string, properties: Readonly<Record<string, string>>): Promise<void> {
  const config = readConfig();
  const name = `writer-${process.pid}-${Math.random()}`;
  const runner = createSparkRunner({
    url: config.spark.url,
    deployment: name,
    catalog: config.catalog.name,
  });
  const settings = Object.fromEntries(
    Object.entries(properties).map(([property, value]) => [
      `spark.sql.iceberg.snapshot-property.${property}`,
      value,
    ]),
  );
  await runner.run({ engine: 'spark', sql, settings }, { key: name, session: name });
  await runner.close();
}

describe('a snapshot that a consumer needs', () => {
  const OFFSETS = 'kafka.connect.offsets.control.connect-orders';

  async function made(name: string): Promise<string> {
    const table = await makeTable(shore, name, { rows: 1 });
    await commit(`INSERT INTO ${table} VALUES (2, 'of the sink')`, { [OFFSETS]: '{"0":17}' });
    // A compaction does not carry the sink's mark.
    await shore.spark(
      `CALL lake.system.rewrite_data_files(table => '${table.replace('lake.', '')}',
         options => map('rewrite-all', 'true'))`,
    );
    return table;
  }

  const marks = (snapshots: readonly SnapshotInfo[]) =>
    snapshots.filter((one) => OFFSETS in one.summary).map((one) => one.snapshotId);

  it('stays: the sink finds its offsets again by walking the parents', async () => {
    // The danger: Spark alone leaves one snapshot, and the offsets are gone.
    const copy = await made('streamed_copy');
    expect(marks((await shore.measure(copy)).snapshots)).toHaveLength(1);
    await shore.spark(
      `CALL lake.system.expire_snapshots(table => '${copy.replace('lake.', '')}',
         older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)`,
    );
    expect(marks((await shore.measure(copy)).snapshots)).toEqual([]);
    const table = await made('streamed');
    const before = await shore.measure(table);
    const expiry = ['expire', table, '--older-than', '1ms', '--keep-last', '1'];
    const told = await succeed([...expiry, '--wait']);
    const after = await shore.measure(table);
    expect(marks(after.snapshots)).toEqual(marks(before.snapshots));
    expect(watermarksInChain(after)).toEqual(watermarksInChain(before));
    expect(told.state).toBe('done');
    await expectOnlyOrphanGone(table, `${await shore.location(table)}/`);
  });
});

describe('snapshots that a model has not read yet', () => {
  const [SOURCE, TARGET] = ['silver.safety_read', 'silver.safety_consumer'];
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'icewright-consumer-'));
    await shore.spark('CREATE NAMESPACE IF NOT EXISTS lake.silver');
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    for (const table of [SOURCE, TARGET]) await shore.spark(`DROP TABLE IF EXISTS lake.${table}`);
  });

  const model = (target: string, inputs: string, select: string) => `/*
target: ${target}
engine: spark
materialization: append
description: Of a test.
owner: tests
inputs: [${inputs}]
columns:
  id: bigint
  note: string
*/
${select}
`;

  /** A project whose model reads the source, and has read up to `snapshotId`. */
  async function consumerUpTo(snapshotId: string): Promise<Record<string, string>> {
    await makeTable(shore, 'safety_consumer', { rows: 0, namespace: 'silver' });
    const inputs = JSON.stringify({ [`lake.${SOURCE}`]: snapshotId });
    await commit(`INSERT INTO lake.${TARGET} VALUES (1, 'read')`, { 'icewright.inputs': inputs });
    const [models, policies] = [join(folder, 'models'), join(folder, 'policies')];
    await Promise.all([mkdir(join(models, 'silver'), { recursive: true }), mkdir(policies)]);
    const texts = {
      'models/silver/safety_read.sql': model(SOURCE, '', "SELECT 1 AS id, 'x' AS note"),
      'models/silver/safety_consumer.sql': model(
        TARGET,
        SOURCE,
        `SELECT id, note FROM {{input('${SOURCE}')}}`,
      ),
      'policies/impatient.yaml': [
        'kind: maintenance',
        'name: impatient',
        `tables: lake.${SOURCE}`,
        'expire: { olderThan: 1ms, keepLast: 1 }',
      ].join('\n'),
    };
    for (const [path, text] of Object.entries(texts)) await writeFile(join(folder, path), text);
    return { ICEWRIGHT_MODELS: models, ICEWRIGHT_POLICIES: policies };
  }

  it('stay: it reads on from its watermark', async () => {
    const table = await makeTable(shore, 'safety_read', { rows: 4, namespace: 'silver' });
    const copy = await makeTable(shore, 'read_on_copy', { rows: 4 });
    const [, second] = await ids(copy);
    const increment = (of: string, from: string | undefined) =>
      shore.spark(`SELECT count(*) AS n FROM ${of} WITH (\`start-snapshot-id\` = '${from}')`);
    expect(await increment(copy, second)).toEqual([{ n: 2n }]);
    // The danger: Spark alone expires what the consumer stands on, and it can never go on.
    await shore.spark(
      `CALL lake.system.expire_snapshots(table => '${copy.replace('lake.', '')}',
         older_than => TIMESTAMP '2999-01-01 00:00:00', retain_last => 1)`,
    );
    await expect(increment(copy, second)).rejects.toThrow();
    const before = await ids(table);
    const environment = await consumerUpTo(before[1] as string);
    const planned = await icewright(['plan', table], environment);
    expect(planned).toMatchObject({ exitCode: 0 });
    const expiry = planned.json.tables[0].decisions.find(
      (one: { operation: string }) => one.operation === 'expire_snapshots',
    );
    expect(expiry).toMatchObject({ action: 'run', options: { snapshotIds: [before[0]] } });
    expect(JSON.stringify(expiry.reasons)).toContain('not yet read by');
    await succeed(['apply', planned.json.planId]);
    expect(await ids(table)).toEqual(before.slice(1));
    expect(await increment(table, before[1])).toEqual([{ n: 2n }]);
  });
});
