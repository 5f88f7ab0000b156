/** Makes the parts that the cache does not hold, all at once. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';
import { runCommand } from './command.ts';
import { type PartLock, takeLock } from './lock.ts';
import type { Part } from './part.ts';
import { createProgress, type Progress, type ProgressListener } from './progress.ts';

export interface EnsureOptions {
  readonly cache: string;
  readonly onProgress: ProgressListener;
  /**
   * How often a line is told while parts are in progress; by default once a second on a terminal.
   */
  readonly intervalMs?: number;
}

/**
 * Makes the parts that are missing. Where all are there it starts no process. The first that fails
 * ends the others, and is rejected with (`StackFailed` or `PrerequisiteMissing`).
 */
export async function ensureAll(
  parts: readonly Part[],
  { cache, onProgress, intervalMs }: EnsureOptions,
): Promise<void> {
  const missing = parts.filter((part) => !part.isUsable());
  if (missing.length === 0) return;
  const progress = createProgress(onProgress, intervalMs);
  const abort = new AbortController();
  const stop = () => abort.abort(stopped());
  for (const signal of STOP_SIGNALS) process.once(signal, stop);
  try {
    const made = missing.map((part) => ensurePart(part, cache, progress, abort.signal));
    for (const one of made) one.catch((error) => abort.abort(error));
    await Promise.allSettled(made);
    abort.signal.throwIfAborted();
  } finally {
    progress.close();
    for (const signal of STOP_SIGNALS) process.removeListener(signal, stop);
  }
}

/** Commands are ended and drafts removed before the process ends. */
const STOP_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function stopped(): IcewrightError {
  return new IcewrightError(
    'Cancelled',
    'set-up was stopped. Run the same command again: it goes on where this one was stopped',
  );
}

async function ensurePart(
  part: Part,
  cache: string,
  progress: Progress,
  signal: AbortSignal,
): Promise<void> {
  const waitedFor = new Set<number>();
  const lock = await takeLock(join(cache, 'locks', `${basename(part.folder)}.lock`), {
    signal,
    onWait: (pid) => {
      if (!waitedFor.has(pid)) progress.begin(part, `waiting for pid ${pid}, which makes`);
      waitedFor.add(pid);
    },
  });
  try {
    if (!part.isUsable()) {
      progress.begin(part);
      await makePart(part, cache, lock, signal);
    }
    progress.end(part);
  } catch (error) {
    throw error instanceof IcewrightError ? error : partFailed(part, cache, error);
  } finally {
    lock.release();
  }
}

function partFailed({ title }: Part, cache: string, error: unknown): IcewrightError {
  const told = error instanceof Error ? error.message : String(error);
  return new IcewrightError(
    'StackFailed',
    `cannot provide ${title} in ${cache}: ${told}. Mend that, then run the same command again`,
    { part: title },
    error,
  );
}

const DRAFT_MARK = '.draft-';

/** In a draft beside its place, which it takes by a rename: a part is there whole or not at all. */
async function makePart(
  part: Part,
  cache: string,
  lock: PartLock,
  signal: AbortSignal,
): Promise<void> {
  await removeDrafts(part);
  const draft = `${part.folder}${DRAFT_MARK}${process.pid}`;
  const log = join(cache, 'logs', `${basename(part.folder)}.log`);
  await mkdir(join(cache, 'logs'), { recursive: true });
  await mkdir(draft);
  const context = { part: part.title, log, signal, onChild: lock.recordChild };
  try {
    await part.build(draft, { run: (command) => runCommand(command, context) });
    // What is there, if anything, cannot be used.
    await rm(part.folder, { recursive: true, force: true });
    await rename(draft, part.folder);
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** Drafts of set-ups that were killed; the lock is ours, so nobody works in them. */
async function removeDrafts({ folder }: Part): Promise<void> {
  const prefix = `${basename(folder)}${DRAFT_MARK}`;
  const names = (await readdir(dirname(folder))).filter((name) => name.startsWith(prefix));
  for (const name of names) {
    await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}
