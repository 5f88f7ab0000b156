import { describe, expect, it } from 'vitest';
import type { TableReport } from '../../src/domain/health/health.ts';
import { createMetrics } from '../../src/http/metrics.ts';
import { chooseShown } from '../../src/http/table-choice.ts';
import { labels, makeReport, NOW_MS, scrape } from './metrics-fixture.ts';

const ORDERS = 'lake.silver.orders';
const unreadable = (table: string): TableReport =>
  makeReport(
    table,
    {},
    {
      figures: null,
      score: null,
      failure: { code: 'TableUnreadable', message: 'no manifest list' },
      findings: [{ code: 'unreadable', severity: 'critical', message: 'no manifest list' }],
    },
  );

function openMetrics(tablesMax = 200) {
  const clock = { nowMs: NOW_MS };
  return { clock, metrics: createMetrics({ tablesMax, nowMs: () => clock.nowMs }) };
}

describe('gauges of a table', () => {
  it('hold what was measured, under catalog, namespace and table', async () => {
    const { metrics } = openMetrics();
    metrics.healthSwept([makeReport(ORDERS)]);
    const found = await scrape(metrics);
    const expected = {
      iceberg_small_files_count: 4,
      iceberg_snapshot_count: 7,
      iceberg_table_size_bytes: 1_000_000,
      iceberg_data_files_count: 10,
      iceberg_delete_files_count: 2,
      iceberg_oldest_snapshot_age_seconds: 3_600,
      iceberg_last_commit_age_seconds: 120,
      iceberg_compaction_backlog_files: 9,
      iceberg_table_health_score: 100,
      iceberg_table_readable: 1,
      iceberg_totals_drifted: 0,
      iceberg_table_measured_age_seconds: 60,
    };
    for (const [name, value] of Object.entries(expected)) {
      expect(found, name).toHaveProperty([`${name}${labels(ORDERS)}`], value);
    }
  });

  it('have ages of the moment of the scrape', async () => {
    const { metrics, clock } = openMetrics();
    metrics.healthSwept([makeReport(ORDERS)]);
    clock.nowMs += 30_000;
    const found = await scrape(metrics);
    expect(found[`iceberg_last_commit_age_seconds${labels(ORDERS)}`]).toBe(150);
    expect(found[`iceberg_oldest_snapshot_age_seconds${labels(ORDERS)}`]).toBe(3_630);
  });

  it('are absent where nothing was measured, and never 0 instead', async () => {
    const { metrics } = openMetrics();
    metrics.healthSwept([
      makeReport(ORDERS, { smallFiles: null, oldestSnapshotAtMs: null, detail: null }),
      unreadable('lake.silver.broken'),
    ]);
    const found = await scrape(metrics);
    expect(found).not.toHaveProperty([`iceberg_small_files_count${labels(ORDERS)}`]);
    expect(found).not.toHaveProperty([`iceberg_oldest_snapshot_age_seconds${labels(ORDERS)}`]);
    expect(found).not.toHaveProperty([`iceberg_compaction_backlog_files${labels(ORDERS)}`]);
    const broken = labels('lake.silver.broken');
    expect(found[`iceberg_table_readable${broken}`]).toBe(0);
    expect(found).not.toHaveProperty([`iceberg_snapshot_count${broken}`]);
    expect(found).not.toHaveProperty([`iceberg_table_health_score${broken}`]);
  });

  it('keep the last figures of a table that cannot be read now', async () => {
    const { metrics } = openMetrics();
    const failure = { code: 'StorageUnavailable', message: 'timeout' };
    metrics.healthSwept([makeReport(ORDERS, {}, { failure })]);
    const found = await scrape(metrics);
    expect(found[`iceberg_table_readable${labels(ORDERS)}`]).toBe(0);
    expect(found[`iceberg_snapshot_count${labels(ORDERS)}`]).toBe(7);
  });

  it('go with their table, and tell of drift', async () => {
    const { metrics } = openMetrics();
    metrics.healthSwept([makeReport(ORDERS), makeReport('other.a.b')]);
    const drift = { code: 'totals_drifted', severity: 'warning', message: 'off by 3' } as const;
    metrics.healthSwept([makeReport('lake.silver.items', {}, { findings: [drift] })]);
    const found = await scrape(metrics);
    expect(found).not.toHaveProperty([`iceberg_snapshot_count${labels(ORDERS)}`]);
    expect(found[`iceberg_snapshot_count${labels('other.a.b')}`]).toBe(7);
    expect(found[`iceberg_totals_drifted${labels('lake.silver.items')}`]).toBe(1);
    expect(found['icewright_tables_drifted{catalog="lake"}']).toBe(1);
  });

  it('write nested namespaces and quotes so that Prometheus reads them', async () => {
    const { metrics } = openMetrics();
    metrics.healthSwept([makeReport('lake.a.b.c')]);
    const found = await scrape(metrics);
    expect(found).toHaveProperty([
      'iceberg_snapshot_count{catalog="lake",namespace="a.b",table="c"}',
    ]);
  });
});

