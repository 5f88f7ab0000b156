/**
 * Readers in Python that ours is held against. Only tests and benchmarks use them: a Python of the
 * machine makes an environment of its own for each beside the stack's parts, once.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { PROJECT_DIR, readConfig } from '../../src/config.ts';
import pins from '../../stack/pins.json' with { type: 'json' };

const run = promisify(execFile);

/** Asks the peer's tool; one process for each request. */
export type Python = (request: object) => Promise<unknown>;

interface Peer {
  /** Also the name of its environment: with the versions in it. */
  readonly name: string;
  readonly packages: readonly string[];
  readonly tool: string;
}

const { pyiceberg, duckdb } = pins;
const PYICEBERG = {
  name: `pyiceberg-${pyiceberg.version}-${pyiceberg.pyarrow}`,
  packages: [`pyiceberg[pyarrow]==${pyiceberg.version}`, `pyarrow==${pyiceberg.pyarrow}`],
};

/** Rejects when there is no Python 3.10 or later. */
export function openPyIceberg(): Promise<Python> {
  return open({ ...PYICEBERG, tool: 'pyiceberg_tool.py' });
}

/** Writes files in every layout that PyArrow knows. */
export function openZoo(): Promise<Python> {
  return open({ ...PYICEBERG, tool: 'zoo_tool.py' });
}

/** Decodes every version of every object in a bucket. */
export function openScan(): Promise<Python> {
  return open({ ...PYICEBERG, tool: 'scan_tool.py' });
}

export function openDuckDb(): Promise<Python> {
  const { version } = duckdb;
  const extensions = ['avro', 'httpfs', 'iceberg'].map((one) => `duckdb-extension-${one}`);
  return open({
    name: `duckdb-${version}`,
    packages: ['duckdb', 'duckdb-extensions', ...extensions].map((one) => `${one}==${version}`),
    tool: 'duckdb_tool.py',
  });
}

async function open({ name, packages, tool }: Peer): Promise<Python> {
  const home = join(PROJECT_DIR, '.icewright', 'peers', name);
  if (!existsSync(home)) await install(home, packages);
  return (request) => ask(home, tool, request);
}

/** An environment knows its own place: it is made there, and named when it is whole. */
async function install(home: string, packages: readonly string[]): Promise<void> {
  const making = `${home}.making-${process.pid}`;
  try {
    await run('python3', ['-m', 'venv', making]);
    await run(join(making, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', ...packages]);
    await rename(making, home);
  } finally {
    await rm(making, { recursive: true, force: true });
  }
}

function ask(home: string, tool: string, request: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(home, 'bin', 'python'), [join(import.meta.dirname, tool)], {
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
      else reject(new Error(`${tool} failed: ${errors.slice(-2_000)}`));
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
