/** The Grafana dashboard: every query is about metrics that there are, and it is provisioned. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PROJECT_DIR } from '../../stack/home.ts';
import { metricsIn, metricsOfWorker, readDashboard, readRules } from './monitoring-fixture.ts';

const read = (...path: string[]) => readFileSync(join(PROJECT_DIR, ...path), 'utf8');

describe('the dashboard', () => {
  it('asks only for metrics that a worker or a rule gives', async () => {
    const worker = await metricsOfWorker();
    const recorded = readRules('recording.yml').map(({ record = '' }) => record);
    const known = new Set([...worker, ...recorded, 'ALERTS']);
    const queries = readDashboard();
    expect(queries.length).toBeGreaterThan(30);
    for (const { panel, expr } of queries) {
      expect(metricsIn(expr), panel).not.toEqual([]);
      expect(
        metricsIn(expr).filter((name) => !known.has(name)),
        panel,
      ).toEqual([]);
      expect(expr, panel).not.toContain('$');
    }
  });

  it('shows what is recorded, but for two ratios that other alerts may want', async () => {
    const asked = new Set(readDashboard().flatMap(({ expr }) => metricsIn(expr)));
    const recorded = readRules('recording.yml').map(({ record = '' }) => record);
    const unshown = [
      'catalog:icewright_backlog_files:ratio',
      'catalog:icewright_tables_unreadable:ratio',
    ];
    expect(recorded.filter((name) => !asked.has(name))).toEqual(unshown);
  });

  it('lies where Grafana is told to look, and asks the Prometheus that it is told of', () => {
    const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
      services: Record<string, { volumes: readonly string[] }>;
    };
    const { providers } = parse(
      read('stack', 'grafana', 'provisioning', 'dashboards', 'icewright.yml'),
    ) as { providers: readonly { options: { path: string } }[] };
    const path = providers[0]?.options.path ?? '';
    expect(services.grafana?.volumes).toContain(`./stack/grafana/dashboards:${path}:ro`);
    const { datasources } = parse(
      read('stack', 'grafana', 'provisioning', 'datasources', 'prometheus.yml'),
    ) as { datasources: readonly { uid: string }[] };
    const used = new Set(
      read('stack', 'grafana', 'dashboards', 'health.json').match(/"uid": "[^"]+"/g),
    );
    expect(used).toEqual(new Set([`"uid": "${datasources[0]?.uid}"`, '"uid": "icewright-health"']));
  });
});