describe('a catalog of more tables than are shown', () => {
  const many = Array.from({ length: 50 }, (_, at) =>
    makeReport(`lake.many.t${String(at).padStart(2, '0')}`),
  );

  it('shows the worst, and counts all in its totals', async () => {
    const { metrics } = openMetrics(10);
    metrics.healthSwept([
      ...many,
      makeReport('lake.many.zz_worst', {}, { score: { value: 3, parts: [] } }),
      unreadable('lake.many.zz_broken'),
    ]);
    const found = await scrape(metrics);
    const shown = Object.keys(found).filter((key) => key.startsWith('iceberg_table_readable'));
    expect(shown).toHaveLength(10);
    expect(found['icewright_tables_shown{catalog="lake"}']).toBe(10);
    expect(found['icewright_tables{catalog="lake"}']).toBe(52);
    expect(found['icewright_tables_unreadable{catalog="lake"}']).toBe(1);
    expect(found['icewright_tables_small_files{catalog="lake"}']).toBe(51 * 4);
    expect(found['icewright_tables_backlog_files{catalog="lake"}']).toBe(51 * 9);
    expect(found['icewright_tables_by_state{catalog="lake",state="unreadable"}']).toBe(1);
    expect(found['icewright_tables_by_state{catalog="lake",state="healthy"}']).toBe(51);
    expect(shown.join()).toContain('zz_worst');
    expect(shown.join()).toContain('zz_broken');
  });

  it('never hides what an alert looks at behind bad scores', () => {
    const bad = many.map((one) => ({ ...one, score: { value: 0, parts: [] } }));
    const reports = [
      ...bad,
      makeReport('lake.many.zz_small', { smallFiles: 200_000 }),
      makeReport('lake.many.zz_snapshots', { snapshots: 5_000 }),
      unreadable('lake.many.zz_broken'),
    ];
    const shown = chooseShown(reports, 5).map(({ table }) => table);
    expect(shown).toHaveLength(5);
    for (const name of ['zz_small', 'zz_snapshots', 'zz_broken']) {
      expect(shown).toContain(`lake.many.${name}`);
    }
  });

  it('shows all of them where they fit', () => {
    expect(chooseShown(many, 50)).toEqual(many);
    expect(chooseShown([], 1)).toEqual([]);
  });
});

describe('a sweep', () => {
  it('tells when it ended, how long it took and when the next one is due', async () => {
    const { metrics } = openMetrics();
    const sweep = {
      catalog: 'lake',
      startedAtMs: NOW_MS - 5_000,
      finishedAtMs: NOW_MS - 1_000,
      intervalMs: 300_000,
    };
    metrics.healthSwept([], sweep);
    const found = await scrape(metrics);
    expect(found['icewright_health_last_sweep_timestamp_seconds{catalog="lake"}']).toBe(
      NOW_MS / 1000 - 1,
    );
    expect(found['icewright_health_sweep_duration_seconds{catalog="lake"}']).toBe(4);
    expect(found['icewright_health_interval_seconds{catalog="lake"}']).toBe(300);
    expect(found['icewright_tables{catalog="lake"}']).toBe(0);
  });
});
