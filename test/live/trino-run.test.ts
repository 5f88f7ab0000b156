import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import type { EngineHandle, EngineRow, RunOptions } from '../../src/domain/engine.ts';
import type { IcewrightError } from '../../src/domain/errors.ts';
import { compileOperation } from '../../src/engines/trino/compile.ts';
import { quoteIdentifier } from '../../src/engines/trino/quote.ts';
import { createTrinoRunner, type TrinoRunner } from '../../src/engines/trino/run.ts';

const config = readConfig();
const lake = config.catalog.name;
const schema = `trino_run_${process.pid}`;
const at = (name: string) => [lake, schema, name].map(quoteIdentifier).join('.');

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });
let runner: TrinoRunner;
let serial = 0;

beforeAll(async () => {
  runner = createTrinoRunner({ ...config.trino, catalog: lake });
  await run(`CREATE SCHEMA ${quoteIdentifier(lake)}.${quoteIdentifier(schema)}`);
});

afterAll(async () => {
  await run(`DROP SCHEMA ${quoteIdentifier(lake)}.${quoteIdentifier(schema)} CASCADE`);
  await runner.close();
});

function run(sql: string, options: Partial<RunOptions> = {}) {
  serial += 1;
  const key = `live ${process.pid} ${serial}`;
  return runner.run({ engine: 'trino', sql }, { key, session: 'live', ...options });
}

async function rowsOf(sql: string): Promise<readonly EngineRow[]> {
  return (await run(sql)).rows;
}

function failure(promise: Promise<unknown>): Promise<IcewrightError> {
  return promise.then(
    () => Promise.reject(new Error('expected a rejection')),
    (cause: IcewrightError) => cause,
  );
}

describe('a statement on Trino', () => {
  it('tells its version', async () => {
    expect(await runner.version()).toMatch(/^\d+/);
  });

  it('returns every type as the port says', async () => {
    const rows = await rowsOf(`SELECT
      BIGINT '9223372036854775807' big, INTEGER '7' small, true yes, CAST(null AS bigint) nothing,
      DECIMAL '12345678901234567890.12' dec, DOUBLE '1.5' dbl, nan() not_a_number,
      -infinity() low, REAL '0.5' rl, 'text' txt, X'00ff' bin, DATE '2024-02-29' day,
      TIMESTAMP '2024-02-29 01:02:03.123456' ts,
      TIMESTAMP '2024-02-29 01:02:03.123456 UTC' tstz,
      ARRAY[BIGINT '9007199254740993', null] arr, MAP(ARRAY['k'], ARRAY[BIGINT '1']) mp,
      CAST(ROW(1, BIGINT '9007199254740993') AS ROW(a integer, b bigint)) rw,
      UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59' uid, JSON '{"a": 1}' js`);
    expect(rows).toEqual([
      {
        big: 9223372036854775807n,
        small: 7,
        yes: true,
        nothing: null,
        dec: '12345678901234567890.12',
        dbl: 1.5,
        not_a_number: Number.NaN,
        low: Number.NEGATIVE_INFINITY,
        rl: 0.5,
        txt: 'text',
        bin: 'AP8=',
        day: '2024-02-29',
        ts: '2024-02-29 01:02:03.123456',
        tstz: '2024-02-29 01:02:03.123456 UTC',
        arr: [9007199254740993n, null],
        mp: { k: 1n },
        rw: { a: 1, b: 9007199254740993n },
        uid: '12151fd2-7586-11e9-8f9e-2a86e4085a59',
        js: '{"a":1}',
      },
    ]);
  });

  it('joins all pages of a long result', async () => {
    const rows = await rowsOf('SELECT orderkey FROM tpch.tiny.orders');
    expect(new Set(rows.map((row) => row.orderkey)).size).toBe(15_000);
  });

  it('counts the rows of a change and sets session properties', async () => {
    const created = await run(`CREATE TABLE ${at('n')} AS SELECT * FROM tpch.tiny.nation`);
    expect(created.rows).toEqual([{ rows: 25n }]);
    const deleted = await run(`DELETE FROM ${at('n')} WHERE nationkey < 5`);
    expect(deleted.rows).toEqual([{ rows: 5n }]);
    const sql = "SHOW SESSION LIKE 'query_max_run_time'";
    const settings = { query_max_run_time: '17m' };
    const shown = await runner.run({ engine: 'trino', sql, settings }, { key: 's', session: 's' });
    expect(shown.rows[0]?.Value).toBe('17m');
  });

  it.each([
    ['SELECT * FROM nowhere.nothing.x', 'EngineRejected', 'CATALOG_NOT_FOUND'],
    [`SELECT * FROM ${at('missing')}`, 'TableNotFound', 'TABLE_NOT_FOUND'],
    ['SELEC 1', 'EngineRejected', 'SYNTAX_ERROR'],
    [
      'SELECT 1 / (nationkey - nationkey) FROM tpch.tiny.nation',
      'EngineRejected',
      'DIVISION_BY_ZERO',
    ],
  ])('rejects %s as %s', async (sql, code, errorName) => {
    expect(await failure(run(sql))).toMatchObject({ code, details: { errorName } });
  });

  it('is found again by its key', async () => {
    const key = `find me ${process.pid}`;
    const { engineOperationId } = await run('SELECT 1', { key });
    const found = await runner.findBySource(key);
    expect(found).toMatchObject([{ queryId: engineOperationId, state: 'FINISHED', error: null }]);
  });
});

