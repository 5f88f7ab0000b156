/** Whole nights: right answers, both engines, and nothing written where nothing is new. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHOP_SEED } from '../../src/cli/commands/stack.ts';
import { readConfig } from '../../src/config.ts';
import type { Receipt } from '../../src/domain/receipt.ts';
import type { MaintenanceReport, ModelReport } from '../../src/workflows/messages.ts';
import { advanceShop } from '../../stack/shop/advance.ts';
import { seedShop } from '../../stack/shop/seed.ts';
import { icewright, showRun, succeed, until } from './command-line.ts';
import { expectApart, type Lake, openLake } from './lake.ts';
import { expectLakeEqualsShop } from './shop-truth.ts';

interface Night {
  readonly runId: string;
  readonly planId: string;
  readonly models: readonly ModelReport[];
  readonly maintenance: readonly MaintenanceReport[];
  readonly failed: readonly string[];
}

const shopUrl = process.env.ICEWRIGHT_SHOP_URL ?? '';
const { pseudonymKey } = readConfig();
const receipts: Receipt[] = [];
let lake: Lake;

beforeAll(async () => {
  await seedShop(shopUrl, { seed: SHOP_SEED });
  lake = openLake('night');
});
afterAll(() => lake?.close());

async function runNight(): Promise<Night> {
  const night = (await succeed(['nightly'])) as Night;
  receipts.push(...night.maintenance.flatMap((one) => one.operations));
  return night;
}

function expectTruth(): Promise<void> {
  return expectLakeEqualsShop({
    shopUrl,
    query: lake.trino,
    ...(pseudonymKey === undefined ? {} : { pseudonymKey }),
  });
}

describe('the night', () => {
  it('fills an empty lake, and gold equals the shop to the cent', async () => {
    const night = await runNight();
    expect(night.failed).toEqual([]);
    expect(night.models.map((one) => [one.model, one.engine, one.status]).sort()).toEqual([
      ['bronze.raw_clickstream', 'trino', 'done'],
      ['bronze.raw_customers', 'trino', 'done'],
      ['bronze.raw_order_items', 'trino', 'done'],
      ['bronze.raw_orders', 'trino', 'done'],
      ['bronze.raw_products', 'trino', 'done'],
      ['gold.daily_revenue', 'spark', 'done'],
      ['gold.funnel_metrics', 'spark', 'done'],
      ['gold.user_features', 'spark', 'done'],
      ['silver.customers', 'spark', 'done'],
      ['silver.order_items', 'spark', 'done'],
      ['silver.orders', 'spark', 'done'],
      ['silver.products', 'spark', 'done'],
      ['silver.sessions', 'spark', 'done'],
    ]);
    for (const model of night.models) {
      expect(model.rowsWritten, model.model).toBeGreaterThan(0);
      expect(model.engineOperationId, model.model).toMatch(/\w/);
    }
    await expectTruth();
  });

  it('stays right over more days, and compacts what has become small, on both engines', async () => {
    for (let day = 0; day < 3; day += 1) {
      await advanceShop(shopUrl, { days: 1 });
      const night = await runNight();
      expect(night.failed).toEqual([]);
      await expectTruth();
    }
    const compactions = receipts.filter((one) => one.operation === 'compact');
    expect(new Set(compactions.map((one) => one.engine))).toEqual(new Set(['spark', 'trino']));
    for (const one of compactions) {
      expect(one).toMatchObject({ status: 'done', error: null });
      expect(one.engineOperationId).toMatch(/\w/);
      expect(one.filesAfter).toBeLessThan(one.filesBefore);
      expect(one.invariants.every((check) => check.ok)).toBe(true);
    }
  });

  it('shows its Trino statements in Trino itself', async () => {
    const ids = receipts.flatMap((one) => (one.engine === 'trino' ? [one.engineOperationId] : []));
    const list = ids.map((id) => `'${id}'`).join(', ');
    const sql = `SELECT query_id, source, state FROM system.runtime.queries WHERE query_id IN (${list})`;
    const found = await lake.trino(sql);
    expect(found.length).toBe(new Set(ids).size);
    for (const row of found) {
      expect(row.state).toBe('FINISHED');
      expect(String(row.source)).toMatch(/^icewright/);
    }
  });

  it('writes the run id and the consumed inputs into the snapshots of models', async () => {
    const health = await lake.measure('lake.silver.orders');
    const marked = health.snapshots.filter((one) => one.operation !== 'replace');
    for (const { summary } of marked) {
      expect(summary['icewright.model']).toBe('silver.orders');
      expect(summary['icewright.run-id']).toMatch(/^\d{8}T\d{6}-[0-9a-f]{6}\.silver\.orders$/);
      const inputs = JSON.parse(summary['icewright.inputs'] ?? '{}');
      expect(Object.keys(inputs)).toEqual(['lake.bronze.raw_orders']);
    }
  });

  it('does nothing in a night without changes: no row, no compaction, no snapshot', async () => {
    const tables = (await succeed(['health'])).tables as { table: string; snapshotId: string }[];
    const layered = tables.filter((one) => /^lake\.(bronze|silver|gold)\./.test(one.table));
    const night = await runNight();
    expect(night.failed).toEqual([]);
    expect(night.models.map((one) => [one.status, one.rowsWritten])).toEqual(
      night.models.map(() => ['noop', 0]),
    );
    expect(night.maintenance).toEqual([]);
    const after = (await succeed(['health'])).tables as typeof tables;
    for (const { table, snapshotId } of layered) {
      expect(after.find((one) => one.table === table)?.snapshotId, table).toBe(snapshotId);
    }
  });

  it('expires exactly the snapshots of its plan, and keeps watermarks', async () => {
    const words = ['expire', 'silver.orders', '--older-than', '1ms', '--keep-last', '2'];
    const before = await lake.measure('lake.silver.orders');
    const dry = await succeed([...words, '--dry-run']);
    const ids = dry.plan.decisions[0].options.snapshotIds as string[];
    expect(ids.length).toBeGreaterThan(0);
    const { receipts: done } = await succeed([...words, '--wait']);
    expect(done[0]).toMatchObject({
      operation: 'expire_snapshots',
      engine: 'spark',
      status: 'done',
    });
    const after = await lake.measure('lake.silver.orders');
    const idsOf = (health: typeof after) => health.snapshots.map((one) => one.snapshotId);
    expect(idsOf(after).sort()).toEqual(
      idsOf(before)
        .filter((id) => !ids.includes(id))
        .sort(),
    );
    await expectTruth();
    const quiet = await runNight();
    expect(quiet.models.every((one) => one.status === 'noop')).toBe(true);
  });

  it('keeps a transform and a compaction of one table apart', async () => {
    const table = 'lake.gold.daily_revenue';
    const night = icewright(['transform', 'run', 'gold.daily_revenue']);
    const jobs = await Promise.all(
      ['customers', 'revenue', 'orders'].map((column) =>
        succeed(['compact', table, '--strategy', 'sort', '--columns', column]),
      ),
    );
    expect((await night).exitCode).toBe(0);
    await until(async () => {
      const shown = await Promise.all(jobs.map((one) => showRun(one.runId)));
      return shown.every((one) => one.state === 'done');
    });
    const { runs } = await succeed(['runs', 'list', '--table', table]);
    const shown = await Promise.all((runs as { runId: string }[]).map((one) => showRun(one.runId)));
    expectApart(shown.flatMap((one) => one.receipts));
  });
});
