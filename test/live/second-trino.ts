/** A Trino beside the stack's own whose catalog and object store are reached by other addresses. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadContext, readStackConfig } from '../../stack/config.ts';
import { describeHome } from '../../stack/home.ts';
import { findFreePorts } from '../../stack/ports.ts';
import { buildTrino } from '../../stack/services/trino.ts';

export interface SecondTrino {
  readonly url: string;
  close(): Promise<void>;
}

/** Resolves when it serves: 10 to 20 seconds. `overrides`: settings instead of the stack's own. */
export async function startSecondTrino(
  overrides: Readonly<Record<string, string>>,
): Promise<SecondTrino> {
  const home = describeHome(process.env.ICEWRIGHT_HOME ?? '');
  const context = loadContext(home, readStackConfig(home));
  const folder = join(home.data, 'second-trino');
  const free = await findFreePorts();
  const service = buildTrino({
    ...context,
    home: { ...home, data: folder },
    ports: { ...context.ports, trino: free.trino },
    settings: { ...context.settings, ...overrides },
  });
  const { file, args, env, cwd } = await service.prepare();
  // A group of its own: the launcher starts Java as a process of its own.
  const child = spawn(file, [...args], { env, cwd, stdio: 'ignore', detached: true });
  const ended = once(child, 'exit');
  const close = async () => {
    if (child.exitCode === null && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  while (!(await service.probe())) {
    if (child.exitCode !== null) throw new Error('the second Trino ended while it started');
    await sleep(250);
  }
  return { url: service.endpoint, close };
}
