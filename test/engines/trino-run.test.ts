import { Trino } from 'trino-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineHandle, RunOptions } from '../../src/domain/engine.ts';
import type { IcewrightError } from '../../src/domain/errors.ts';
import {
  createTrinoRunner,
  type TrinoOptions,
  type TrinoRunner,
} from '../../src/engines/trino/run.ts';
import { type Script, type Stub, startStub } from './trino-stub.ts';

const COLUMNS = [
  { name: 'n', type: 'bigint', typeSignature: { rawType: 'bigint', arguments: [] } },
];
const TABLE_NOT_FOUND = {
  message: "line 1:15: Table 'lake.a.b' does not exist",
  errorCode: 46,
  errorName: 'TABLE_NOT_FOUND',
  errorType: 'USER_ERROR',
};

let stub: Stub;
let runner: TrinoRunner;
afterEach(async () => {
  await runner.close();
  await stub.close();
});

async function given(script: Script, options: Partial<TrinoOptions> = {}): Promise<void> {
  stub = await startStub(script);
  runner = createTrinoRunner({ url: stub.url, user: 'ann', catalog: 'lake', ...options });
}

function run(sql = 'SELECT 1', options: Partial<RunOptions> = {}) {
  return runner.run({ engine: 'trino', sql }, { key: 'k1', session: 's', ...options });
}

function failure(promise: Promise<unknown>): Promise<IcewrightError> {
  return promise.then(
    () => Promise.reject(new Error('expected a rejection')),
    (cause: IcewrightError) => cause,
  );
}

describe('the two traps of trino-client 0.2.9', () => {
  const errorFirst: Script = () => ({
    'POST /v1/statement': {
      body: { id: 'q1', error: TABLE_NOT_FOUND, stats: { state: 'FAILED' } },
    },
  });
  const rowsFirst: Script = (url) => ({
    'POST /v1/statement': {
      body: { id: 'q1', columns: COLUMNS, data: [[1]], nextUri: `${url}/next/1` },
    },
    'GET /next/1': { body: { id: 'q1', columns: COLUMNS, data: [[2]] } },
  });

  it('are still there: the driver yields no page and throws nothing for a refused query', async () => {
    await given(errorFirst);
    const pages = [];
    const answers = await Trino.create({ server: stub.url }).query('SELECT 1');
    for await (const page of answers) pages.push(page);
    expect(pages).toEqual([]);
  });

  it('are still there: the driver loses the rows of a first answer that has a nextUri', async () => {
    await given(rowsFirst);
    const rows = [];
    const answers = await Trino.create({ server: stub.url }).query('SELECT 1');
    for await (const page of answers) rows.push(...(page.data ?? []));
    expect(rows).toEqual([[2]]);
  });

  it('are closed: an error in the first answer rejects', async () => {
    await given(errorFirst);
    const error = await failure(run());
    expect(error.code).toBe('TableNotFound');
    expect(error.details).toMatchObject({ errorName: 'TABLE_NOT_FOUND', queryId: 'q1' });
  });

  it('are closed: rows of a first answer are kept', async () => {
    await given(rowsFirst);
    expect((await run()).rows).toEqual([{ n: 1n }, { n: 2n }]);
  });
});

describe('submitting', () => {
  it('sends identity, source and session, and keeps 64-bit integers exact', async () => {
    await given(
      () => ({
        'POST /v1/statement': {
          body: `{"id":"q1","columns":${JSON.stringify(COLUMNS)},"data":[[9223372036854775807]]}`,
        },
      }),
      { password: 'pass word' },
    );
    const statement = {
      engine: 'trino',
      sql: 'SELECT 1',
      settings: { 'lake.x': 'a,b=c' },
    } as const;
    const result = await runner.run(statement, { key: 'k1', session: 's' });
    expect(result.rows).toEqual([{ n: 9223372036854775807n }]);
    expect(stub.seen[0]?.headers).toMatchObject({
      'x-trino-user': 'ann',
      'x-trino-catalog': 'lake',
      'x-trino-session': 'lake.x=a%2Cb%3Dc',
      authorization: `Basic ${Buffer.from('ann:pass word').toString('base64')}`,
    });
    expect(stub.seen[0]?.headers['x-trino-source']).toMatch(/^icewright\/[0-9a-f]{40}$/);
  });

  it('waits for a busy server', async () => {
    await given(() => ({
      'POST /v1/statement': [{ status: 503 }, { status: 502 }, { body: { id: 'q1' } }],
    }));
    expect((await run()).engineOperationId).toBe('q1');
  });

  it('says EngineUnavailable when nobody listens, at once', async () => {
    await given(() => ({}));
    await stub.close();
    const error = await failure(run());
    expect(error.code).toBe('EngineUnavailable');
    expect(error.message).toContain(stub.url);
  });

  it.each([401, 403])('says CredentialsRejected for HTTP %i', async (status) => {
    await given(() => ({ 'POST /v1/statement': { status, body: 'no' } }));
    expect((await failure(run())).code).toBe('CredentialsRejected');
  });
});

