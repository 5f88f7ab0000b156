/** Prometheus: scrapes the worker and Temporal, and looks at the rules. The stack can do without. */
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';
import { PROJECT_DIR, type StackHome, writeJson } from '../home.ts';
import { LOOPBACK } from '../ports.ts';
import { PROMETHEUS_REMEDY } from '../provision/prometheus.ts';
import { serviceEnvironment } from './environment.ts';
import { probeHttp } from './probe.ts';
import type { Service, StackContext } from './service.ts';

const SOURCE = join(PROJECT_DIR, 'stack', 'prometheus');

/** Its settings, rules and the addresses that it scrapes. */
export function prometheusFolder(home: StackHome): string {
  return join(home.run, 'prometheus');
}

/** Tells Prometheus, which looks at these files, where a service's metrics are. */
export async function writeTarget(home: StackHome, name: string, port: number): Promise<void> {
  const folder = join(prometheusFolder(home), 'targets');
  await mkdir(folder, { recursive: true });
  const target = { targets: [`${LOOPBACK}:${port}`], labels: { stack: 'embedded' } };
  writeJson(join(folder, `${name}.json`), [target]);
}

export function buildPrometheus({ home, ports, parts, versions }: StackContext): Service {
  const address = `${LOOPBACK}:${ports.prometheus}`;
  const data = join(home.data, 'prometheus');
  const folder = prometheusFolder(home);
  return {
    name: 'prometheus',
    version: versions.prometheus,
    endpoint: `http://${address}`,
    ports: ['prometheus'],
    needs: [],
    readyTimeoutMs: 60_000,
    stop: { signal: 'SIGTERM', timeoutMs: 10_000, rank: 1 },
    prepare: async () => {
      if (parts.prometheus === undefined) {
        throw new IcewrightError('PrerequisiteMissing', PROMETHEUS_REMEDY);
      }
      await mkdir(data, { recursive: true });
      await cp(join(SOURCE, 'prometheus.yml'), join(folder, 'prometheus.yml'));
      await cp(join(SOURCE, 'rules'), join(folder, 'rules'), { recursive: true });
      await writeTarget(home, 'worker', ports.http);
      return {
        file: join(parts.prometheus, 'prometheus'),
        args: [
          `--config.file=${join(folder, 'prometheus.yml')}`,
          `--storage.tsdb.path=${data}`,
          '--storage.tsdb.retention.time=30d',
          `--web.listen-address=${address}`,
          '--log.level=warn',
        ],
        env: serviceEnvironment({ GOMEMLIMIT: '192MiB' }),
        cwd: folder,
      };
    },
    probe: () => probeHttp(`http://${address}/-/ready`),
  };
}
