/** Rules, their tests and the dashboard as data, and which metrics an expression names. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { createMetrics } from '../../src/http/metrics.ts';
import { PROJECT_DIR } from '../../stack/home.ts';
import { ensurePrometheus, PROMETHEUS_REMEDY } from '../../stack/provision/prometheus.ts';

export const PROMETHEUS_DIR = join(PROJECT_DIR, 'stack', 'prometheus');
const DASHBOARD = join(PROJECT_DIR, 'stack', 'grafana', 'dashboards', 'health.json');

export interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface AlertTest {
  readonly eval_time: string;
  readonly alertname: string;
  readonly exp_alerts?: readonly unknown[];
}

export function readRules(file: 'alerts.yml' | 'recording.yml'): readonly Rule[] {
  const { groups } = parse(readFileSync(join(PROMETHEUS_DIR, 'rules', file), 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly Rule[] }[];
  };
  return groups.flatMap(({ rules }) => rules);
}

export const RULE_TESTS = ['alerts', 'alerts-of-days', 'recording'].map((name) =>
  join(PROMETHEUS_DIR, 'tests', `${name}.test.yml`),
);

export function readAlertTests(): readonly AlertTest[] {
  const files = RULE_TESTS.map((path) => parse(readFileSync(path, 'utf8'))) as {
    readonly tests: readonly { readonly alert_rule_test?: readonly AlertTest[] }[];
  }[];
  return files.flatMap(({ tests }) => tests.flatMap((one) => one.alert_rule_test ?? []));
}

export interface DashboardQuery {
  readonly panel: string;
  readonly expr: string;
}

interface Dashboard {
  readonly panels: readonly {
    readonly title: string;
    readonly targets?: readonly { readonly expr: string }[];
  }[];
  readonly templating: {
    readonly list: readonly { readonly name: string; readonly query: { readonly query: string } }[];
  };
}

/** Queries as Grafana sends them with every variable at "All". */
export function readDashboard(): readonly DashboardQuery[] {
  const { panels, templating } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard;
  const filled = (expr: string) => expr.replace(/\$(catalog|namespace)\b/g, '.*');
  const ofPanels = panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ panel: title, expr: filled(expr) })),
  );
  const ofVariables = templating.list.map(({ name, query }) => ({
    panel: `variable ${name}`,
    expr: filled(query.query.replace(/^label_values\((.*), \w+\)$/, '$1')),
  }));
  return [...ofPanels, ...ofVariables];
}

/** Metrics that an expression names: neither labels, functions nor what stands in quotes. */
export function metricsIn(expr: string): readonly string[] {
  const bare = expr
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)/g, '');
  const names = bare.match(/[a-zA-Z_][\w:]*(?!\s*\()\b(?!\s*\()/g) ?? [];
  return names.filter((name) => /[_:]|^up$|^ALERTS$/.test(name) && !FUNCTIONS.has(name));
}

const FUNCTIONS = new Set(['histogram_quantile', 'clamp_min', 'group_left', 'group_right']);

/** Every metric that a worker's `/metrics` has, by its text; of histograms also their parts. */
export async function metricsOfWorker(): Promise<ReadonlySet<string>> {
  const metrics = createMetrics();
  // Of Temporal's SDK, whose names no registry of ours knows.
  for (const name of ['temporal_worker_task_slots_used', 'temporal_worker_task_slots_available']) {
    metrics.sdk.add([{ metric: { name, kind: 'gauge' }, value: 0, attributes: {} }]);
  }
  const { body } = await metrics.render();
  const found = [...body.matchAll(/^# TYPE (\S+) (\w+)$/gm)].flatMap(([, name = '', type]) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set(found);
}

/** Runs promtool to its end; `input` is what it reads. */
export async function promtool(
  args: readonly string[],
  input = '',
): Promise<{ readonly ok: boolean; readonly said: string }> {
  const folder = await ensurePrometheus((line) => console.error(line));
  if (folder === undefined) throw new Error(`there is no promtool: ${PROMETHEUS_REMEDY}`);
  return new Promise((resolve) => {
    const child = execFile(join(folder, 'promtool'), [...args], (error, stdout, stderr) =>
      resolve({ ok: error === null, said: stdout + stderr }),
    );
    child.stdin?.end(input);
  });
}
