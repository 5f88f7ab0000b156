/** Deletes, statistics and properties from the command line to the receipt, on versions 2 and 3. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Receipt } from '../../src/domain/receipt.ts';
import {
  deleteRows,
  type Engines,
  makeTable,
  NAMESPACE,
  nameOf,
  openEngines,
  scatter,
} from './capability-shapes.ts';
import { icewright, succeed } from './command-line.ts';

let engines: Engines;

beforeAll(async () => {
  engines = openEngines();
  await engines.run('spark', `CREATE NAMESPACE IF NOT EXISTS lake.${NAMESPACE}`);
  for (const version of [2, 3] as const) {
    const table = nameOf(version, 'cli');
    await makeTable(engines, table, 2);
    await scatter(engines, table);
    await deleteRows(engines, table, '2, 3');
    await deleteRows(engines, table, '4, 5');
    if (version === 2) continue;
    await engines.run('spark', `ALTER TABLE ${table} SET TBLPROPERTIES ('format-version' = '3')`);
  }
});
afterAll(async () => {
  for (const version of [2, 3] as const) {
    await engines?.run('spark', `DROP TABLE IF EXISTS ${nameOf(version, 'cli')}`);
  }
  await engines?.close();
});

/** The one receipt of a command that was waited for; every invariant of it holds. */
async function receiptOf(words: readonly string[]): Promise<Receipt> {
  const { receipts } = (await succeed([...words, '--wait'])) as { receipts: readonly Receipt[] };
  expect(receipts).toHaveLength(1);
  const [receipt] = receipts as readonly [Receipt];
  expect(receipt.invariants.filter((one) => !one.ok)).toEqual([]);
  return receipt;
}

describe.each([2, 3] as const)('format version %i', (version) => {
  const table = nameOf(version, 'cli');

  test('deletes are rewritten', async () => {
    const plan = await succeed(['deletes', table, '--dry-run']);
    expect(plan.plan.decisions).toMatchObject([
      { operation: 'rewrite_deletes', action: 'run', engine: 'spark' },
    ]);
    const before = await engines.measure(table);
    const receipt = await receiptOf(['deletes', table]);
    expect(receipt).toMatchObject({
      status: 'done',
      engine: 'spark',
      operation: 'rewrite_deletes',
    });
    expect(receipt.snapshotAfter).not.toBe(receipt.snapshotBefore);
    const { detail } = await engines.measure(table);
    expect(before.detail?.deletes.positionFiles).toBe(4);
    expect(detail?.deletes.positionFiles).toBe(version === 2 ? 2 : 0);
  });

  test('statistics are computed, dropped, and dropping none is no work', async () => {
    const computed = await receiptOf(['statistics', table, '--columns', 'id']);
    expect(computed).toMatchObject({ status: 'done', engine: 'spark' });
    expect(computed.snapshotAfter).toBe(computed.snapshotBefore);
    expect((await engines.measure(table)).statisticsFiles).toHaveLength(1);
    const dropped = await receiptOf(['statistics', table, '--drop']);
    expect(dropped).toMatchObject({ status: 'done', engine: 'trino' });
    expect((await engines.measure(table)).statisticsFiles).toEqual([]);
    expect(await receiptOf(['statistics', table, '--drop'])).toMatchObject({ status: 'noop' });
  });

  test('properties are set, and once they are there is nothing to do', async () => {
    const words = ['properties', table, '--set', 'icewright.note=a=b', '--unset', 'nothing'];
    const receipt = await receiptOf(words);
    expect(receipt).toMatchObject({ status: 'done', operation: 'set_properties' });
    expect(receipt.invariants.map((one) => one.name)).toContain('no_other_property_changed');
    expect((await engines.measure(table)).properties).toMatchObject({ 'icewright.note': 'a=b' });
    expect(await succeed([...words, '--wait'])).toMatchObject({ state: 'done', receipts: [] });
  });

  test('one partition is compacted', async () => {
    const words = ['compact', table, '--partition', 'd=a', '--rewrite-all'];
    const before = await engines.measure(table);
    expect(await receiptOf(words)).toMatchObject({ status: 'done', operation: 'compact' });
    const { partitionHealth } = await engines.measure(table);
    const files = (of: typeof partitionHealth, d: string) =>
      of?.find(({ partition }) => partition.d === d)?.dataFiles;
    expect(files(partitionHealth, 'a')).toBe(1);
    expect(files(partitionHealth, 'b')).toBe(files(before.partitionHealth, 'b'));
  });
});

test('what would change safety is refused with exit code 3, and says what to add', async () => {
  const words = ['properties', nameOf(2, 'cli'), '--set', 'gc.enabled=false'];
  for (const how of ['--dry-run', '--wait']) {
    const told = await icewright([...words, how]);
    expect(told.exitCode).toBe(3);
    expect(JSON.stringify(told.json)).toContain('--allow gc.enabled');
  }
  expect((await engines.measure(nameOf(2, 'cli'))).properties).not.toHaveProperty('gc.enabled');
});

test('an engine that cannot is refused with exit code 3 and its reason', async () => {
  const table = nameOf(3, 'cli');
  const told = await icewright(['statistics', table, '--engine', 'trino', '--wait']);
  expect(told.exitCode).toBe(3);
  expect(told.json.error).toMatchObject({ code: 'OperationUnsupported' });
  expect(told.json.error.message).toMatch(/deletion vectors; spark can/);
});

test('explain prints the matrix with its reasons', async () => {
  const { capabilities, traits } = await succeed(['explain', nameOf(3, 'cli')]);
  expect(traits).toMatchObject({ sendsEtags: true, acceptsCommits: true });
  expect(capabilities['compact binpack']).toMatchObject({ spark: true });
  expect(capabilities['compact binpack'].trino).toMatch(/format version 3/);
  expect(capabilities.rewrite_manifests.trino).toMatch(/manifest for each partition/);
});
