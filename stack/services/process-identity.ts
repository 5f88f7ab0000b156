/**
 * Processes by identity, not by number alone: the system gives a pid away again, so a recorded pid
 * is signalled only while the process behind it is still the one that was recorded.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ProcessIdentity {
  readonly pid: number;
  /** Differs between any two processes that ever had the same pid. */
  readonly startToken: string;
}

const POLL_MS = 50;
/** Field 22 of `/proc/<pid>/stat`; counted after the parenthesised name, which may hold spaces. */
const START_TIME_AFTER_NAME = 19;

/** The identity of a running process, or undefined when there is none (a zombie is none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const startToken = process.platform === 'linux' ? linuxToken(pid) : portableToken(pid);
  return startToken === undefined ? undefined : { pid, startToken };
}

/** Whether the recorded process itself still runs. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startToken === identity.startToken;
}

/** Signals the recorded process and no other; false when it runs no more. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isRunning(identity)) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}

/** Resolves to true once the process has ended, to false after `timeoutMs`. */
export async function awaitEnd(identity: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  for (let waitedMs = 0; isRunning(identity); waitedMs += POLL_MS) {
    if (waitedMs >= timeoutMs) return false;
    await sleep(POLL_MS);
  }
  return true;
}

/** Asks with `signal`, waits, then insists with SIGKILL. Resolves when the process has ended. */
export async function endProcess(
  identity: ProcessIdentity,
  signal: NodeJS.Signals,
  timeoutMs: number,
): Promise<void> {
  if (!signalProcess(identity, signal)) return;
  if (await awaitEnd(identity, timeoutMs)) return;
  signalProcess(identity, 'SIGKILL');
  await awaitEnd(identity, 10_000);
}

function linuxToken(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    // Ticks since boot repeat after a reboot: the boot's own id keeps them apart.
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${boot}:${fields[START_TIME_AFTER_NAME]}`;
  } catch {
    return undefined;
  }
}

function portableToken(pid: number): string | undefined {
  try {
    const text = execFileSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    return text === '' || text.startsWith('Z') ? undefined : text.replace(/^\S+\s+/, '');
  } catch {
    return undefined;
  }
}