describe('compiled operations', () => {
  it('compacts and rewrites manifests', async () => {
    await run(`CREATE TABLE ${at('c')} (id bigint, day date) WITH (partitioning = ARRAY['day'])`);
    for (let index = 0; index < 6; index += 1) {
      await run(
        `INSERT INTO ${at('c')} VALUES (${index}, DATE '2024-01-01'), (9, DATE '2024-01-02')`,
      );
    }
    const table = { catalog: lake, namespace: schema, name: 'c' };
    const compact = compileOperation(table, {
      kind: 'compact',
      strategy: 'binpack',
      columns: [],
      where: "day = DATE '2024-01-01'",
      targetFileSizeBytes: 2 ** 27,
      minInputFiles: 5,
      rewriteAll: false,
    });
    const manifests = compileOperation(table, { kind: 'rewrite_manifests' });
    for (const compiled of [compact, manifests]) {
      if ('refused' in compiled) throw new Error(compiled.refused);
      for (const statement of compiled)
        await runner.run(statement, { key: statement.sql, session: 's' });
    }
    const files = await rowsOf(
      `SELECT partition.day day, count(*) files FROM ${lake}.${schema}."c$files" GROUP BY 1 ORDER BY 1`,
    );
    expect(files).toEqual([
      { day: '2024-01-01', files: 1n },
      { day: '2024-01-02', files: 6n },
    ]);
    const [newest] = await rowsOf(
      `SELECT summary FROM ${lake}.${schema}."c$snapshots" ORDER BY committed_at DESC LIMIT 1`,
    );
    // Trino keeps one manifest for each partition here, so the number alone would not show it.
    expect(newest?.summary).toMatchObject({ 'manifests-kept': '0' });
  });
});

describe('a statement that is cancelled', () => {
  it('has ended inside Trino when the call rejects', async () => {
    const abort = new AbortController();
    const sql = `CREATE TABLE ${at('never')} AS SELECT * FROM tpch.sf10.lineitem`;
    const error = await failure(
      run(sql, {
        signal: abort.signal,
        onProgress: (progress) => {
          if (progress.state === 'RUNNING') abort.abort();
        },
      }),
    );
    expect(error.code).toBe('Cancelled');
    const seen = await rowsOf(
      `SELECT state, error_code FROM system.runtime.queries WHERE query_id = '${error.details.queryId}'`,
    );
    expect(seen).toEqual([{ state: 'FAILED', error_code: 'USER_CANCELED' }]);
    expect((await failure(run(`SELECT * FROM ${at('never')}`))).code).toBe('TableNotFound');
  });
});

describe('a statement whose process is killed', () => {
  const SQL = 'SELECT * FROM tpch.sf1.orders';

  it.each([
    ['the first handle it gave', 0],
    ['the last handle it gave', -1],
  ])('is taken over by %s, and its rows are there once', async (_title, index) => {
    const name = `killed_${index === 0 ? 'first' : 'last'}`;
    const sql = `CREATE TABLE ${at(name)} AS ${SQL}`;
    const handle = (await startAndKill(sql)).at(index);
    const result = await run(sql, { resume: handle });
    expect(result.reattached).toBe(true);
    expect(handle).toMatchObject({ queryId: result.engineOperationId });
    const expected = await rowsOf(`SELECT count(*) n, sum(custkey) q FROM (${SQL})`);
    expect(await rowsOf(`SELECT count(*) n, sum(custkey) q FROM ${at(name)}`)).toEqual(expected);
    const snapshots = await rowsOf(`SELECT count(*) n FROM ${lake}.${schema}."${name}$snapshots"`);
    expect(snapshots).toEqual([{ n: 1n }]);
  });
});

describe('a handle whose answers were all read', () => {
  it('tells of a change that it was done, and does not do it again', async () => {
    const handles: EngineHandle[] = [];
    const sql = `CREATE TABLE ${at('read_on')} AS SELECT * FROM tpch.tiny.nation`;
    const first = await run(sql, { onStarted: (handle) => handles.push(handle) });
    const again = await run(sql, { resume: handles[0] });
    const { engineOperationId } = first;
    expect(again).toMatchObject({ reattached: true, engineOperationId, rows: [] });
  });

  it('asks a query again', async () => {
    const handles: EngineHandle[] = [];
    const sql = 'SELECT count(*) n FROM tpch.tiny.nation';
    const first = await run(sql, { onStarted: (handle) => handles.push(handle) });
    const again = await run(sql, { resume: handles[0] });
    expect(again).toMatchObject({ reattached: false, rows: [{ n: 25n }] });
    expect(again.engineOperationId).not.toBe(first.engineOperationId);
  });

  it('of a query that Trino never knew is an unknown outcome', async () => {
    const queryId = '20200101_000000_00000_aaaaa';
    const resume = { engine: 'trino', queryId, nextUri: '' } as const;
    const error = await failure(run('SELECT 1', { resume }));
    expect(error).toMatchObject({ code: 'EngineOutcomeUnknown', details: { queryId } });
  });
});

/** Kills the process with SIGKILL while Trino is writing; returns the handles that it printed. */
async function startAndKill(sql: string): Promise<EngineHandle[]> {
  const script = new URL('./trino-child.ts', import.meta.url).pathname;
  const { url, user } = config.trino;
  const key = `killed ${process.pid} ${sql}`;
  const child: ChildProcess = spawn(process.execPath, [script, url, user, key, sql], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const handles: EngineHandle[] = [];
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    const said = JSON.parse(line) as { handle?: EngineHandle; state?: string; done?: true };
    if (said.handle !== undefined) handles.push(said.handle);
    if (said.state === 'RUNNING') child.kill('SIGKILL');
    if (said.done) throw new Error('the statement ended before it could be interrupted');
  }
  await exited;
  return handles;
}
