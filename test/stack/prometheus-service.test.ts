/** A real Prometheus on a real `/metrics`: the stack's service, the dashboard, an alert's life. */
import { rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMetrics, type Metrics } from '../../src/http/metrics.ts';
import { startHttp } from '../../src/http/server.ts';
import { createHome, type StackHome } from '../../stack/home.ts';
import { findFreePorts, LOOPBACK, type StackPorts } from '../../stack/ports.ts';
import { ManagedService } from '../../stack/services/managed.ts';
import { buildPrometheus } from '../../stack/services/prometheus.ts';
import type { StackContext } from '../../stack/services/service.ts';
import { makeReport } from '../http/metrics-fixture.ts';
import { readDashboard } from './monitoring-fixture.ts';
import {
  eventually,
  faultyRules,
  firing,
  query,
  requirePrometheus,
  watchWorker,
} from './prometheus-process.ts';
import { temporaryHome } from './services-fixture.ts';

const TABLE = 'lake.silver.orders';

let home: StackHome;
let ports: StackPorts;
let metrics: Metrics;
let http: Server;

beforeAll(async () => {
  home = temporaryHome();
  createHome(home);
  ports = await findFreePorts();
  metrics = createMetrics();
  const address = `${LOOPBACK}:${ports.http}`;
  http = await startHttp({ address, metrics, unready: () => [] });
});

afterAll(async () => {
  http.closeAllConnections();
  await new Promise((closed) => http.close(closed));
  rmSync(home.root, { recursive: true, force: true });
});

describe('the service of the stack', { timeout: 120_000 }, () => {
  it('scrapes the worker and takes every rule and every query of the dashboard', async () => {
    metrics.healthSwept([makeReport(TABLE)]);
    const parts = { prometheus: await requirePrometheus() };
    const versions = { prometheus: '2' };
    const service = buildPrometheus({ home, ports, parts, versions } as unknown as StackContext);
    const managed = new ManagedService(service, home.logs, () => {});
    try {
      expect(await managed.start(Promise.resolve(true)), managed.record.problem ?? '').toBe(true);
      const { endpoint } = service;
      await eventually(async () => (await query(endpoint, 'up{job="icewright"} == 1')).length > 0);
      const found = await query(endpoint, 'iceberg_snapshot_count');
      expect(found.map(({ metric }) => metric)).toMatchObject([
        { catalog: 'lake', namespace: 'silver', table: 'orders', stack: 'embedded' },
      ]);
      for (const { panel, expr } of readDashboard()) {
        await expect(query(endpoint, expr), panel).resolves.toBeInstanceOf(Array);
      }
      expect(await faultyRules(endpoint)).toEqual([]);
    } finally {
      await managed.stop();
    }
  });
});

describe('an alert', { timeout: 120_000 }, () => {
  it('fires when its table is unhealthy and clears when it no longer is', async () => {
    metrics.healthSwept([makeReport(TABLE, { snapshots: 5 })]);
    const watch = await watchWorker(`${LOOPBACK}:${ports.http}`, (alerts) =>
      alerts.replace('(iceberg_snapshot_count) > 1000', '(iceberg_snapshot_count) > 3'),
    );
    const isFiring = async () => (await firing(watch.url, 'IcebergSnapshots')).length > 0;
    try {
      await eventually(isFiring);
      expect(await firing(watch.url, 'IcebergSnapshots')).toMatchObject([
        { catalog: 'lake', namespace: 'silver', table: 'orders', severity: 'warning' },
      ]);
      metrics.healthSwept([makeReport(TABLE, { snapshots: 1 })]);
      await eventually(async () => !(await isFiring()));
    } finally {
      await watch.close();
    }
  });
});
