/**
 * PyIceberg, the reader that ours is held against. Only tests and benchmarks use it: a Python of
 * the machine makes an environment of its own for it beside the stack's parts, once.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_DIR, readConfig } from '../../src/config.ts';
import pins from '../../stack/pins.json' with { type: 'json' };

const run = promisify(execFile);
const HOME = join(
  PROJECT_DIR,
  '.icewright',
  'peers',
  `pyiceberg-${pins.pyiceberg.version}-${pins.pyiceberg.pyarrow}`,
);
const TOOL = join(import.meta.dirname, 'pyiceberg_tool.py');

export type Python = (request: object) => Promise<unknown>;

/** Installs what is missing. Rejects when there is no Python 3.10 or later. */
export async function openPyIceberg(): Promise<Python> {
  await ensureInstalled();
  return ask;
}

async function ensureInstalled(): Promise<void> {
  if (existsSync(HOME)) return;
  // An environment knows its own place: it is made there, and marked by a name when it is whole.
  const making = `${HOME}.making-${process.pid}`;
  const { pyiceberg } = pins;
  try {
    await run('python3', ['-m', 'venv', making]);
    const wanted = [`pyiceberg[pyarrow]==${pyiceberg.version}`, `pyarrow==${pyiceberg.pyarrow}`];
    await run(join(making, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...wanted]);
    await rename(making, HOME);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

/** One process for each request. */
function ask(request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(HOME, 'bin', 'python'), [TOOL], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...addresses() },
    });
    let [answer, errors] = ['', ''];
    child.stdout.on('data', (chunk) => {
      answer += chunk;
    });
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(JSON.parse(answer));
      else reject(new Error(`PyIceberg failed: ${errors.slice(-2_000)}`));
    });
    child.stdin.end(JSON.stringify(request));
  });
}

/** Of the stack that this process is configured for. */
function addresses(): Readonly<Record<string, string>> {
  const { catalog, storage } = readConfig();
  return {
    ICEWRIGHT_CATALOG_URL: catalog.url,
    ICEWRIGHT_CATALOG_TOKEN: catalog.token ?? '',
    ICEWRIGHT_CATALOG_WAREHOUSE: catalog.warehouse ?? '',
    ICEWRIGHT_S3_ENDPOINT: storage.endpoint ?? '',
    ICEWRIGHT_S3_REGION: storage.region,
    ICEWRIGHT_S3_ACCESS_KEY_ID: storage.accessKeyId ?? '',
    ICEWRIGHT_S3_SECRET_ACCESS_KEY: storage.secretAccessKey ?? '',
  };
}
