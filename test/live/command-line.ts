/** The command line as a person or a script calls it, against the live stack. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { QueueView } from '../../src/domain/job.ts';
import type { Receipt } from '../../src/domain/receipt.ts';

const LAUNCHER = fileURLToPath(new URL('../../bin/icewright.mjs', import.meta.url));

export interface Told {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The document that `--json` printed: as untyped as any script gets it. */
  readonly json: ReturnType<typeof JSON.parse>;
}

/**
 * Runs `npx icewright … --json`. Never rejects: a failing command answers with its exit code.
 * @param input what it reads on stdin
 */
export function icewright(
  words: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  input?: string,
): Promise<Told> {
  const env = { ...process.env, ...environment };
  const options = { env, maxBuffer: 64 * 2 ** 20 };
  return new Promise((resolve) => {
    const child = execFile(
      'node',
      [LAUNCHER, ...words, '--json'],
      options,
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        resolve({ exitCode, stdout, stderr, json: stdout === '' ? null : JSON.parse(stdout) });
      },
    );
    if (input !== undefined) child.stdin?.end(input);
  });
}

/** As {@link icewright}, for commands that must succeed. */
export async function succeed(words: readonly string[]): Promise<Told['json']> {
  const told = await icewright(words);
  if (told.exitCode === 0) return told.json;
  throw new Error(`icewright ${words.join(' ')} → ${told.exitCode}\n${told.stdout}${told.stderr}`);
}

export interface ShownRun {
  readonly finishedAt: string | null;
  readonly runId: string;
  readonly state: string;
  readonly receipts: readonly Receipt[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

export async function showRun(runId: string): Promise<ShownRun> {
  return (await succeed(['runs', 'show', runId])) as ShownRun;
}

export async function queueOf(table: string): Promise<Pick<QueueView, 'holder' | 'waiting'>> {
  return (await succeed(['runs', 'list', '--table', table])) as QueueView;
}

/** The supervised worker's pid; it changes when the worker was restarted. */
export function workerPid(): number {
  const path = join(process.env.ICEWRIGHT_HOME ?? '', 'run', 'state.json');
  const state = JSON.parse(readFileSync(path, 'utf8')) as {
    services: { name: string; pid: number | null }[];
  };
  const pid = state.services.find((one) => one.name === 'worker')?.pid;
  if (pid == null) throw new Error('the stack supervises no worker');
  return pid;
}

/** Asks until `check` answers something; the test's own timeout bounds it. */
export async function until<T>(check: () => Promise<T | null | false>): Promise<T> {
  for (;;) {
    const found = await check();
    if (found !== null && found !== false) return found;
    await new Promise((resume) => setTimeout(resume, 200));
  }
}
