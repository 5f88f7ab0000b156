/** Removal with faults in its way: killed between two steps, a list cut off, a table that moves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { removeOrphans } from '../../src/activities/orphans/remove.ts';
import type { OrphanEngines, OrphanStep } from '../../src/activities/orphans/step.ts';
import { checkReachable } from '../../src/activities/reachability.ts';
import type { TableFiles } from '../../src/activities/table-files.ts';
import { newRunId } from '../../src/cli/job.ts';
import { readConfig } from '../../src/config.ts';
import { tableFromKey } from '../../src/domain/table.ts';
import { compileOperation, readOutcome } from '../../src/engines/spark/compile.ts';
import { compileRowCount } from '../../src/engines/spark/compile-count.ts';
import { compileModel } from '../../src/engines/spark/compile-model.ts';
import { compileOrphanVote } from '../../src/engines/spark/compile-orphans.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { openCatalog } from '../../src/lake.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { openProject } from '../../src/project/project.ts';
import { DAY_MS, makeTable, openShore, type Shore } from './orphan-support.ts';

const config = readConfig();
const ledger = createLedger({ url: config.ledgerUrl });
const runner = createSparkRunner({
  url: config.spark.url,
  deployment: `faults-${process.pid}`,
  catalog: config.catalog.name,
});
let shore: Shore;

beforeAll(async () => {
  shore = await openShore('safety_faults');
});

afterAll(async () => {
  await Promise.all([ledger.close(), runner.close(), shore.close()]);
});

/** The real parts, some of them broken. */
function parts(broken: Partial<TableFiles> = {}): OrphanEngines {
  const compiler = {
    compileOperation,
    readOutcome,
    compileModel,
    compileRowCount,
    compileOrphanVote,
  };
  const { modelsDir, policiesDir, catalog } = config;
  return {
    catalog: openCatalog(config),
    ledger,
    project: openProject({ modelsDir, policiesDir, catalogName: catalog.name }),
    files: { ...shore.files, ...broken },
    engines: { spark: { runner, compiler }, trino: { runner, compiler } },
    nowMs: Date.now,
  };
}

function step(table: string, attempt = 1, runId = newRunId()): OrphanStep {
  const looks = { kind: 'soon', pauseMs: 100 } as const;
  const operation = { kind: 'remove_orphans', olderThanMs: 0, maxFiles: 100, looks } as const;
  const { signal } = new AbortController();
  const isCancelled = () => false;
  return { table, runId, ordinal: 0, engine: 'spark', operation, attempt, signal, isCancelled };
}

async function withOrphans(name: string, count: number) {
  const table = await makeTable(shore, name);
  const prefix = `${await shore.location(table)}/`;
  await shore.age(prefix);
  const left = Array.from({ length: count }, (_, at) => `${prefix}data/left-${at}.parquet`);
  await Promise.all(left.map((uri) => shore.putOld(uri, 30 * DAY_MS)));
  const needed = (await shore.under(prefix)).filter((uri) => !left.includes(uri));
  return { table, prefix, left, needed };
}

describe('a run that is killed while it deletes', () => {
  it('goes on with its own list, and with nothing that came later', async () => {
    const { table, prefix, left, needed } = await withOrphans('killed', 4);
    const first = step(table);
    const die = async (uris: readonly string[]) => {
      await shore.files.remove(uris.slice(0, 2));
      throw new Error('killed');
    };
    await expect(removeOrphans(parts({ remove: die }), first)).rejects.toThrow('killed');
    expect((await shore.under(prefix)).filter((uri) => left.includes(uri))).toHaveLength(2);
    const late = `${prefix}data/late.parquet`;
    await shore.putOld(late, 30 * DAY_MS);
    await shore.putOld(left[3] as string, 30 * DAY_MS, 'written anew under the same name');
    const told = await removeOrphans(parts(), step(table, 2, first.runId));
    expect(told).toMatchObject({ status: 'done', filesRemoved: 3, error: null });
    expect(told.orphans?.note).toContain('1 files were written anew');
    const kept = [...needed, left[3], late].sort();
    expect([...(await shore.under(prefix))].sort()).toEqual(kept);
  });
});

describe('a table that is replaced while its orphans are deleted', () => {
  it('loses nothing more, and the receipt tells what is gone', async () => {
    const { table, prefix, left } = await withOrphans('replaced', 201);
    let deleted = 0;
    const remove: TableFiles['remove'] = async (uris) => {
      deleted += uris.length;
      return shore.files.remove(uris);
    };
    const version: TableFiles['version'] = async (ref) => {
      const found = await shore.files.version(ref);
      return deleted === 0 ? found : { ...found, tableUuid: 'another' };
    };
    const { operation, ...rest } = step(table);
    const wide = { ...rest, operation: { ...operation, maxFiles: 1_000 } };
    const told = await removeOrphans(parts({ remove, version }), wide);
    expect(told).toMatchObject({
      status: 'failed',
      error: { code: 'SafetyRefused', message: expect.stringContaining('replaced or moved') },
      filesRemoved: 200,
    });
    expect(told.orphans?.note).toBe('stopped with 1 files to go');
    const there = await shore.under(prefix);
    expect(left.filter((uri) => there.includes(uri))).toHaveLength(1);
  });
});

