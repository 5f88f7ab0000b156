import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT_DIR, WORKER_NODE_FLAGS } from '../../config.ts';
import type { Command } from '../command.ts';

export const worker: Command = {
  name: 'worker',
  summary: 'Runs a worker in the foreground until SIGTERM; it drains before it ends.',
  usage: '',
  options: {},
  help: {},
  examples: ['icewright worker', 'ICEWRIGHT_TEMPORAL_ADDRESS=temporal:7233 icewright worker'],
  positionals: { min: 0, max: 0 },
  run: () =>
    new Promise((resolve) => {
      // A process of its own: the command line never loads the worker's native code.
      const entry = join(PROJECT_DIR, 'src', 'worker', 'main.ts');
      const child = spawn(process.execPath, [...WORKER_NODE_FLAGS, entry], { stdio: 'inherit' });
      for (const signal of ['SIGTERM', 'SIGINT'] as const) {
        process.on(signal, () => child.kill(signal));
      }
      child.on('exit', (code) => resolve({ json: {}, exitCode: code === 0 ? 0 : 1 }));
    }),
};
