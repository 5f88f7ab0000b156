/** Recording and alert rules: valid, about metrics that there are, and each alert fires and clears. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../src/http/metrics.ts';
import { makeReport } from '../http/metrics-fixture.ts';
import {
  metricsIn,
  metricsOfWorker,
  PROMETHEUS_DIR,
  promtool,
  RULE_TESTS,
  readAlertTests,
  readRules,
} from './monitoring-fixture.ts';

/** The first call may fetch promtool. */
const FETCH_MS = 300_000;
const alerts = readRules('alerts.yml');

describe('promtool', () => {
  it('takes the rules and the settings', { timeout: FETCH_MS }, async () => {
    const config = join(PROMETHEUS_DIR, 'prometheus.yml');
    expect(await promtool(['check', 'config', config])).toMatchObject({ ok: true });
  });

  it.each(RULE_TESTS)('finds that %s holds', { timeout: FETCH_MS }, async (file) => {
    const { ok, said } = await promtool(['test', 'rules', file]);
    expect(said).toContain('SUCCESS');
    expect(ok).toBe(true);
  });
});

describe('alerts', () => {
  it('have a test in which each of them is quiet, fires, and clears', () => {
    const tests = readAlertTests();
    for (const { alert = '' } of alerts) {
      const fired = tests
        .filter((one) => one.alertname === alert)
        .map(({ exp_alerts = [] }) => exp_alerts.length > 0);
      expect(fired, alert).toEqual([false, true, false]);
    }
  });

  it('say how grave it is, what is wrong and what to do', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(labels?.severity, alert).toMatch(/^(warning|critical)$/);
      expect(Object.keys(annotations ?? {}).sort(), alert).toEqual(['action', 'summary']);
    }
  });
});

describe('rules', () => {
  it('name only metrics that a worker has', async () => {
    const known = await metricsOfWorker();
    const recorded = readRules('recording.yml');
    for (const { alert, record, expr } of [...alerts, ...recorded]) {
      const names = metricsIn(expr).filter((name) => name !== 'up');
      expect(metricsIn(expr), `${alert ?? record}`).not.toEqual([]);
      expect(
        names.filter((name) => !known.has(name)),
        `${alert ?? record}`,
      ).toEqual([]);
    }
  });

  it('are read from an expression without its labels and functions', () => {
    const expr = 'max by (a_b) (one_x{c_d="e_f"}) > clamp_min(3 * l:two_y:rate, 4) and on () up';
    expect(metricsIn(expr)).toEqual(['one_x', 'l:two_y:rate', 'up']);
  });
});

describe('what a worker tells', () => {
  it('is worded as Prometheus wants it', { timeout: FETCH_MS }, async () => {
    const metrics = createMetrics();
    metrics.healthSwept([makeReport('lake.silver.orders')]);
    const { body } = await metrics.render();
    const { said } = await promtool(['check', 'metrics'], body);
    // Node's own, from prom-client, are named as they are; `_count` is what users know ours by.
    const ours = said.split('\n').filter((line) => /^(iceberg|icewright)_/.test(line));
    expect(ours.filter((line) => !line.includes('"_count" suffix'))).toEqual([]);
  });
});
