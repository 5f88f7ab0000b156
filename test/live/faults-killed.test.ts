/** Spark dies in the middle of a rewrite: it is done once all the same, and nothing is lost. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stackStatus } from '../../stack/control.ts';
import { showRun, succeed, until } from './command-line.ts';
import { type Faults, openFaults } from './faults-support.ts';
import { checksum, makeScattered, replaces } from './lake.ts';
import { recordOf } from './stack-support.ts';

let faults: Faults;

beforeAll(async () => {
  faults = await openFaults('faults-killed', []);
});
afterAll(() => faults?.close());

it('a rewrite whose Spark is killed with SIGKILL is done by the next one, with one commit', async () => {
  const table = 'lake.faults_killed.t';
  await makeScattered(faults.lake, table, { files: 120, rows: 2_000_000 });
  const before = await checksum(faults.lake, table);
  const words = ['compact', table, '--strategy', 'zorder', '--columns', 'customer_id,ts'];
  const { runId } = await succeed(words);
  await until(async () => (await showRun(runId)).state === 'running');
  // Long enough for tasks to have begun, and shorter than the rewrite.
  await sleep(3_000);
  const { pid } = recordOf(await stackStatus(process.env.ICEWRIGHT_HOME ?? ''), 'spark');
  process.kill(pid ?? 0, 'SIGKILL');
  const run = await until(async () => {
    const shown = await showRun(runId);
    return ['queued', 'running'].includes(shown.state) ? null : shown;
  });
  expect(run).toMatchObject({ state: 'done', error: null });
  const [receipt] = run.receipts;
  expect(receipt).toMatchObject({ engine: 'spark', status: 'done', error: null });
  expect(receipt?.invariants.filter((one) => !one.ok)).toEqual([]);
  const health = await faults.lake.measure(table);
  expect(replaces(health)).toEqual([receipt?.snapshotAfter]);
  expect(health.dataFiles).toBeLessThan(120);
  expect(await checksum(faults.lake, table)).toEqual(before);
  const found = (await faults.verify([table])).get(table);
  expect(found).toMatchObject({ rows: Number(before?.n), missing: [] });
});
