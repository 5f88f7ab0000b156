/**
 * Tables of every shape: each number of ours must be what Spark's metadata tables and PyIceberg's
 * `inspect` say of the same snapshot.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineRow } from '../../src/domain/engine.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import { assess } from '../../src/domain/health/score.ts';
import { openPyIceberg, type Python } from '../peers/python.ts';
import { makeShape, SHAPES } from './health-shapes.ts';
import { type Lake, openLake } from './lake.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 600_000 });

const NAMESPACE = `health_truth_${process.pid}`;
const MB = 2 ** 20;

let lake: Lake;
let python: Python;
let inspected: Readonly<Record<string, Inspected>>;

interface Inspected {
  readonly files: readonly (readonly [content: number, records: number, bytes: number])[];
  readonly manifests: number;
  readonly snapshots: readonly string[];
  readonly refs: readonly (readonly [string, string])[];
  readonly head: string | null;
}

const ALL = [...Object.keys(SHAPES), 'many_snapshots', 'equality_deletes', 'empty'];

beforeAll(async () => {
  lake = openLake(NAMESPACE);
  python = await openPyIceberg();
  await lake.spark(`CREATE NAMESPACE lake.${NAMESPACE}`);
  for (const [name, shape] of Object.entries(SHAPES)) await makeShape(lake, full(name), shape);
  const create = (name: string) => `CREATE TABLE ${full(name)} (id bigint) USING iceberg`;
  await lake.spark(create('empty'));
  await lake.spark(create('many_snapshots'));
  await python({ command: 'append', table: `${NAMESPACE}.many_snapshots`, times: 200 });
  const table = `${NAMESPACE}.equality_deletes`;
  const craft = { table, files: 40, manifests: 4, bytes: 900_000, equality: 3 };
  await python({ command: 'craft', tables: [craft] });
  const tables = ALL.map((name) => `${NAMESPACE}.${name}`);
  inspected = (await python({ command: 'inspect', tables })) as typeof inspected;
});

afterAll(async () => {
  for (const name of ALL) await lake.spark(`DROP TABLE IF EXISTS ${full(name)}`);
  await lake.spark(`DROP NAMESPACE lake.${NAMESPACE}`);
  await lake.close();
});

const full = (name: string) => `lake.${NAMESPACE}.${name}`;

interface SparkFile {
  readonly content: number;
  readonly puffin: boolean;
  readonly records: number;
  readonly bytes: number;
}

async function filesBySpark(name: string): Promise<readonly SparkFile[]> {
  const found = await lake.spark(
    `SELECT content, lower(file_format) = 'puffin' puffin, record_count records,
       coalesce(content_size_in_bytes, file_size_in_bytes) bytes FROM ${full(name)}.files`,
  );
  return found.map((row) => ({
    content: Number(row.content),
    puffin: row.puffin === true,
    records: Number(row.records),
    bytes: Number(row.bytes),
  }));
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);

function bucketsOf(files: readonly SparkFile[]) {
  const bounds = [0, ...Array.from({ length: 11 }, (_, power) => MB * 2 ** power), Infinity];
  return bounds.slice(1).map((below, at) => {
    const inside = files.filter(
      (file) => file.bytes < below && file.bytes >= (bounds[at] as number),
    );
    const belowBytes = below === Infinity ? null : below;
    return { belowBytes, files: inside.length, bytes: sum(inside.map((one) => one.bytes)) };
  });
}

function deletesOf(files: readonly SparkFile[]) {
  const kind = (pick: (file: SparkFile) => boolean) => files.filter(pick);
  const position = kind((one) => one.content === 1 && !one.puffin);
  const vectors = kind((one) => one.content === 1 && one.puffin);
  const equality = kind((one) => one.content === 2);
  const records = (list: readonly SparkFile[]) => sum(list.map((one) => one.records));
  return {
    positionFiles: position.length,
    positionRecords: records(position),
    equalityFiles: equality.length,
    equalityRecords: records(equality),
    vectors: vectors.length,
    vectorRecords: records(vectors),
  };
}

/** Skew and backlog, from what Spark says of partitions. */
function spreadOf(partitions: readonly EngineRow[], targetBytes: number) {
  const spread = partitions
    .map((row) => ({
      files: Number(row.file_count ?? 0),
      bytes: Number(row.total_data_file_size_in_bytes ?? 0),
    }))
    .filter((one) => one.files > 0);
  const bytes = spread.map((one) => one.bytes);
  return {
    partitionSkew:
      bytes.length === 0 ? 1 : Math.max(...bytes) / (sum(bytes) / Math.max(1, bytes.length)),
    backlogFiles: sum(
      spread.map((one) => Math.max(0, one.files - Math.ceil(one.bytes / targetBytes))),
    ),
  };
}

async function healthOf(name: string): Promise<TableHealth> {
  return lake.measure(full(name));
}

