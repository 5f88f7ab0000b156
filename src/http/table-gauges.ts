/**
 * Gauges of single tables and totals of catalogs. What a scrape reads is in memory already: ages
 * are the only arithmetic that is left to it.
 */
import { Gauge, type Registry } from 'prom-client';
import type { HealthSweep } from '../activities/ports.ts';
import type { TableFigures, TableReport } from '../domain/health/health.ts';
import { tableFromKey } from '../domain/table.ts';
import { chooseShown, isReadable, small, worstSeverity } from './table-choice.ts';

export interface TableGauges {
  /** From now on sweeps are awaited: a catalog that is never swept is seen by its age, too. */
  expected(catalog: string, intervalMs: number): void;
  /** As `Meter.healthSwept`. */
  swept(reports: readonly TableReport[], sweep?: HealthSweep): void;
}

export interface TableGaugeOptions {
  readonly registry: Registry;
  /** Tables of each catalog with gauges of their own; the others count in its totals only. */
  readonly tablesMax: number;
  readonly nowMs: () => number;
}

type Read = (report: TableReport, nowMs: number) => number | null;

const drifted = (report: TableReport) =>
  report.findings.some(({ code }) => code === 'totals_drifted');
const figure =
  (read: (figures: TableFigures) => number | null): Read =>
  ({ figures }) =>
    figures === null ? null : read(figures);
const ageSeconds =
  (read: (figures: TableFigures) => number | null): Read =>
  ({ figures }, nowMs) => {
    const atMs = figures === null ? null : read(figures);
    return atMs === null ? null : Math.max(0, (nowMs - atMs) / 1000);
  };

/** Name, help, value; `null`: no sample, because it was not measured. */
const OF_TABLE: readonly (readonly [string, string, Read])[] = [
  [
    'iceberg_small_files_count',
    'Live data files smaller than 75 % of the target file size.',
    figure((one) => one.smallFiles),
  ],
  ['iceberg_snapshot_count', 'Snapshots in the metadata.', figure((one) => one.snapshots)],
  [
    'iceberg_table_size_bytes',
    'Bytes of the live data files at the head of the main branch.',
    figure((one) => one.totalBytes),
  ],
  ['iceberg_data_files_count', 'Live data files.', figure((one) => one.dataFiles)],
  [
    'iceberg_delete_files_count',
    'Live delete files; a deletion vector counts as one.',
    figure((one) => one.deleteFiles),
  ],
  [
    'iceberg_oldest_snapshot_age_seconds',
    'Age of the oldest snapshot, in seconds.',
    ageSeconds((one) => one.oldestSnapshotAtMs),
  ],
  [
    'iceberg_last_commit_age_seconds',
    'Time since the last commit, in seconds.',
    ageSeconds((one) => one.lastCommitAtMs),
  ],
  [
    'iceberg_compaction_backlog_files',
    'Data files beyond what the target file size needs.',
    figure((one) => one.detail?.backlogFiles ?? null),
  ],
  [
    'iceberg_table_health_score',
    'Health from 0 to 100; 100: nothing to improve.',
    ({ score }) => score?.value ?? null,
  ],
  [
    'iceberg_table_readable',
    '1: the last measurement succeeded; 0: the table could not be read.',
    (report) => (isReadable(report) ? 1 : 0),
  ],
  [
    'iceberg_totals_drifted',
    '1: the totals in the snapshot summary differ from the manifests; 0: not known to.',
    (report) => (drifted(report) ? 1 : 0),
  ],
  [
    'iceberg_table_measured_age_seconds',
    'Time since what is known of the table last changed, in seconds.',
    ({ measuredAtMs }, nowMs) => Math.max(0, (nowMs - measuredAtMs) / 1000),
  ],
];

const sum = (reports: readonly TableReport[], read: (figures: TableFigures) => number) =>
  reports.reduce((total, { figures }) => total + (figures === null ? 0 : read(figures)), 0);
const count = (reports: readonly TableReport[], test: (report: TableReport) => boolean) =>
  reports.filter(test).length;

/** Of all tables of a catalog, also those without gauges of their own. */
const OF_CATALOG: readonly (readonly [
  string,
  string,
  (reports: readonly TableReport[]) => number,
])[] = [
  ['icewright_tables', 'Tables that the last sweep saw.', (all) => all.length],
  [
    'icewright_tables_unreadable',
    'Tables that could not be measured.',
    (all) => count(all, (one) => !isReadable(one)),
  ],
  ['icewright_tables_drifted', 'Tables whose totals have drifted.', (all) => count(all, drifted)],
  [
    'icewright_tables_small_files',
    'Small data files of all tables together.',
    (all) => sum(all, small),
  ],
  [
    'icewright_tables_data_files',
    'Live data files of all tables together.',
    (all) => sum(all, (one) => one.dataFiles),
  ],
  [
    'icewright_tables_delete_files',
    'Live delete files of all tables together.',
    (all) => sum(all, (one) => one.deleteFiles),
  ],
  [
    'icewright_tables_snapshots',
    'Snapshots of all tables together.',
    (all) => sum(all, (one) => one.snapshots),
  ],
  [
    'icewright_tables_backlog_files',
    'Data files of all tables beyond what their target sizes need.',
    (all) => sum(all, (one) => one.detail?.backlogFiles ?? 0),
  ],
  [
    'icewright_tables_size_bytes',
    'Bytes of the live data files of all tables together.',
    (all) => sum(all, (one) => one.totalBytes),
  ],
];

