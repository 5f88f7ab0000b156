/** Icewright's own worker, supervised like every other service. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { WORKER_NODE_FLAGS } from '../../src/config.ts';
import { PROJECT_DIR } from '../home.ts';
import { LOOPBACK } from '../ports.ts';
import { cacheDir } from '../provision/layout.mjs';
import { serviceEnvironment } from './environment.ts';
import { probeHttp } from './probe.ts';
import type { Service, StackContext } from './service.ts';

const MAIN = join(PROJECT_DIR, 'src', 'worker', 'main.ts');

/** Whether this checkout has a worker to run. */
export function hasWorker(): boolean {
  return existsSync(MAIN);
}

export function buildWorker({ home, ports, parts, versions }: StackContext): Service {
  const url = `http://${LOOPBACK}:${ports.http}`;
  return {
    name: 'worker',
    version: versions.worker,
    endpoint: url,
    ports: ['http'],
    needs: ['postgres', 'minio', 'temporal', 'catalog', 'trino', 'spark'],
    readyTimeoutMs: 90_000,
    // Long enough to drain; an operation in flight lives on in its engine and is taken up again.
    stop: { signal: 'SIGTERM', timeoutMs: 20_000, rank: 0 },
    prepare: async () => ({
      file: parts.node,
      args: [...WORKER_NODE_FLAGS, MAIN],
      // Everything else comes from settings.json; the caller's own ICEWRIGHT_* go before it.
      env: {
        ...ownSettings(),
        ...serviceEnvironment({
          ICEWRIGHT_HOME: home.root,
          // Without it Node loads its TypeScript compiler at every start, and keeps it: 30 MB.
          NODE_COMPILE_CACHE: join(cacheDir(), 'compile-cache'),
        }),
      },
      cwd: PROJECT_DIR,
    }),
    probe: () => probeHttp(`${url}/readyz`),
  };
}

/** The caller's `ICEWRIGHT_*`, without the ports: those are in settings.json already. */
function ownSettings(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => name.startsWith('ICEWRIGHT_') && !name.endsWith('_PORT'),
    ),
  );
}
