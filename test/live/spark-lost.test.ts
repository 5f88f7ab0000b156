import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineHandle } from '../../src/domain/engine.ts';
import { openSpark, rejection, type Spark, startChild, startProxy } from './spark-support.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });
let spark: Spark;

beforeAll(async () => {
  spark = await openSpark('spark-lost');
});
afterAll(() => spark?.close());

const FILES = 24;

/** A table of many files whose rewrite takes some seconds. */
async function createFragmented(name: string): Promise<string> {
  const table = spark.at(name);
  await spark.run(
    `CREATE TABLE ${table} (id BIGINT, a STRING, b STRING) USING iceberg ` +
      "TBLPROPERTIES ('write.distribution-mode' = 'none')",
  );
  await spark.run(
    `INSERT INTO ${table} SELECT /*+ REPARTITION(${FILES}) */ id, uuid(), sha2(cast(id AS STRING), 256) ` +
      'FROM range(600000)',
  );
  return table;
}

function rewrite(name: string): string {
  const [catalog] = spark.at(name).split('.');
  return (
    `CALL ${catalog}.system.rewrite_data_files(table => '${spark.namespace}.${name}', ` +
    "strategy => 'sort', sort_order => 'zorder(a, b)', options => map('rewrite-all', 'true'))"
  );
}

async function operations(table: string): Promise<unknown[]> {
  const rows = await spark.rows(`SELECT operation FROM ${table}.snapshots ORDER BY committed_at`);
  return rows.map((row) => row.operation);
}

async function fingerprint(table: string) {
  const sums = 'count(*) AS n, sum(id) AS ids, sum(hash(a, b)) AS hashes';
  return (await spark.rows(`SELECT ${sums} FROM ${table}`))[0];
}

describe('a client that is killed in the middle of a rewrite', () => {
  it('is replaced by one that attaches under the same key: one rewrite, its row, its data', async () => {
    const table = await createFragmented('killed');
    const before = await fingerprint(table);
    const sql = rewrite('killed');
    const place = { key: 'rewrite-killed', session: 'maintenance' };
    const child = await startChild({ deployment: spark.deployment, sql, ...place });
    await child.kill();
    const heir = spark.another();
    const result = await heir.run({ engine: 'spark', sql }, place);
    await heir.close();
    expect(result.reattached).toBe(true);
    expect(result.rows[0]).toMatchObject({ rewritten_data_files_count: FILES });
    expect(child.handle).toMatchObject({ operationId: result.engineOperationId });
    expect(await operations(table)).toEqual(['append', 'replace']);
    expect(await fingerprint(table)).toEqual(before);
  });

  it('is replaced by one that resumes its handle', async () => {
    const table = await createFragmented('resumed');
    const sql = rewrite('resumed');
    const place = { key: 'rewrite-resumed', session: 'maintenance' };
    const child = await startChild({ deployment: spark.deployment, sql, ...place });
    await child.kill();
    const heir = spark.another();
    const result = await heir.run({ engine: 'spark', sql }, { ...place, resume: child.handle });
    expect(result.reattached).toBe(true);
    expect(result.rows[0]).toMatchObject({ rewritten_data_files_count: FILES });
    expect(await operations(table)).toEqual(['append', 'replace']);
    // After the release nobody can learn the outcome, and nobody runs it a second time either.
    await result.release();
    const again = await rejection(heir.run({ engine: 'spark', sql }, place));
    const resumed = heir.run({ engine: 'spark', sql }, { ...place, resume: child.handle });
    for (const error of [again, await rejection(resumed)]) {
      expect(error.code).toBe('EngineOutcomeUnknown');
      expect(error.details).toMatchObject({ errorClass: expect.stringContaining('OPERATION_') });
    }
    await heir.close();
    expect(await operations(table)).toEqual(['append', 'replace']);
  });
});

describe('a key', () => {
  it('runs once, however often it is sent', async () => {
    const table = spark.at('once');
    await spark.run(`CREATE TABLE ${table} (a INT) USING iceberg`);
    const insert = () => spark.run(`INSERT INTO ${table} VALUES (1)`, {}, { key: 'insert-once' });
    const results = [await insert(), await insert(), ...(await Promise.all([insert(), insert()]))];
    expect(results.map((result) => result.reattached)).toEqual([false, true, true, true]);
    expect(await operations(table)).toEqual(['append']);
  });

  it('of an execution that Spark does not know is an unknown outcome when resumed', async () => {
    const resume: EngineHandle = {
      engine: 'spark',
      sessionId: '00000000-0000-8000-8000-000000000001',
      operationId: '00000000-0000-8000-8000-000000000002',
    };
    const error = await rejection(spark.run('SELECT 1', {}, { resume }));
    expect(error.code).toBe('EngineOutcomeUnknown');
    const session = await spark.run(
      'SELECT 1',
      {},
      { onStarted: (handle) => started.push(handle) },
    );
    expect(session.rows).toEqual([{ '1': 1 }]);
    const known = { ...resume, ...started[0], operationId: resume.operationId } as EngineHandle;
    const missing = await rejection(spark.run('SELECT 1', {}, { resume: known }));
    expect(missing.code).toBe('EngineOutcomeUnknown');
    expect(missing.details).toMatchObject({ errorClass: 'INVALID_HANDLE.OPERATION_NOT_FOUND' });
  });
  const started: EngineHandle[] = [];
});

