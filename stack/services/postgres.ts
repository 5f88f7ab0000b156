/** PostgreSQL: the ledger, the REST catalog's pointers and the source shop in one server. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LOOPBACK } from '../ports.ts';
import { serviceEnvironment } from './environment.ts';
import { ensureCluster } from './postgres-cluster.ts';
import { findPostgres, runAs } from './postgres-user.ts';
import { probePort } from './probe.ts';
import type { Service, StackContext } from './service.ts';

/** Line of `postmaster.pid` that says whether the server accepts connections. */
const STATUS_LINE = 7;

const SETTINGS = {
  listen_addresses: LOOPBACK,
  unix_socket_directories: '',
  // Debezium, with the CDC profile, reads the write-ahead log.
  wal_level: 'logical',
  max_connections: 100,
  shared_buffers: '128MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
};

export function buildPostgres(context: StackContext): Service {
  const { home, ports, versions } = context;
  const folder = join(home.data, 'postgres');
  return {
    name: 'postgres',
    version: versions.postgres,
    endpoint: `${LOOPBACK}:${ports.postgres}`,
    ports: ['postgres'],
    needs: [],
    readyTimeoutMs: 120_000,
    // SIGINT is PostgreSQL's fast shutdown: it ends sessions and leaves nothing to recover.
    stop: { signal: 'SIGINT', timeoutMs: 15_000, rank: 3 },
    prepare: async () => {
      const programs = await findPostgres();
      const user = runAs([programs.postgres, home.root]);
      await ensureCluster(folder, programs, user, context);
      const settings = Object.entries(SETTINGS).flatMap(([key, value]) => [
        '-c',
        `${key}=${value}`,
      ]);
      const args = ['-D', folder, '-p', String(ports.postgres), ...settings];
      return user.launch(programs.postgres, args, serviceEnvironment(), home.data);
    },
    probe: async () => (await isAccepting(folder)) && (await probePort(ports.postgres)),
  };
}

/** The server itself says when recovery is over; asking it by SQL would need a driver here. */
async function isAccepting(folder: string): Promise<boolean> {
  try {
    const lines = (await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n');
    return lines[STATUS_LINE]?.trim() === 'ready';
  } catch {
    return false;
  }
}