describe('what a look cannot know', () => {
  it('is refused when the list ends too early', async () => {
    const { table, prefix } = await withOrphans('cut_list', 1);
    const before = await shore.under(prefix);
    const cut: TableFiles['list'] = async function* (directory) {
      let count = 0;
      for await (const file of shore.files.list(directory)) {
        if (count < before.length / 2) yield file;
        count += 1;
      }
    };
    const told = await removeOrphans(parts({ list: cut }), step(table));
    expect(told).toMatchObject({ status: 'refused', error: { code: 'SafetyRefused' } });
    expect(told.error?.message).toMatch(/files that the table needs: it is cut off/);
    expect(await shore.under(prefix)).toEqual(before);
  });

  it('is refused when the store gives no list', async () => {
    const { table } = await withOrphans('no_list', 1);
    const { createObjectStore } = await import('../../src/storage/object-store.ts');
    const denied = createObjectStore({ ...config.storage, secretAccessKey: 'another-secret' });
    const told = await removeOrphans(parts({ list: denied.list }), step(table));
    expect(told).toMatchObject({ status: 'refused' });
    expect(told.error?.message).toMatch(/cannot be listed/);
    denied.close();
  });

  it('is refused when the table changes all the time', async () => {
    const { table, prefix, left } = await withOrphans('restless', 1);
    let row = 10;
    const list: TableFiles['list'] = async function* (directory) {
      yield* shore.files.list(directory);
    };
    const reach: TableFiles['reach'] = async (ref) => {
      const found = await shore.files.reach(ref);
      row += 1;
      await shore.spark(`INSERT INTO ${table} VALUES (${row}, 'meanwhile')`);
      return found;
    };
    const told = await removeOrphans(parts({ list, reach }), step(table));
    expect(told.error?.message).toMatch(/changed 3 times while/);
    expect(await shore.exists(left[0] as string)).toBe(true);
    expect(prefix).toMatch(/\/$/);
  });

  it('keeps a file of which the store does not say how old it is, or that it is the same', async () => {
    const { table, left } = await withOrphans('no_times', 2);
    const list: TableFiles['list'] = async function* (directory) {
      for await (const file of shore.files.list(directory)) {
        if (file.uri === left[0]) yield { ...file, modifiedAtMs: null };
        else if (file.uri === left[1]) yield { ...file, etag: null };
        else yield file;
      }
    };
    const told = await removeOrphans(parts({ list }), step(table));
    expect(told).toMatchObject({ status: 'noop', filesRemoved: 0, orphans: { unknownAge: 1 } });
    for (const uri of left) expect(await shore.exists(uri)).toBe(true);
  });

  it('keeps what only one of two readers calls an orphan', async () => {
    const { table, left, needed } = await withOrphans('disputed', 1);
    // Our own reader, made blind: the engine still knows which files live.
    const reach: TableFiles['reach'] = async (ref) => {
      const found = await shore.files.reach(ref);
      const blind = (uri: string) => !uri.endsWith('.parquet') && found.has(uri);
      return { ...found, has: blind, isNeeded: blind, neededUnderLocation: 0 };
    };
    const told = await removeOrphans(parts({ reach }), step(table));
    expect(told).toMatchObject({ status: 'done', filesRemoved: 1, orphans: { candidates: 3 } });
    expect(await shore.exists(left[0] as string)).toBe(false);
    for (const uri of needed) expect(await shore.exists(uri)).toBe(true);
  });
});

describe('whether every reachable file exists', () => {
  it('is told of all snapshots, or of one', async () => {
    const { table } = await withOrphans('checked', 1);
    const ref = tableFromKey(table);
    const [first, second] = (await shore.measure(table)).snapshots.map((one) => one.snapshotId);
    expect(await checkReachable(shore.files, ref)).toMatchObject({ ok: true });
    const [lost] = await shore.spark(
      `SELECT data_file.file_path AS file_path FROM ${table}.entries
       WHERE snapshot_id = ${second}`,
    );
    await shore.store.delete([{ uri: String(lost?.file_path) }]);
    const told = await checkReachable(shore.files, ref);
    expect(told).toMatchObject({ name: 'reachable_files_exist', ok: false });
    expect(told.detail).toContain(lost?.file_path);
    expect(await shore.files.check(ref, first)).toMatchObject({ missingCount: 0 });
    expect(await shore.files.check(ref, second)).toMatchObject({
      missingCount: 1,
      missing: [{ kind: 'data', uri: lost?.file_path }],
    });
  });
});
