/** A Prometheus of a test's own: quick intervals, rules of the test's choice, a real process. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../../stack/ports.ts';
import { ensurePrometheus, PROMETHEUS_REMEDY } from '../../stack/provision/prometheus.ts';
import { ManagedService } from '../../stack/services/managed.ts';
import { probeHttp } from '../../stack/services/probe.ts';
import { PROMETHEUS_DIR } from './monitoring-fixture.ts';

export interface Watch {
  readonly url: string;
  close(): Promise<void>;
}

/** Where the programs are; a test that needs them fails where they cannot be had. */
export async function requirePrometheus(): Promise<string> {
  const folder = await ensurePrometheus((line) => console.error(line));
  if (folder === undefined) throw new Error(`there is no Prometheus: ${PROMETHEUS_REMEDY}`);
  return folder;
}

/**
 * Scrapes one worker and looks at the shipped rules every second. `change` edits the alerts' text:
 * thresholds that a small table reaches, and no waiting.
 */
export async function watchWorker(
  address: string,
  change: (alerts: string) => string,
): Promise<Watch> {
  const programs = await requirePrometheus();
  const folder = mkdtempSync(join(tmpdir(), 'icewright-prometheus-'));
  const settings = readFileSync(join(PROMETHEUS_DIR, 'prometheus.yml'), 'utf8');
  writeFileSync(join(folder, 'prometheus.yml'), settings.replaceAll(': 15s', ': 1s'));
  cpSync(join(PROMETHEUS_DIR, 'rules'), join(folder, 'rules'), { recursive: true });
  const alerts = readFileSync(join(folder, 'rules', 'alerts.yml'), 'utf8');
  writeFileSync(join(folder, 'rules', 'alerts.yml'), change(alerts));
  mkdirSync(join(folder, 'targets'));
  writeFileSync(join(folder, 'targets', 'worker.json'), JSON.stringify([{ targets: [address] }]));
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const managed = new ManagedService(
    {
      ...{ name: 'prometheus', version: '', endpoint: url, ports: [], needs: [] },
      readyTimeoutMs: 60_000,
      stop: { signal: 'SIGTERM', timeoutMs: 10_000, rank: 0 },
      prepare: async () => ({
        file: join(programs, 'prometheus'),
        args: [
          `--config.file=${join(folder, 'prometheus.yml')}`,
          `--storage.tsdb.path=${join(folder, 'data')}`,
          `--web.listen-address=127.0.0.1:${port}`,
          '--log.level=warn',
        ],
        env: process.env,
        cwd: folder,
      }),
      probe: () => probeHttp(`${url}/-/ready`),
    },
    folder,
    () => {},
  );
  if (!(await managed.start(Promise.resolve(true)))) {
    throw new Error(`Prometheus does not start: ${managed.record.problem}`);
  }
  return {
    url,
    close: async () => {
      await managed.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Sample {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [number, string];
}

/** Rejects with Prometheus' own words about a query that it does not take. */
export async function query(url: string, expr: string): Promise<readonly Sample[]> {
  const answer = await fetch(`${url}/api/v1/query?${new URLSearchParams({ query: expr })}`);
  const told = (await answer.json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data?: { readonly result: readonly Sample[] };
  };
  if (told.status !== 'success') throw new Error(`${expr}: ${told.error}`);
  return told.data?.result ?? [];
}

/** Firing alerts of this name, with their labels. */
export async function firing(
  url: string,
  alertname: string,
): Promise<readonly Readonly<Record<string, string>>[]> {
  const found = await query(url, `ALERTS{alertstate="firing",alertname="${alertname}"}`);
  return found.map(({ metric }) => metric);
}

/** Rules that Prometheus could not evaluate, with its reasons. */
export async function faultyRules(url: string): Promise<readonly string[]> {
  const answer = await fetch(`${url}/api/v1/rules`);
  const { data } = (await answer.json()) as {
    data: { groups: readonly { rules: readonly { name: string; lastError?: string }[] }[] };
  };
  const rules = data.groups.flatMap((group) => group.rules);
  if (rules.length === 0) return ['there are no rules'];
  return rules.flatMap(({ name, lastError }) => (lastError ? [`${name}: ${lastError}`] : []));
}

/** Asks until it is so; the test's own limit ends a wait that never does. */
export async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(250);
}
