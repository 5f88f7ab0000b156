/**
 * Prometheus beside the whole stack: it finds the worker and Temporal, takes every query of the
 * dashboard, and an alert of a really unhealthy table fires, and clears after its maintenance.
 */
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { stackStatus } from '../../stack/control.ts';
import { readDashboard } from '../stack/monitoring-fixture.ts';
import {
  eventually,
  faultyRules,
  firing,
  query,
  type Watch,
  watchWorker,
} from '../stack/prometheus-process.ts';
import { succeed } from './command-line.ts';
import { type Lake, openLake } from './lake.ts';
import { recordOf } from './stack-support.ts';

const { home, settings } = inject('stack');

describe('the Prometheus of the stack', () => {
  it('finds the worker, with the SDK’s metrics, and Temporal', async () => {
    const { endpoint } = recordOf(await stackStatus(home), 'prometheus');
    for (const job of ['icewright', 'temporal']) {
      await eventually(async () => (await query(endpoint, `up{job="${job}"} == 1`)).length > 0);
    }
    for (const metric of ['icewright_tables_shown or vector(0)', 'temporal_worker_start']) {
      await eventually(async () => (await query(endpoint, metric)).length > 0);
    }
  });

  it('takes every rule and every query of the dashboard', async () => {
    const { endpoint } = recordOf(await stackStatus(home), 'prometheus');
    for (const { panel, expr } of readDashboard()) {
      await expect(query(endpoint, expr), panel).resolves.toBeInstanceOf(Array);
    }
    expect(await faultyRules(endpoint)).toEqual([]);
  });
});

describe('alerts of a table with five commits of one small file each', () => {
  const TABLE = 'lake.alarm.noisy';
  const OF_TABLE = { catalog: 'lake', namespace: 'alarm', table: 'noisy' };
  let lake: Lake;
  let watch: Watch;

  beforeAll(async () => {
    lake = openLake('alarm');
    await lake.spark('CREATE NAMESPACE IF NOT EXISTS lake.alarm');
    await lake.spark(`DROP TABLE IF EXISTS ${TABLE}`);
    await lake.spark(`CREATE TABLE ${TABLE} (id BIGINT) USING iceberg`);
    for (let id = 1; id <= 5; id += 1) await lake.spark(`INSERT INTO ${TABLE} VALUES (${id})`);
    // The shipped rules, for a table of a test's size.
    watch = await watchWorker(settings.ICEWRIGHT_HTTP_ADDRESS ?? '', (alerts) =>
      alerts
        .replace('(iceberg_snapshot_count) > 1000', '(iceberg_snapshot_count) > 3')
        .replace('(iceberg_small_files_count) > 100000', '(iceberg_small_files_count) > 3')
        .replace('for: 30m', 'for: 0m'),
    );
  });

  afterAll(async () => {
    await watch?.close();
    await lake?.close();
  });

  const isFiring = async (name: string) => {
    const found = await firing(watch.url, name);
    return found.some(({ namespace, table }) => namespace === 'alarm' && table === 'noisy');
  };

  it('fire from the worker’s own sweep', async () => {
    await succeed(['health', '--now']);
    await eventually(() => isFiring('IcebergSmallFiles'));
    await eventually(() => isFiring('IcebergSnapshots'));
    const [sample] = await query(watch.url, 'iceberg_small_files_count{table="noisy"}');
    expect(sample).toMatchObject({ metric: OF_TABLE, value: [expect.any(Number), '5'] });
  });

  it('clear after compact and expire', async () => {
    await succeed(['compact', TABLE, '--wait']);
    await succeed(['health', '--now']);
    await eventually(async () => !(await isFiring('IcebergSmallFiles')));
    expect(await isFiring('IcebergSnapshots')).toBe(true);
    await succeed(['expire', TABLE, '--older-than', '1s', '--keep-last', '1', '--wait']);
    await succeed(['health', '--now']);
    await eventually(async () => !(await isFiring('IcebergSnapshots')));
  });
});