const STATES = ['healthy', 'info', 'warning', 'critical', 'unreadable'] as const;

interface Catalog {
  readonly all: readonly TableReport[];
  readonly shown: readonly TableReport[];
}

export function createTableGauges(options: TableGaugeOptions): TableGauges {
  const catalogs = new Map<string, Catalog>();
  const sweeps = new Map<string, HealthSweep>();
  const { nowMs } = options;
  registerTables(options, catalogs);
  registerCatalogs(options.registry, catalogs);
  registerSweeps(options.registry, sweeps);
  return {
    expected: (catalog, intervalMs) => {
      const now = nowMs();
      if (sweeps.has(catalog)) return;
      sweeps.set(catalog, { catalog, intervalMs, startedAtMs: now, finishedAtMs: now });
    },
    swept: (reports, sweep) => {
      const named = Map.groupBy(reports, ({ table }) => tableFromKey(table).catalog);
      if (sweep !== undefined) sweeps.set(sweep.catalog, sweep);
      if (sweep !== undefined && !named.has(sweep.catalog)) named.set(sweep.catalog, []);
      for (const [catalog, all] of named) {
        catalogs.set(catalog, { all, shown: chooseShown(all, options.tablesMax) });
      }
    },
  };
}

function registerTables(
  { registry, nowMs }: TableGaugeOptions,
  catalogs: ReadonlyMap<string, Catalog>,
): void {
  for (const [name, help, read] of OF_TABLE) {
    addGauge(registry, { name, help, labelNames: ['catalog', 'namespace', 'table'] }, (gauge) => {
      for (const report of [...catalogs.values()].flatMap(({ shown }) => shown)) {
        const value = read(report, nowMs());
        const { catalog, namespace, name: table } = tableFromKey(report.table);
        if (value !== null) gauge.set({ catalog, namespace, table }, value);
      }
    });
  }
}

function registerCatalogs(registry: Registry, catalogs: ReadonlyMap<string, Catalog>): void {
  for (const [name, help, read] of OF_CATALOG) {
    addGauge(registry, { name, help, labelNames: ['catalog'] }, (gauge) => {
      for (const [catalog, { all }] of catalogs) gauge.set({ catalog }, read(all));
    });
  }
  const shown = {
    name: 'icewright_tables_shown',
    help: 'Tables that have gauges of their own, the worst ones.',
    labelNames: ['catalog'],
  };
  addGauge(registry, shown, (gauge) => {
    for (const [catalog, one] of catalogs) gauge.set({ catalog }, one.shown.length);
  });
  const states = {
    name: 'icewright_tables_by_state',
    help: 'Tables by the gravest of their findings.',
    labelNames: ['catalog', 'state'],
  };
  addGauge(registry, states, (gauge) => {
    for (const [catalog, { all }] of catalogs) {
      for (const state of STATES) {
        gauge.set(
          { catalog, state },
          count(all, (one) => worstSeverity(one) === state),
        );
      }
    }
  });
}

function registerSweeps(registry: Registry, sweeps: ReadonlyMap<string, HealthSweep>): void {
  const gauges: readonly (readonly [string, string, (sweep: HealthSweep) => number])[] = [
    [
      'icewright_health_last_sweep_timestamp_seconds',
      'When the last sweep ended, or this worker started if none has since, in seconds since 1970.',
      (one) => one.finishedAtMs / 1000,
    ],
    [
      'icewright_health_sweep_duration_seconds',
      'How long the last sweep took, in seconds.',
      (one) => (one.finishedAtMs - one.startedAtMs) / 1000,
    ],
    [
      'icewright_health_interval_seconds',
      'From the start of one sweep to the start of the next, in seconds.',
      (one) => one.intervalMs / 1000,
    ],
  ];
  for (const [name, help, read] of gauges) {
    addGauge(registry, { name, help, labelNames: ['catalog'] }, (gauge) => {
      for (const [catalog, sweep] of sweeps) gauge.set({ catalog }, read(sweep));
    });
  }
}

/** A gauge whose samples are made anew for each scrape: what is gone leaves no stale sample. */
export function addGauge(
  registry: Registry,
  described: { readonly name: string; readonly help: string; readonly labelNames: string[] },
  fill: (gauge: Gauge) => void,
): void {
  new Gauge({
    ...described,
    registers: [registry],
    collect() {
      this.reset();
      // Without labels a reset leaves 0, which was never measured.
      if (described.labelNames.length === 0) this.remove();
      fill(this);
    },
  });
}
