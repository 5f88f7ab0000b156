/** Every metric that Icewright itself counts. Labels are bounded and hold no personal data. */
import { Counter, collectDefaultMetrics, Histogram, Registry } from 'prom-client';
import type { Meter } from '../activities/ports.ts';

export interface Metrics extends Meter {
  /** The text that Prometheus scrapes. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
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
    runEnded: (kind, state) => runs.inc({ kind, state }),
    operationEnded: ({ operation, engine, status, startedAt, finishedAt, bytesRewritten }) => {
      operations.inc({ operation, engine, status });
      const seconds = (Date.parse(finishedAt) - Date.parse(startedAt)) / 1000;
      engineSeconds.observe({ operation, engine }, seconds);
      rewritten.inc({ operation, engine }, bytesRewritten);
    },
    healthSwept: () => {},
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
