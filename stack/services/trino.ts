/** Trino: coordinator and worker in one process; its settings files stand in stack/trino/etc. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { PROJECT_DIR } from '../home.ts';
import { LOOPBACK } from '../ports.ts';
import { javaHome, serviceEnvironment } from './environment.ts';
import { probeHttp } from './probe.ts';
import type { Service, StackContext } from './service.ts';

export function buildTrino(context: StackContext): Service {
  const { home, ports, parts, versions } = context;
  const folder = join(home.data, 'trino');
  const url = `http://${LOOPBACK}:${ports.trino}`;
  return {
    name: 'trino',
    version: versions.trino,
    endpoint: url,
    ports: ['trino'],
    needs: [],
    readyTimeoutMs: 300_000,
    stop: { signal: 'SIGTERM', timeoutMs: 10_000, rank: 1 },
    prepare: async () => {
      await mkdir(folder, { recursive: true });
      const etc = join(PROJECT_DIR, 'stack', 'trino', 'etc');
      return {
        file: launcher(parts.trinoHome),
        args: ['run', '--etc-dir', etc, '--data-dir', folder],
        env: trinoEnvironment(context),
        cwd: folder,
      };
    },
    probe: () => probeHttp(`${url}/v1/info`, (body) => body.includes('"starting":false')),
  };
}

/** The program for this machine: the script beside it needs tools that may not be there. */
function launcher(trinoHome: string): string {
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  return join(trinoHome, 'bin', `${process.platform}-${architecture}`, 'launcher');
}

/** The values of `${ENV:NAME}` in the settings files: no secret in files or arguments. */
function trinoEnvironment({ ports, parts, credentials, settings }: StackContext) {
  const java = javaHome(parts.javaForTrino);
  return serviceEnvironment({
    ...settings,
    JAVA_HOME: java,
    PATH: `${join(java, 'bin')}:${process.env.PATH ?? ''}`,
    AWS_EC2_METADATA_DISABLED: 'true',
    ICEWRIGHT_TRINO_PORT: String(ports.trino),
    ICEWRIGHT_TRINO_BIND: LOOPBACK,
    ICEWRIGHT_SHOP_JDBC_URL: `jdbc:postgresql://${LOOPBACK}:${ports.postgres}/shop`,
    ICEWRIGHT_POSTGRES_USER: credentials.postgresUser,
    ICEWRIGHT_POSTGRES_PASSWORD: credentials.postgresPassword,
  });
}
