/** Every metric that Icewright itself counts. Labels are bounded and hold no personal data. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { RunState } from '../activities/ledger-port.ts';
import type { Meter } from '../activities/ports.ts';
import type { TableReport } from '../domain/health/health.ts';
import type { Receipt } from '../domain/receipt.ts';
import { createSdkMetrics, type SdkMetrics } from './sdk-metrics.ts';
import { createSweepGauges } from './sweep-gauges.ts';
import { createTableGauges } from './table-gauges.ts';
import { createUpkeepGauges, type OpenErasure } from './upkeep-gauges.ts';

export interface Metrics extends Meter {
  /** Where the updates of Temporal's SDK go. */
  readonly sdk: SdkMetrics;
  /** When the last sweep of this worker ended; `null`: it has made none. */
  readonly sweptAtMs: number | null;
  /** The last night as the ledger tells it, when a worker starts. */
  nightEnded(state: RunState, atMs: number): void;
  /** A receipt of an earlier worker's time: it counts for what is due, not as a new one. */
  operationRestored(receipt: Receipt, table: string): void;
  /** What another worker, or an earlier one, measured. */
  healthRestored(reports: readonly TableReport[]): void;
  /** When a worker starts: a catalog that is never swept is seen by its age, too. */
  sweepExpected(catalog: string, intervalMs: number): void;
  /** All erasures that are not done; replaces those of before. */
  erasuresOpen(erasures: readonly OpenErasure[]): void;
  /** The text that Prometheus scrapes. It is made from what is in memory, and asks nobody. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface MetricsOptions {
  /** Tables of each catalog with gauges of their own. Default: 200. */
  readonly tablesMax?: number;
  readonly nowMs?: () => number;
  /** Told before each scrape, to hand over what it holds back. */
  readonly onRender?: (metrics: Metrics) => void;
}

export function createMetrics(options: MetricsOptions = {}): Metrics {
  const { tablesMax = 200, nowMs = Date.now, onRender = () => {} } = options;
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const count = createCounters(registry);
  const tables = createTableGauges({ registry, tablesMax, nowMs });
  const upkeep = createUpkeepGauges(registry, nowMs);
  const sweeps = createSweepGauges(registry);
  const sdk = createSdkMetrics();
  let sweptAtMs: number | null = null;
  const metrics: Metrics = {
    sdk,
    get sweptAtMs() {
      return sweptAtMs;
    },
    runEnded: (kind, state) => {
      count.run(kind, state);
      if (kind === 'nightly') upkeep.nightEnded(state, nowMs());
    },
    operationEnded: (receipt, table) => {
      count.operation(receipt);
      upkeep.ended(receipt, table);
    },
    maintenancePlanned: upkeep.planned,
    sweepsRead: sweeps.read,
    sweepChose: sweeps.chose,
    healthSwept: (reports, sweep) => {
      sweptAtMs = nowMs();
      tables.swept(reports, sweep);
      if (sweep !== undefined) upkeep.keepTables(sweep.catalog, reports);
    },
    sweepExpected: tables.expected,
    healthRestored: tables.swept,
    nightEnded: upkeep.nightEnded,
    operationRestored: upkeep.ended,
    erasuresOpen: upkeep.erasuresOpen,
    render: async () => {
      onRender(metrics);
      const own = await registry.metrics();
      return { contentType: registry.contentType, body: `${own}\n${sdk.render()}` };
    },
  };
  return metrics;
}

/** What is counted from the start of the worker on. */
function createCounters(registry: Registry) {
  const runs = new Counter({
    name: 'icewright_runs_total',
    help: 'Runs that ended, by kind and final state.',
    labelNames: ['kind', 'state'],
    registers: [registry],
  });
  const operations = new Counter({
    name: 'icewright_operations_total',
    help: 'Operations that ended, by operation, engine and status.',
    labelNames: ['operation', 'engine', 'status'],
    registers: [registry],
  });
  const engineSeconds = new Histogram({
    name: 'icewright_operation_duration_seconds',
    help: 'Time from the start of an operation to its receipt, in seconds.',
    labelNames: ['operation', 'engine'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200],
    registers: [registry],
  });
  const rewritten = new Counter({
    name: 'icewright_bytes_rewritten_total',
    help: 'Bytes of data files that maintenance rewrote.',
    labelNames: ['operation', 'engine'],
    registers: [registry],
  });
  return {
    run: (kind: string, state: string) => runs.inc({ kind, state }),
    operation: (receipt: Receipt) => {
      const { operation, engine, status, startedAt, finishedAt, bytesRewritten } = receipt;
      operations.inc({ operation, engine, status });
      const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
      engineSeconds.observe({ operation, engine }, seconds);
      rewritten.inc({ operation, engine }, bytesRewritten);
    },
  };
}