describe('a connection that breaks', () => {
  it('is made anew, and the statement goes on', async () => {
    const table = await createFragmented('cut');
    const proxy = await startProxy();
    const lines: string[] = [];
    const runner = spark.another({ url: proxy.url, log: (line) => lines.push(line) });
    let cuts = 0;
    const onProgress = ({ tasksTotal }: { tasksTotal?: number }) => {
      if (!tasksTotal || cuts === 2) return;
      cuts += 1;
      proxy.cut();
    };
    const options = { key: 'rewrite-cut', session: 'maintenance', onProgress };
    const result = await runner.run({ engine: 'spark', sql: rewrite('cut') }, options);
    await runner.close();
    await proxy.shut();
    expect(cuts).toBeGreaterThan(0);
    expect(lines.join()).toContain('attaching again');
    expect(result.reattached).toBe(false);
    expect(result.rows[0]).toMatchObject({ rewritten_data_files_count: FILES });
    expect(await operations(table)).toEqual(['append', 'replace']);
  });

  it('and stays away is an unknown outcome, which the same key finds out later', async () => {
    const proxy = await startProxy();
    const runner = spark.another({ url: proxy.url, reconnectLimitMs: 500 });
    const sql = "SELECT java_method('java.lang.Thread', 'sleep', 5000L) AS slept";
    const place = { key: 'slow-and-cut', session: 'slow' };
    const onProgress = ({ tasksTotal }: { tasksTotal?: number }) => {
      if (tasksTotal) void proxy.shut();
    };
    const error = await rejection(runner.run({ engine: 'spark', sql }, { ...place, onProgress }));
    expect(error.code).toBe('EngineOutcomeUnknown');
    expect((await rejection(runner.version())).code).toBe('EngineUnavailable');
    await runner.close();
    const result = await spark.runner.run({ engine: 'spark', sql }, place);
    expect(result.reattached).toBe(true);
    expect(result.rows).toHaveLength(1);
  });
});

describe('cancelling', () => {
  it('stops a rewrite inside Spark: it ends cancelled, and nothing is committed', async () => {
    const table = await createFragmented('cancelled');
    const abort = new AbortController();
    let handle: EngineHandle | undefined;
    const place = { key: 'rewrite-cancelled', session: 'maintenance' };
    const statement = { engine: 'spark', sql: rewrite('cancelled') } as const;
    const running = spark.runner.run(statement, {
      ...place,
      signal: abort.signal,
      onStarted: (started) => {
        handle = started;
      },
      onProgress: ({ tasksTotal }) => {
        if (tasksTotal) abort.abort();
      },
    });
    expect(await rejection(running)).toMatchObject({
      code: 'Cancelled',
      details: { completed: false, operationId: expect.any(String) },
    });
    // Another client asks Spark itself what became of it.
    const other = spark.another();
    const seen = await rejection(other.run(statement, { ...place, resume: handle }));
    await other.close();
    expect(seen.code).toBe('Cancelled');
    expect(seen.details).toMatchObject({ errorClass: 'OPERATION_CANCELED' });
    expect(await operations(table)).toEqual(['append']);
  });

  it('before anything was sent sends nothing', async () => {
    const signal = AbortSignal.abort();
    const error = await rejection(spark.run('SELECT 1', {}, { signal }));
    expect(error).toMatchObject({ code: 'Cancelled', details: { handedOver: false } });
  });

  it('what is done already says so', async () => {
    const abort = new AbortController();
    const first = await spark.run('SELECT 1', {}, { key: 'done-already' });
    const signal = abort.signal;
    const onStarted = () => abort.abort();
    const error = await rejection(
      spark.run('SELECT 1', {}, { key: 'done-already', signal, onStarted }),
    );
    expect(error.code).toBe('Cancelled');
    expect(error.details).toMatchObject({ operationId: first.engineOperationId, completed: true });
  });
});

describe('two writers', () => {
  it('of the same rows: the later one gets a commit conflict', async () => {
    const table = spark.at('contested');
    await spark.run(
      `CREATE TABLE ${table} (a BIGINT, s STRING) USING iceberg TBLPROPERTIES ` +
        "('format-version' = '2', 'write.update.isolation-level' = 'serializable')",
    );
    await spark.run(`INSERT INTO ${table} SELECT id, 'x' FROM range(100)`);
    // The first reads, sleeps and commits when the second has committed long since.
    const slow = "java_method('java.lang.Thread', 'sleep', 6000L)";
    const late = spark.run(
      `UPDATE ${table} SET s = coalesce(${slow}, 'late') WHERE a = 1`,
      {},
      {
        session: 'late',
        onProgress: ({ tasksTotal }) => {
          if (tasksTotal && early === undefined)
            early = spark.run(`DELETE FROM ${table} WHERE a < 50`);
        },
      },
    );
    let early: Promise<unknown> | undefined;
    const error = await rejection(late);
    await early;
    expect(error.code).toBe('CommitConflict');
    expect(await operations(table)).toHaveLength(2);
  });
});