describe('what we measure is what Spark says', () => {
  it.each(ALL)('%s', async (name) => {
    const health = await healthOf(name);
    const files = await filesBySpark(name);
    const data = files.filter((one) => one.content === 0);
    const partitions = await lake.spark(`SELECT * FROM ${full(name)}.partitions`);
    const [manifests] = await lake.spark(`SELECT count(*) n FROM ${full(name)}.manifests`);
    const [log] = await lake.spark(`SELECT count(*) n FROM ${full(name)}.metadata_log_entries`);
    const small = data.filter((one) => one.bytes < health.targetFileSizeBytes * 0.75);
    expect({ ...health, detail: { ...health.detail, clustering: null } }).toMatchObject({
      records: sum(data.map((one) => one.records)),
      dataFiles: data.length,
      totalBytes: sum(files.map((one) => one.bytes)),
      deleteFiles: files.length - data.length,
      smallFiles: small.length,
      manifests: Number(manifests?.n),
      partitions: partitions.length,
      filesPerPartitionMax: Math.max(0, ...partitions.map((row) => Number(row.file_count ?? 0))),
      metadataLogEntries: Number(log?.n) - 1,
      detail: {
        sizes: bucketsOf(data),
        deletes: deletesOf(files),
        ...spreadOf(partitions, health.targetFileSizeBytes),
      },
    });
  });

  it.each(ALL)('%s: snapshots and refs', async (name) => {
    const health = await healthOf(name);
    const snapshots = await lake.spark(
      `SELECT CAST(snapshot_id AS string) id, CAST(parent_id AS string) parent, operation,
         unix_millis(committed_at) at FROM ${full(name)}.snapshots`,
    );
    expect(
      health.snapshots.map((one) => ({
        id: one.snapshotId,
        parent: one.parentSnapshotId,
        operation: one.operation,
        at: BigInt(one.committedAtMs),
      })),
    ).toEqual(snapshots);
    expect(health.commitsPerDay).toBeCloseTo(snapshots.length / 7, 9);
    const refs = await lake.spark(
      `SELECT name, lower(type) type, CAST(snapshot_id AS string) id FROM ${full(name)}.refs`,
    );
    const text = (one: Readonly<Record<string, unknown>>) => `${one.type} ${one.name} ${one.id}`;
    const ours = health.refs.map(({ snapshotId, ...ref }) => text({ ...ref, id: snapshotId }));
    expect(ours.sort()).toEqual(refs.map(text).sort());
  });

  it('has no drift, but where a writer told no totals', async () => {
    for (const name of ALL) {
      const codes = assess(await healthOf(name)).findings.map((one) => one.code);
      expect([name, codes.includes('totals_drifted')]).toEqual([name, false]);
    }
  });
});

describe('what we measure is what PyIceberg says', () => {
  it.each(ALL)('%s', async (name) => {
    const health = await healthOf(name);
    const told = inspected[`${NAMESPACE}.${name}`] as Inspected;
    const data = told.files.filter(([content]) => content === 0);
    expect(health).toMatchObject({
      snapshotId: told.head,
      dataFiles: data.length,
      deleteFiles: told.files.length - data.length,
      records: sum(data.map(([, records]) => records)),
      manifests: told.manifests,
    });
    const whole = SHAPES[name]?.pyIceberg === undefined;
    const bytes = sum((whole ? told.files : data).map(([, , size]) => size));
    const ours = whole ? health.totalBytes : sum((health.detail?.sizes ?? []).map((s) => s.bytes));
    expect(ours).toBe(bytes);
    expect(health.snapshots.map((one) => one.snapshotId)).toEqual(told.snapshots);
    expect(health.refs.map((one) => [one.name, one.snapshotId]).sort()).toEqual(told.refs);
  });
});

describe('the clustering depth', () => {
  const clustered = Object.entries(SHAPES).filter(([, shape]) => shape.clustered !== undefined);

  it.each(clustered)('of %s is that of the bounds that Spark shows', async (name, shape) => {
    const column = shape.clustered as string;
    const health = await healthOf(name);
    const partition = shape.partitioning === undefined ? `''` : 'CAST(partition AS string)';
    const files = await lake.spark(
      `SELECT ${partition} p, readable_metrics.${column}.lower_bound lower,
         readable_metrics.${column}.upper_bound upper FROM ${full(name)}.files
       WHERE content = 0 AND readable_metrics.${column}.lower_bound IS NOT NULL`,
    );
    const ranges = files.map((row) => ({
      partition: String(row.p),
      lower: Number(row.lower),
      upper: Number(row.upper),
    }));
    const depths = ranges.map(({ partition: own, lower, upper }) => {
      const others = ranges.filter((one) => one.partition === own);
      const values = Array.from({ length: upper - lower + 1 }, (_, at) => lower + at);
      const over = values.map(
        (value) => others.filter((one) => one.lower <= value && value <= one.upper).length,
      );
      return sum(over) / values.length;
    });
    const found = health.detail?.clustering.find((one) => one.column === column);
    expect(found?.depth).toBeCloseTo(sum(depths) / depths.length, 9);
    expect(found?.depth).toBeGreaterThan(1);
  });
});

describe('the shapes', () => {
  it('are really what they are called', async () => {
    const deletes = async (name: string) => (await healthOf(name)).detail?.deletes;
    expect((await deletes('position_deletes'))?.positionFiles).toBeGreaterThan(0);
    expect((await deletes('vectors'))?.vectors).toBeGreaterThan(1);
    expect((await deletes('upgraded'))?.vectors).toBe(1);
    expect(await deletes('equality_deletes')).toMatchObject({ equalityFiles: 3 });
    expect((await healthOf('many_snapshots')).snapshots.length).toBe(200);
    expect(new Set((await healthOf('refs')).refs.map((one) => one.snapshotId)).size).toBe(2);
    expect((await healthOf('empty')).snapshotId).toBeNull();
    const plain = await healthOf('plain');
    expect(plain.smallFiles).toBeGreaterThan(0);
    expect(plain.smallFiles).toBeLessThan(plain.dataFiles);
  });
});
