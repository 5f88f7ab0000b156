/** Temporal's development server: one process, its state in one SQLite file. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort, LOOPBACK } from '../ports.ts';
import { TEMPORAL_NAMESPACE } from '../settings.ts';
import { serviceEnvironment } from './environment.ts';
import { probeHttp } from './probe.ts';
import { writeTarget } from './prometheus.ts';
import type { Service, StackContext } from './service.ts';

/**
 * A Temporal server reads each of its queues 20 times a second for each shard, and the development
 * server has one shard: from the 21st step within a second on, every step of every workflow waits
 * 50 ms. Real servers have hundreds of shards.
 */
export const DEVELOPMENT_LIMITS = ['transfer', 'timer', 'visibility'].flatMap((queue) => [
  '--dynamic-config-value',
  `history.${queue}ProcessorMaxPollRPS=2000`,
]);

export function buildTemporal({ home, ports, parts, versions }: StackContext): Service {
  const folder = join(home.data, 'temporal');
  const ui = `http://${LOOPBACK}:${ports.temporalUi}`;
  return {
    name: 'temporal',
    version: versions.temporal,
    endpoint: `${LOOPBACK}:${ports.temporal}`,
    ports: ['temporal', 'temporalUi'],
    needs: [],
    readyTimeoutMs: 60_000,
    stop: { signal: 'SIGTERM', timeoutMs: 10_000, rank: 2 },
    prepare: async () => {
      await mkdir(folder, { recursive: true });
      // Prometheus is told which one: another fixed port would only be one more to collide.
      const metricsPort = await findFreePort();
      await writeTarget(home, 'temporal', metricsPort);
      return {
        file: parts.temporal,
        args: [
          ...['server', 'start-dev', '--ip', LOOPBACK, '--port', String(ports.temporal)],
          ...['--ui-port', String(ports.temporalUi), '--log-level', 'warn'],
          ...['--metrics-port', String(metricsPort)],
          ...DEVELOPMENT_LIMITS,
          ...['--db-filename', join(folder, 'temporal.db')],
          // Every step of a workflow is a commit: without a sync for each, a third faster. A killed
          // process loses nothing; a machine that loses power may lose the last second, never more.
          ...['--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=1'],
        ],
        env: serviceEnvironment({ GOMEMLIMIT: '512MiB' }),
        cwd: folder,
      };
    },
    // The port opens before the namespace exists; the UI's own proxy asks for both at once.
    probe: () => probeHttp(`${ui}/api/v1/namespaces/${TEMPORAL_NAMESPACE}`),
  };
}