describe('following', () => {
  it('bears a lost connection and a busy gateway after the hand-over', async () => {
    await given((url) => ({
      'POST /v1/statement': { body: { id: 'q1', nextUri: `${url}/next/1` } },
      'GET /next/1': [
        { drop: true },
        { status: 503 },
        { body: { id: 'q1', columns: COLUMNS, data: [[3]] } },
      ],
    }));
    expect((await run()).rows).toEqual([{ n: 3n }]);
  });

  it('says EngineOutcomeUnknown when the answers stay away', async () => {
    await given(
      (url) => ({
        'POST /v1/statement': { body: { id: 'q1', nextUri: `${url}/next/1` } },
        'GET /next/1': { status: 503 },
      }),
      { lostAfterMs: 300 },
    );
    expect((await failure(run())).code).toBe('EngineOutcomeUnknown');
  });

  it('says EngineOutcomeUnknown when a restarted server knows nothing of the query', async () => {
    await given((url) => ({
      'POST /v1/statement': { body: { id: 'q1', nextUri: `${url}/next/1` } },
      'GET /next/1': { status: 404 },
      'GET /v1/query/q1': { status: 410 },
    }));
    const error = await failure(run());
    expect(error.code).toBe('EngineOutcomeUnknown');
    expect(error.details).toMatchObject({ queryId: 'q1', reason: 'gone' });
  });

  it('reports a count as a row, and every new address', async () => {
    const handles: EngineHandle[] = [];
    await given((url) => ({
      'POST /v1/statement': { body: { id: 'q1', nextUri: `${url}/next/1` } },
      'GET /next/1': { body: { id: 'q1', nextUri: `${url}/next/2`, updateType: 'INSERT' } },
      'GET /next/2': { body: { id: 'q1', updateType: 'INSERT', updateCount: 7 } },
    }));
    const result = await run('INSERT', { onStarted: (handle) => handles.push(handle) });
    expect(result.rows).toEqual([{ rows: 7n }]);
    expect(handles.map((handle) => handle.engine === 'trino' && handle.nextUri)).toEqual([
      `${stub.url}/next/1`,
      `${stub.url}/next/2`,
    ]);
  });

  it('never sends credentials to another origin', async () => {
    const other = await startStub(() => ({ 'GET /next/1': { body: { id: 'q1' } } }));
    await given(
      () => ({ 'POST /v1/statement': { body: { id: 'q1', nextUri: `${other.url}/next/1` } } }),
      { token: 'secret' },
    );
    await run();
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
    await other.close();
  });

  it('refuses a result of too many rows and ends the query', async () => {
    await given(
      (url) => ({
        'POST /v1/statement': {
          body: { id: 'q1', columns: COLUMNS, data: [[1], [2]], nextUri: `${url}/next/1` },
        },
        'DELETE /next/1': { status: 204 },
        'GET /v1/query/q1': { body: { queryId: 'q1', state: 'FAILED' } },
      }),
      { maxRows: 1 },
    );
    expect((await failure(run())).code).toBe('EngineRejected');
    expect(stub.seen.some((seen) => seen.method === 'DELETE')).toBe(true);
  });
});

describe('errors', () => {
  const cases: readonly [string, string, string | null][] = [
    ['USER_CANCELED', 'Cancelled', null],
    [
      'ICEBERG_COMMIT_ERROR',
      'CommitConflict',
      'org.apache.iceberg.exceptions.CommitFailedException',
    ],
    ['TRANSACTION_CONFLICT', 'CommitConflict', null],
    ['ABANDONED_QUERY', 'EngineOutcomeUnknown', null],
    ['SYNTAX_ERROR', 'EngineRejected', null],
    // The catalog's answer to the commit was lost: the same name, and not a conflict at all.
    [
      'ICEBERG_COMMIT_ERROR',
      'EngineOutcomeUnknown',
      'org.apache.iceberg.exceptions.CommitStateUnknownException',
    ],
  ];
  it('a connection to the catalog that broke while something was posted is not known', async () => {
    const failureInfo = {
      type: 'org.apache.iceberg.exceptions.RESTException',
      message: 'Error occurred while processing POST request',
    };
    const error = { ...TABLE_NOT_FOUND, errorName: 'GENERIC_INTERNAL_ERROR', failureInfo };
    await given(() => ({ 'POST /v1/statement': { body: { id: 'q1', error } } }));
    expect((await failure(run())).code).toBe('EngineOutcomeUnknown');
  });
  it.each(cases)('%s becomes %s (cause %s)', async (errorName, code, cause) => {
    const failureInfo = cause === null ? null : { type: 'x', cause: { type: cause } };
    await given(() => ({
      'POST /v1/statement': {
        body: { id: 'q1', error: { ...TABLE_NOT_FOUND, errorName, failureInfo } },
      },
    }));
    expect((await failure(run())).code).toBe(code);
  });
});
