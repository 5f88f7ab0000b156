/** Where the stack keeps everything it writes: one folder, `ICEWRIGHT_HOME`. */
import { chmodSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The checkout. */
export const PROJECT_DIR = resolve(import.meta.dirname, '..');

export interface StackHome {
  readonly root: string;
  readonly logs: string;
  readonly data: string;
  readonly run: string;
  /** Mode 600. */
  readonly credentials: string;
  /** Mode 700: the keys of erasure. */
  readonly keys: string;
  /** Mode 600: environment variables for the command line and the worker. */
  readonly settings: string;
  /** What the supervisor is to run. */
  readonly config: string;
  /** What it runs: written by the supervisor alone. */
  readonly state: string;
  readonly lock: string;
}

/** `ICEWRIGHT_HOME`, by default `.icewright` in the checkout. */
export function resolveHome(environment: NodeJS.ProcessEnv = process.env): string {
  const given = environment.ICEWRIGHT_HOME;
  return resolve(given === undefined || given === '' ? join(PROJECT_DIR, '.icewright') : given);
}

export function describeHome(home: string): StackHome {
  const root = resolve(home);
  const run = join(root, 'run');
  return {
    root,
    logs: join(root, 'logs'),
    data: join(root, 'data'),
    run,
    credentials: join(root, 'credentials.json'),
    keys: join(root, 'keys'),
    settings: join(root, 'settings.json'),
    config: join(run, 'stack.json'),
    state: join(run, 'state.json'),
    lock: join(run, 'control.lock'),
  };
}

/** Makes the folders. `run` holds rendered settings with secrets: for the owner only. */
export function createHome(home: StackHome): void {
  for (const folder of [home.logs, home.data, home.run]) mkdirSync(folder, { recursive: true });
  chmodSync(home.run, 0o700);
}

/** The parsed file, or undefined when there is none. A reader never sees half a file. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Writes through a temporary file and a rename, for the owner only. */
export function writePrivate(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

export function writeJson(path: string, value: unknown): void {
  writePrivate(path, `${JSON.stringify(value, null, 2)}\n`);
}
