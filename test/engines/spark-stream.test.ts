import { Int32, Table, tableToIPC, vectorFromArray } from 'apache-arrow';
import { afterEach, describe, expect, it } from 'vitest';
import type { EngineHandle, EngineRunner } from '../../src/domain/engine.ts';
import type { IcewrightError } from '../../src/domain/errors.ts';
import { createSparkRunner, type SparkRunnerOptions } from '../../src/engines/spark/run.ts';
import { type ScriptedStream, type SparkStub, startSparkStub } from './spark-stub.ts';

let stub: SparkStub;
let runner: EngineRunner;

afterEach(async () => {
  await runner.close();
  await stub.close();
});

async function start(script: readonly ScriptedStream[], options: Partial<SparkRunnerOptions> = {}) {
  stub = await startSparkStub(script);
  runner = createSparkRunner({ url: stub.url, deployment: 'test', catalog: 'lake', ...options });
}

function run(resume?: EngineHandle) {
  const statement = {
    engine: 'spark',
    sql: 'SELECT 1',
    parameters: { secret: 'hush-hush' },
  } as const;
  return runner.run(statement, { key: 'k', session: 's', resume });
}

const rows = (id: string, ...values: number[]) => {
  const a = vectorFromArray(values, new Int32());
  const data = Buffer.from(tableToIPC(new Table({ a }), 'stream'));
  return { response_id: id, arrow_batch: { row_count: values.length, data } };
};
const complete = { response_id: 'end', result_complete: {} };
const streams = () =>
  stub.calls.filter(([name]) => /Execute(Plan)?$/.test(name) && !/Release/.test(name));
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => Promise.reject(new Error('expected a rejection')),
    (error: IcewrightError) => error,
  );

describe('response streams', () => {
  it('goes on after the last response when the server ends a stream early', async () => {
    await start([
      { responses: [rows('r1', 1)], after: 'end' },
      { responses: [rows('r2', 2)], after: { code: 14, text: 'proxy gone' } },
      { responses: [rows('r3', 3), complete], after: 'end' },
    ]);
    const result = await run();
    expect(result.rows).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }]);
    expect(result.reattached).toBe(false);
    expect(streams().map(([name, request]) => [name, request.last_response_id])).toEqual([
      ['ExecutePlan', undefined],
      ['ReattachExecute', 'r1'],
      ['ReattachExecute', 'r2'],
    ]);
  });

  it('sends the same plan under the same id when no response came at all', async () => {
    await start([
      { after: { code: 14, text: 'reset' } },
      { responses: [rows('r1', 1), complete], after: 'end' },
    ]);
    expect((await run()).reattached).toBe(false);
    const [first, second] = streams();
    expect(second).toEqual(first);
    expect(first?.[0]).toBe('ExecutePlan');
  });

  it('cuts a stream that has fallen silent and attaches again', async () => {
    const silent: ScriptedStream = { responses: [rows('r1', 1)], after: 'hang' };
    await start([silent, { responses: [complete], after: 'end' }], { stallMs: 100 });
    expect((await run()).rows).toEqual([{ a: 1 }]);
    expect(streams()[1]?.[1].last_response_id).toBe('r1');
  });

  it('gives up after the limit, saying that the outcome is unknown', async () => {
    const away: ScriptedStream = { after: { code: 14, text: 'away' } };
    const script = [{ responses: [rows('r1', 1)], after: 'end' } as const, ...Array(50).fill(away)];
    await start(script, { reconnectLimitMs: 300 });
    const error = await failure(run());
    expect(error.code).toBe('EngineOutcomeUnknown');
    expect(error.details).toMatchObject({ grpcCode: 14, operationId: expect.any(String) });
    expect(error.message).toContain(stub.url.slice('sc://'.length));
  });

  it('does not call a lost execution failed when credentials are refused half-way', async () => {
    await start([
      { responses: [rows('r1', 1)], after: 'end' },
      { after: { code: 16, text: 'token expired' } },
    ]);
    expect((await failure(run())).code).toBe('EngineOutcomeUnknown');
  });

  it('names refused credentials before anything ran', async () => {
    await start([{ after: { code: 16, text: 'bad token' } }]);
    expect((await failure(run())).code).toBe('CredentialsRejected');
  });

  it('resumes by attaching, never by sending a plan', async () => {
    await start([{ responses: [rows('r1', 7), complete], after: 'end' }]);
    const handle = { engine: 'spark', sessionId: 'old-session', operationId: 'old-op' } as const;
    const result = await run(handle);
    expect(result.reattached).toBe(true);
    expect(result.engineOperationId).toBe('old-op');
    expect(stub.calls.map(([name]) => name)).toEqual(['ReattachExecute']);
    expect(stub.calls[0]?.[1]).toMatchObject({ session_id: 'old-session', operation_id: 'old-op' });
  });

  it('stops a result that is too large, in Spark as well', async () => {
    await start([{ responses: [rows('r1', 1)], after: 'hang' }], { maxResultBytes: 10 });
    const error = await failure(run());
    expect(error.code).toBe('EngineRejected');
    expect(error.message).toContain('larger than 10 B');
    expect(stub.calls.map(([name]) => name)).toContain('Interrupt');
  });

  it('ends at once when the runner is closed, without a word on the outcome', async () => {
    await start([{ responses: [rows('r1', 1)], after: 'hang' }]);
    const pending = failure(run());
    while (streams().length === 0) await new Promise((next) => setImmediate(next));
    await runner.close();
    expect((await pending).code).toBe('EngineOutcomeUnknown');
  });
});
