/** What is wrong is said: what, where, what to do next, with the documented exit code. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { icewright, until } from './command-line.ts';
import { type Lake, makeScattered, openLake } from './lake.ts';

const TABLE = 'lake.bad_input.t';
const { parts, settings } = inject('stack');
let lake: Lake;
let folder: string;

beforeAll(async () => {
  lake = openLake('bad-input');
  await makeScattered(lake, TABLE, { files: 3, rows: 100 });
  folder = await mkdtemp(join(tmpdir(), 'icewright-bad-'));
});
afterAll(async () => {
  await lake?.close();
  await rm(folder, { recursive: true, force: true });
});

async function write(path: string, ...lines: readonly string[]): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), lines.join('\n'));
}

/** A port on which nothing listens. */
const CLOSED = '127.0.0.1:1';

describe('usage', () => {
  it('tells the version', async () => {
    expect((await icewright(['--version'])).json).toEqual({ version: expect.any(String) });
  });

  it.each([
    [['compact'], /something is missing/],
    [['compact', 'a.b', '--strategy', 'magic'], /binpack, sort or zorder/],
    [['compact', 'a.b', '--target-file-size', 'big'], /512MB/],
    [['expire', 'a.b', '--keep-last', '0'], /at least 1/],
    [['runs', 'list', '--limit', '-1'], /limit/],
    [['runs', 'show', 'nope'], /not known/],
    [['nonsense'], /no command/],
    [['runs', 'nonsense'], /runs list, runs show, runs cancel/],
    [['health', 'one'], /namespace.table/],
    [['transform', 'run', 'silver.nope'], /no model/],
    [['apply', 'nope'], /not known/],
  ])('%j → exit 2', async (words, message) => {
    const told = await icewright(words);
    expect([told.exitCode, told.json.error.message]).toEqual([2, expect.stringMatching(message)]);
    expect(told.stderr).toMatch(message);
  });
});

describe('a table', () => {
  it.each([[[]], [['--wait']], [['--dry-run']]])(
    'that is not there (%j) → exit 2',
    async (more) => {
      const told = await icewright(['compact', 'bad_input.nope', ...more]);
      expect(told.exitCode).toBe(2);
      expect((told.json.error ?? told.json).code ?? told.json.error.code).toBe('TableNotFound');
    },
  );

  it('without the columns asked for names those that it has', async () => {
    const words = ['compact', TABLE, '--strategy', 'zorder', '--columns', 'nope', '--wait'];
    const told = await icewright(words);
    expect(told.exitCode).toBe(2);
    expect(told.stderr).toMatch(/nope.*customer_id, ts, amount, note/s);
  });

  it('that the engine cannot treat so is refused, with the reason', async () => {
    const words = ['compact', TABLE, '--strategy', 'sort', '--columns', 'ts', '--engine', 'trino'];
    const told = await icewright([...words, '--wait']);
    expect(told.exitCode).toBe(3);
    expect(told.stderr).toMatch(/Trino.*no sort/);
  });
});

describe('files', () => {
  it('a bad policy is told with file, line and column', async () => {
    await write('policies/p.yaml', 'kind: maintenance', 'name: p', 'tables: "*"', 'compct: {}');
    const told = await icewright(['policies', 'check', join(folder, 'policies')]);
    expect(told.exitCode).toBe(2);
    expect(told.stderr).toMatch(/p\.yaml:4:1: .*compact/);
    expect(told.json.error.details.faults).toHaveLength(1);
  });

  const HEADER = ['engine: spark', 'materialization: replace', 'description: d', 'owner: o'];
  const model = (target: string, input: string) => [
    '/*',
    `target: ${target}`,
    ...HEADER,
    `inputs: [${input}]`,
    'columns:',
    '  a: bigint',
    '*/',
    `SELECT a FROM {{input('${input}')}}`,
  ];

  it.each([
    [
      'a bad header',
      ['/*', 'target: silver.one', 'engin: spark', '*/', 'SELECT 1'],
      /one\.sql:3:1/,
    ],
    ['a cycle', model('silver.one', 'silver.two'), /silver\.one → silver\.two → silver\.one/],
  ])('%s stops a night before it starts', async (_, lines, message) => {
    await write('models/silver/one.sql', ...lines);
    await write('models/silver/two.sql', ...model('silver.two', 'silver.one'));
    for (const words of [['transform', 'plan'], ['nightly']]) {
      const told = await icewright(words, { ICEWRIGHT_MODELS: join(folder, 'models') });
      expect(told.exitCode).toBe(2);
      expect(told.stderr).toMatch(message);
    }
  });
});

