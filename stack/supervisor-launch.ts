/** Starting the supervisor as a process of its own, and keeping two controls from interfering. */
import { spawn } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { IcewrightError } from '../src/domain/errors.ts';
import { PROJECT_DIR, readJson, type StackHome } from './home.ts';
import { describeTail, openLog } from './services/log-file.ts';
import { identifyProcess, isRunning, type ProcessIdentity } from './services/process-identity.ts';
import { readState } from './services/state.ts';

const POLL_MS = 50;
const LAUNCH_TIMEOUT_MS = 30_000;
/** Longer than any up or down takes. */
const LOCK_TIMEOUT_MS = 600_000;

/** Starts it detached. Resolves once it has written its state; rejects with `StackFailed`. */
export async function launchSupervisor(home: StackHome, node: string): Promise<void> {
  const log = join(home.logs, 'supervisor.log');
  const output = openLog(log);
  const child = spawn(node, [join(PROJECT_DIR, 'stack', 'supervisor-main.ts'), home.root], {
    cwd: PROJECT_DIR,
    detached: true,
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  let ended: string | undefined;
  child.once('error', (error) => {
    ended = error.message;
  });
  child.once('exit', (code, signal) => {
    ended = `ended with ${signal ?? code}`;
  });
  child.unref();
  for (let waitedMs = 0; readState(home)?.supervisor.pid !== child.pid; waitedMs += POLL_MS) {
    if (ended !== undefined || waitedMs > LAUNCH_TIMEOUT_MS) {
      const problem = ended ?? `said nothing for ${LAUNCH_TIMEOUT_MS / 1000} s`;
      throw new IcewrightError(
        'StackFailed',
        `the stack's supervisor ${problem}. ${describeTail(log)}`,
      );
    }
    await sleep(POLL_MS);
  }
}

/** Runs `act` while no other process controls this home; waits for its turn. */
export async function withControlLock<T>(home: StackHome, act: () => Promise<T>): Promise<T> {
  await takeLock(home.lock);
  try {
    return await act();
  } finally {
    try {
      unlinkSync(home.lock);
    } catch {
      // A reset has removed it with its folder.
    }
  }
}

async function takeLock(path: string): Promise<void> {
  for (let waitedMs = 0; !tryLock(path); waitedMs += POLL_MS) {
    const holder = readHolder(path);
    // A holder that was killed left its lock; one that is about to write its name is waited for.
    if (holder !== undefined && !isRunning(holder)) unlinkSync(path);
    else if (waitedMs > LOCK_TIMEOUT_MS) {
      const who = holder === undefined ? 'another process' : `pid ${holder.pid}`;
      throw new IcewrightError('StackFailed', `${who} controls this stack (${path}); end it first`);
    } else await sleep(POLL_MS);
  }
}

function tryLock(path: string): boolean {
  try {
    const file = openSync(path, 'wx', 0o600);
    writeSync(file, JSON.stringify(identifyProcess(process.pid) ?? {}));
    closeSync(file);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return readJson<ProcessIdentity>(path);
  } catch {
    return undefined;
  }
}
