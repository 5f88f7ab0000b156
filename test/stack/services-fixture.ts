/** Real processes in the role of services: small Node programs. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeHome, type StackHome } from '../../stack/home.ts';
import { probePort } from '../../stack/services/probe.ts';
import type { Service } from '../../stack/services/service.ts';

export function temporaryHome(): StackHome {
  return describeHome(mkdtempSync(join(tmpdir(), 'icewright-stack-')));
}

/** Listens on the port; on SIGTERM it notes its name in a file and ends. */
const LISTENER = `
  const [port, name, note] = process.argv.slice(1);
  require('node:net').createServer().listen(Number(port), '127.0.0.1');
  process.on('SIGTERM', () => {
    require('node:fs').appendFileSync(note, name + '\\n');
    process.exit(0);
  });`;

export interface ListenerOptions {
  readonly name: string;
  readonly port: number;
  /** File that records the order in which listeners were stopped. */
  readonly note: string;
  readonly needs?: readonly string[];
  readonly rank?: number;
}

export function listener(options: ListenerOptions): Service {
  const { name, port, note } = options;
  return service(name, ['-e', LISTENER, String(port), name, note], {
    needs: options.needs ?? [],
    stop: { signal: 'SIGTERM', timeoutMs: 5_000, rank: options.rank ?? 0 },
    probe: () => probePort(port),
  });
}

/** Says something on stderr and ends with a code. */
export function quitter(name: string, words: string): Service {
  const script = `console.error(${JSON.stringify(words)}); process.exit(7)`;
  return service(name, ['-e', script], {});
}

function service(name: string, args: readonly string[], own: Partial<Service>): Service {
  return {
    name,
    version: '1',
    endpoint: name,
    ports: [],
    needs: [],
    readyTimeoutMs: 20_000,
    stop: { signal: 'SIGTERM', timeoutMs: 5_000, rank: 0 },
    prepare: async () => ({ file: process.execPath, args, env: process.env, cwd: tmpdir() }),
    probe: async () => false,
    ...own,
  };
}

export function emptyFile(home: StackHome, name: string): string {
  const path = join(home.root, name);
  writeFileSync(path, '');
  return path;
}
