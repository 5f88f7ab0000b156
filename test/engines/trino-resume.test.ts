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

describe('resuming', () => {
  const handle = (path: string): EngineHandle => ({
    engine: 'trino',
    queryId: 'q1',
    nextUri: `${stub.url}${path}`,
  });

  it('goes on at the address of the handle and submits nothing', async () => {
    await given(() => ({ 'GET /next/5': { body: { id: 'q1', columns: COLUMNS, data: [[5]] } } }));
    const result = await run('INSERT', { resume: handle('/next/5') });
    expect(result).toMatchObject({ rows: [{ n: 5n }], reattached: true, engineOperationId: 'q1' });
    expect(stub.seen.map((seen) => seen.method)).toEqual(['GET']);
  });

  it('reads the final state when the address is stale', async () => {
    await given(() => ({
      'GET /next/5': { status: 410 },
      'GET /v1/query/q1': [
        { body: { queryId: 'q1', state: 'RUNNING', queryType: 'INSERT', updateType: 'INSERT' } },
        { body: { queryId: 'q1', state: 'FINISHED', queryType: 'INSERT', updateType: 'INSERT' } },
      ],
    }));
    const result = await run('INSERT', { resume: handle('/next/5') });
    expect(result).toMatchObject({ rows: [], reattached: true, engineOperationId: 'q1' });
  });

  it('rejects with the error of a stale query that failed', async () => {
    await given(() => ({
      'GET /next/5': { status: 410 },
      'GET /v1/query/q1': {
        body: {
          queryId: 'q1',
          state: 'FAILED',
          errorCode: { code: 46, name: 'TABLE_NOT_FOUND', type: 'USER_ERROR' },
          failureInfo: { type: 'x', message: 'no such table' },
        },
      },
    }));
    const error = await failure(run('INSERT', { resume: handle('/next/5') }));
    expect(error).toMatchObject({ code: 'TableNotFound' });
    expect(error.message).toContain('no such table');
  });

  it('asks a query again whose rows went to another process', async () => {
    await given(() => ({
      'GET /next/5': { status: 410 },
      'GET /v1/query/q1': { body: { queryId: 'q1', state: 'RUNNING', queryType: 'SELECT' } },
      'DELETE /v1/query/q1': { status: 204 },
      'POST /v1/statement': { body: { id: 'q2', columns: COLUMNS, data: [[8]] } },
    }));
    const result = await run('SELECT 8', { resume: handle('/next/5') });
    expect(result).toMatchObject({ rows: [{ n: 8n }], reattached: false, engineOperationId: 'q2' });
  });
});

describe('cancelling', () => {
  it('hands over nothing when it is aborted before', async () => {
    await given(() => ({}));
    const error = await failure(run('SELECT 1', { signal: AbortSignal.abort() }));
    expect(error.code).toBe('Cancelled');
    expect(stub.seen).toEqual([]);
  });

  it('ends the query and waits until the engine says so', async () => {
    await given((url) => ({
      'POST /v1/statement': { body: { id: 'q1', nextUri: `${url}/next/1` } },
      'DELETE /next/1': { status: 204 },
      'GET /v1/query/q1': [
        { body: { queryId: 'q1', state: 'RUNNING' } },
        { body: { queryId: 'q1', state: 'FAILED' } },
      ],
    }));
    const abort = new AbortController();
    const error = await failure(
      run('INSERT', { signal: abort.signal, onStarted: () => abort.abort() }),
    );
    expect(error).toMatchObject({ code: 'Cancelled', details: { engineState: 'FAILED' } });
    expect(stub.seen.map((seen) => `${seen.method} ${seen.path}`)).toEqual([
      'POST /v1/statement',
      'DELETE /next/1',
      'GET /v1/query/q1',
      'GET /v1/query/q1',
    ]);
  });
});
