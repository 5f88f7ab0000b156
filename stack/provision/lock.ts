/**
 * One set-up at a time makes a part. The lock only saves work: every set-up builds in a folder of
 * its own and puts it in place by one rename, so that even two at once would do no harm.
 */
import {
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  endProcess,
  identifyProcess,
  isRunning,
  type ProcessIdentity,
} from '../services/process-identity.ts';

const POLL_MS = 100;
/** A lock without a name in it is about to get one; after this its writer has died. */
const NAMELESS_MS = 5_000;
/** Go and Maven end within this when they are asked to. */
const ORPHAN_TIMEOUT_MS = 5_000;

export interface PartLock {
  /** Records the command in progress, so that a successor can end it; undefined: none. */
  recordChild(pid: number | undefined): void;
  release(): void;
}

export interface LockOptions {
  readonly signal: AbortSignal;
  /** Told once of each holder that is waited for. */
  readonly onWait: (pid: number) => void;
}

/** Waits for its turn. A lock of a dead process is taken over, and its command ended first. */
export async function takeLock(path: string, options: LockOptions): Promise<PartLock> {
  mkdirSync(dirname(path), { recursive: true });
  let namelessMs = 0;
  while (!tryLock(path)) {
    options.signal.throwIfAborted();
    const holder = readIdentity(path);
    namelessMs = holder === undefined ? namelessMs + POLL_MS : 0;
    if (holder !== undefined && isRunning(holder)) options.onWait(holder.pid);
    else if (holder !== undefined || namelessMs > NAMELESS_MS) removeDeadLock(path, holder);
    await sleep(POLL_MS);
  }
  await endOrphan(path);
  return {
    recordChild: (pid) => recordChild(path, pid),
    release: () => rmSync(path, { force: true }),
  };
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

/** Another set-up may have taken it over since it was read: what was removed is looked at again. */
function removeDeadLock(path: string, dead: ProcessIdentity | undefined): void {
  const aside = `${path}.${process.pid}.dead`;
  try {
    renameSync(path, aside);
    const removed = readIdentity(aside);
    if (removed?.startToken !== dead?.startToken) linkSync(aside, path);
  } catch {
    // Gone already, or taken again: the next look tells.
  }
  rmSync(aside, { force: true });
}

function recordChild(path: string, pid: number | undefined): void {
  const child = pid === undefined ? undefined : identifyProcess(pid);
  if (child === undefined) {
    rmSync(childPath(path), { force: true });
    return;
  }
  const file = openSync(childPath(path), 'w', 0o600);
  writeSync(file, JSON.stringify(child));
  closeSync(file);
}

/** A set-up that was killed leaves its Go or Maven running: it would write what we are to write. */
async function endOrphan(path: string): Promise<void> {
  const orphan = readIdentity(childPath(path));
  if (orphan !== undefined) await endProcess(orphan, 'SIGINT', ORPHAN_TIMEOUT_MS);
  rmSync(childPath(path), { force: true });
}

function childPath(path: string): string {
  return `${path}.child`;
}

function readIdentity(path: string): ProcessIdentity | undefined {
  try {
    const identity = JSON.parse(readFileSync(path, 'utf8')) as Partial<ProcessIdentity>;
    const { pid, startToken } = identity;
    return pid === undefined || startToken === undefined ? undefined : { pid, startToken };
  } catch {
    return undefined;
  }
}