describe('services', () => {
  it.each([
    ['catalog', { ICEWRIGHT_CATALOG_URL: `http://${CLOSED}` }, ['health'], 'CatalogUnavailable'],
    ['catalog token', { ICEWRIGHT_CATALOG_TOKEN: 'wrong' }, ['health'], 'CredentialsRejected'],
    ['Temporal', { ICEWRIGHT_TEMPORAL_ADDRESS: CLOSED }, ['nightly'], 'TemporalUnavailable'],
    [
      'ledger',
      { ICEWRIGHT_LEDGER_URL: `postgres://u:secret@${CLOSED}/l` },
      ['runs', 'list'],
      'LedgerUnavailable',
    ],
    ['configuration', { ICEWRIGHT_TRINO_URL: 'nonsense' }, ['health'], 'ConfigInvalid'],
  ])('a wrong %s is named', async (_, environment, words, code) => {
    const told = await icewright(words, environment);
    expect([told.json.error.code, told.exitCode]).toEqual([code, code === 'ConfigInvalid' ? 2 : 1]);
    expect(told.stderr).not.toMatch(/secret/);
  });

  it.each([
    ['Spark that is down', { ICEWRIGHT_SPARK_URL: `sc://${CLOSED}` }, 'EngineUnavailable', 'spark'],
    [
      'Spark with a wrong token',
      {
        ICEWRIGHT_SPARK_URL: (settings.ICEWRIGHT_SPARK_URL ?? '').replace(
          /token=.*/,
          'token=wrong',
        ),
      },
      'CredentialsRejected',
      'spark',
    ],
    [
      'Trino that is down',
      { ICEWRIGHT_TRINO_URL: `http://${CLOSED}` },
      'EngineUnavailable',
      'trino',
    ],
  ])('%s: the run fails with the reason, and nothing is written', async (...given) => {
    const [name, environment, code, engine] = given;
    const before = await lake.measure(TABLE);
    await withOwnWorker(name, environment, async (own) => {
      const words = ['compact', TABLE, '--engine', engine, '--wait'];
      const told = await icewright(words, own);
      expect([told.exitCode, told.json.error?.code]).toEqual([1, code]);
      const shown = await icewright(['runs', 'show', told.json.runId], own);
      expect(shown.json).toMatchObject({ state: 'failed', error: { code } });
    });
    expect((await lake.measure(TABLE)).snapshotId).toBe(before.snapshotId);
  });
});

/** A worker of its own, in a Temporal namespace of its own, with faulty settings. */
async function withOwnWorker(
  name: string,
  environment: Readonly<Record<string, string>>,
  body: (own: Record<string, string>) => Promise<void>,
): Promise<void> {
  const namespace = `bad-${name.replace(/\W+/g, '-')}-${process.pid}`;
  const address = settings.ICEWRIGHT_TEMPORAL_ADDRESS ?? '';
  const connection = await Connection.connect({ address });
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: { seconds: 86_400 as never },
  });
  const own = {
    ...environment,
    ICEWRIGHT_TEMPORAL_NAMESPACE: namespace,
    ICEWRIGHT_HTTP_ADDRESS: '127.0.0.1:0',
  };
  const main = fileURLToPath(new URL('../../src/worker/main.ts', import.meta.url));
  const worker = spawn(parts.node, [main], {
    env: { ...process.env, ...own },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  try {
    await started(worker);
    await body(own);
  } finally {
    worker.kill('SIGTERM');
    await new Promise((resume) => worker.once('exit', resume));
    await connection.close();
  }
}

/** A new namespace is known to all of the server's parts only after a while: until then it retries. */
async function started(worker: ChildProcess): Promise<void> {
  let text = '';
  worker.stderr?.on('data', (chunk: Buffer) => {
    text += chunk;
  });
  await until(async () => {
    if (worker.exitCode !== null) throw new Error(`the worker ended:\n${text}`);
    return text.includes('schedules reconciled');
  });
}
