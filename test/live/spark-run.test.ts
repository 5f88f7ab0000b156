import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { EngineHandle } from '../../src/domain/engine.ts';
import { sessionIdOf } from '../../src/engines/spark/ids.ts';
import { createSparkRunner } from '../../src/engines/spark/run.ts';
import { callerOf } from '../../src/engines/spark/session.ts';
import { openWire } from '../../src/engines/spark/wire.ts';
import { openSpark, rejection, type Spark, TARGET, URL } from './spark-support.ts';

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });
let spark: Spark;
let t: string;

beforeAll(async () => {
  spark = await openSpark('spark-run');
  t = spark.at('t');
  await spark.run(`CREATE TABLE ${t} (a BIGINT, s STRING) USING iceberg`);
});
afterAll(() => spark?.close());

const RUN_ID = 'spark.sql.iceberg.snapshot-property.icewright.run-id';
const newestSummary = async () => {
  const rows = await spark.rows(
    `SELECT operation, summary['icewright.run-id'] AS run_id FROM ${t}.snapshots ` +
      'ORDER BY committed_at DESC LIMIT 1',
  );
  return rows[0];
};

describe('a statement on Spark', () => {
  it('tells its version', async () => {
    expect(await spark.runner.version()).toMatch(/^\d+\.\d+\.\d+/);
  });

  it('returns every type as the port says', async () => {
    const [row] = await spark.rows(`SELECT
      9223372036854775807L big, 7 small, CAST(1 AS TINYINT) tiny, true yes, null nothing,
      CAST(null AS BIGINT) no_big, CAST(null AS DECIMAL(5,2)) no_dec,
      12345678901234567890.12BD dec, CAST(-0.01 AS DECIMAL(38,10)) low, 1.5D dbl, float(0.5) flt,
      'grüße' txt, X'00ff' bin, DATE '2024-02-29' day, DATE '1969-12-31' before,
      TIMESTAMP '2024-02-29 01:02:03.123456Z' at, TIMESTAMP '2024-02-29 01:02:03Z' sharp,
      TIMESTAMP_NTZ '1969-12-31 23:59:59.9' local,
      array(9007199254740993L, null) arr, map('k', 1.50BD) mp, map(1, 'x') by_number,
      named_struct('x', 1, 'y', array(named_struct('z', DATE '2024-02-29'))) st,
      INTERVAL '1 02' DAY TO HOUR wait, INTERVAL '2' MONTH months`);
    expect(row).toEqual({
      big: 9223372036854775807n,
      small: 7,
      tiny: 1,
      yes: true,
      nothing: null,
      no_big: null,
      no_dec: null,
      dec: '12345678901234567890.12',
      low: '-0.0100000000',
      dbl: 1.5,
      flt: 0.5,
      txt: 'grüße',
      bin: '00ff',
      day: '2024-02-29',
      before: '1969-12-31',
      at: '2024-02-29T01:02:03.123456Z',
      sharp: '2024-02-29T01:02:03.000Z',
      local: '1969-12-31T23:59:59.900',
      arr: ['9007199254740993', null],
      mp: { k: '1.50' },
      by_number: { '1': 'x' },
      st: { x: 1, y: [{ z: '2024-02-29' }] },
      wait: '93600.000000',
      months: 'P2M',
    });
    expect(await spark.rows('SELECT 1 AS a WHERE false')).toEqual([]);
  });

  it('returns many batches in order', async () => {
    const rows = await spark.rows('SELECT id FROM range(0, 300000, 1, 8) ORDER BY id');
    expect(rows.length).toBe(300_000);
    expect(rows.every((row, index) => row.id === BigInt(index))).toBe(true);
  });

  it('takes parameters in INSERT, MERGE, UPDATE and SELECT', async () => {
    const nasty = `it's "quoted" \\ and :s`;
    await spark.run(`INSERT INTO ${t} SELECT 1, :s`, { parameters: { s: nasty } });
    await spark.run(`INSERT INTO ${t} VALUES (2, :s)`, { parameters: { s: 'two' } });
    const merge = `MERGE INTO ${t} t USING (SELECT 2 AS a, :s AS s UNION ALL SELECT 3, :u) n
      ON t.a = n.a WHEN MATCHED THEN UPDATE SET t.s = sha2(concat(n.s, :key), 256)
      WHEN NOT MATCHED THEN INSERT *`;
    await spark.run(merge, { parameters: { s: 'mail', u: 'three', key: 'pepper' } });
    await spark.run(`UPDATE ${t} SET s = :s WHERE s = :u`, {
      parameters: { s: 'III', u: 'three' },
    });
    const found = await spark.run(`SELECT a, s FROM ${t} WHERE s <> :s ORDER BY a`, {
      parameters: { s: 'none' },
    });
    expect(found.rows).toEqual([
      { a: 1n, s: nasty },
      { a: 2n, s: expect.stringMatching(/^[0-9a-f]{64}$/) },
      { a: 3n, s: 'III' },
    ]);
  });

  it('runs a procedure and returns its row', async () => {
    const table = `${spark.namespace}.t`;
    const call = `CALL ${spark.at('t').split('.')[0]}.system.rewrite_manifests(table => '${table}')`;
    const rows = await spark.rows(call);
    expect(rows).toEqual([
      { rewritten_manifests_count: expect.any(Number), added_manifests_count: expect.any(Number) },
    ]);
  });

  it('runs a write that begins with WITH once', async () => {
    const before = await spark.rows(`SELECT count(*) AS n FROM ${t}.snapshots`);
    await spark.run(`WITH x AS (SELECT 9L AS a, 'w' AS s) INSERT INTO ${t} SELECT * FROM x`);
    const after = await spark.rows(`SELECT count(*) AS n FROM ${t}.snapshots`);
    expect(after[0]?.n).toBe((before[0]?.n as bigint) + 1n);
  });

  it('reports progress', async () => {
    const seen: unknown[] = [];
    const onProgress = (progress: unknown) => seen.push(progress);
    const sql = "SELECT java_method('java.lang.Thread', 'sleep', 4000L) AS x";
    await spark.run(sql, {}, { onProgress });
    expect(seen).toContainEqual(
      expect.objectContaining({ tasksTotal: 1, tasksDone: 0, bytesRead: 0, state: 'running' }),
    );
  });
});

describe('settings', () => {
  it('stand in the snapshot of their own statement and of no other', async () => {
    const insert = `INSERT INTO ${t} VALUES (10, 'x')`;
    await spark.run(insert, { settings: { [RUN_ID]: 'run-1' } });
    expect(await newestSummary()).toEqual({ operation: 'append', run_id: 'run-1' });
    await spark.run(insert, { settings: { [RUN_ID]: 'run-2' } });
    expect(await newestSummary()).toEqual({ operation: 'append', run_id: 'run-2' });
    await spark.run(insert);
    expect(await newestSummary()).toEqual({ operation: 'append', run_id: null });
  });

  it('of another process in the same session do not leak, and what was there comes back', async () => {
    const zone = 'spark.sql.session.timeZone';
    const zoneNow = async () => (await spark.rows('SELECT current_timezone() AS zone'))[0]?.zone;
    const before = await zoneNow();
    const other = spark.another();
    const settings = { [zone]: 'Asia/Tokyo', [RUN_ID]: 'other' };
    const statement = {
      engine: 'spark',
      sql: 'SELECT current_timezone() AS zone',
      settings,
    } as const;
    const there = await other.run(statement, { key: 'other-process', session: 'live' });
    expect(there.rows).toEqual([{ zone: 'Asia/Tokyo' }]);
    await other.close();
    expect(await zoneNow()).toBe(before);
    await spark.run(`INSERT INTO ${t} VALUES (11, 'x')`);
    expect((await newestSummary())?.run_id).toBeNull();
  });

  it('of concurrent statements in one session are kept apart', async () => {
    const of = async (zone: string) => {
      const settings = { 'spark.sql.session.timeZone': zone };
      return (await spark.run('SELECT current_timezone() AS zone', { settings })).rows[0]?.zone;
    };
    const zones = ['Asia/Tokyo', 'Europe/Paris', 'Asia/Tokyo', 'America/Lima'];
    expect(await Promise.all(zones.map(of))).toEqual(zones);
  });

  it('that Spark does not take are named, and nothing runs', async () => {
    const settings = { 'spark.driver.memory': '1g' };
    const error = await rejection(spark.run(`DELETE FROM ${t}`, { settings }));
    expect(error.code).toBe('EngineRejected');
    expect(error.message).toContain('spark.driver.memory');
    expect(error.details).toMatchObject({ errorClass: expect.stringContaining('CANNOT_MODIFY') });
  });
});

describe('errors', () => {
  it.each([
    ['SELECT * FROM no_such_namespace.x', 'TableNotFound', 'TABLE_OR_VIEW_NOT_FOUND', '42P01'],
    ['SELEC 1', 'EngineRejected', 'PARSE_SYNTAX_ERROR', '42601'],
    ['SELECT nothing', 'EngineRejected', 'UNRESOLVED_COLUMN.WITHOUT_SUGGESTION', '42703'],
    ['SELECT 1 / 0', 'EngineRejected', 'DIVIDE_BY_ZERO', '22012'],
  ])('of %s are typed', async (sql, code, errorClass, sqlState) => {
    const error = await rejection(spark.run(sql));
    expect(error.code).toBe(code);
    expect(error.details).toMatchObject({ errorClass, sqlState, operationId: expect.any(String) });
    expect(error.message).toContain(errorClass);
    expect(error.message.split('\n')).toHaveLength(1);
  });

  it('never hold values of parameters or rows', async () => {
    const parameters = { s: 'ann@example.org' };
    const cast = await rejection(spark.run('SELECT CAST(:s AS INT)', { parameters }));
    const raised = await rejection(spark.run('SELECT raise_error(:s)', { parameters }));
    await spark.run(`INSERT INTO ${t} VALUES (12, 'bob@example.org')`);
    const rows = await rejection(spark.run(`SELECT CAST(s AS INT) FROM ${t} WHERE a = 12`));
    const texts = [cast, raised, rows].map(
      (error) => error.message + JSON.stringify(error.details),
    );
    expect(texts.join()).not.toContain('example.org');
    expect(raised.message).toContain(':s');
    expect(rows.message).toContain('CAST_INVALID_INPUT');
  });

  it('of a wrong token name the address, not the token', async () => {
    const url = `sc://${TARGET.host}:${TARGET.port}/;token=wrong-token;use_ssl=${TARGET.useSsl}`;
    const stranger = createSparkRunner({ url, deployment: 'x', catalog: 'lake' });
    const statement = { engine: 'spark', sql: 'SELECT 1' } as const;
    const error = await rejection(stranger.run(statement, { key: 'k', session: 's' }));
    expect(error.code).toBe('CredentialsRejected');
    expect(error.message).toContain(`${TARGET.host}:${TARGET.port}`);
    expect(error.message).not.toContain('wrong-token');
    expect((await rejection(stranger.version())).code).toBe('CredentialsRejected');
    await stranger.close();
  });

  it('of a Spark that is down name the address', async () => {
    const nobody = createSparkRunner({ url: 'sc://127.0.0.1:1', deployment: 'x', catalog: 'lake' });
    const statement = { engine: 'spark', sql: 'SELECT 1' } as const;
    const error = await rejection(nobody.run(statement, { key: 'k', session: 's' }));
    expect(error.code).toBe('EngineUnavailable');
    expect(error.message).toContain('127.0.0.1:1');
    expect((await rejection(nobody.version())).code).toBe('EngineUnavailable');
    await nobody.close();
  });
});

describe('sessions', () => {
  it('see at once what another session committed', async () => {
    const count = `SELECT count(*) AS n FROM ${t}`;
    const before = (await spark.rows(count))[0]?.n as bigint;
    await spark.run(`INSERT INTO ${t} VALUES (20, 'x')`, {}, { session: 'elsewhere' });
    expect(await spark.rows(count)).toEqual([{ n: before + 1n }]);
  });

  it('that Spark closed are followed by the next one, the same for every process', async () => {
    const wire = openWire({ target: TARGET });
    const closeEpoch = (epoch: number) => {
      const id = sessionIdOf(spark.deployment, 'closing', epoch);
      // A Spark without MLlib on its class path closes the session, then trips over a missing class.
      return wire.ask('ReleaseSession', callerOf(id, TARGET.userId), 30_000).catch(() => undefined);
    };
    const sessionOf = async (runner: typeof spark.runner, key: string) => {
      let handle: EngineHandle | undefined;
      const onStarted = (started: EngineHandle) => {
        handle = started;
      };
      const statement = { engine: 'spark', sql: 'SELECT 1' } as const;
      await runner.run(statement, { key, session: 'closing', onStarted });
      return handle?.engine === 'spark' ? handle.sessionId : null;
    };
    const epoch = (n: number) => sessionIdOf(spark.deployment, 'closing', n);
    expect(await sessionOf(spark.runner, 'epoch-0')).toBe(epoch(0));
    await closeEpoch(0);
    expect(await sessionOf(spark.runner, 'epoch-1')).toBe(epoch(1));
    await closeEpoch(1);
    const other = spark.another();
    expect(await sessionOf(other, 'epoch-2')).toBe(epoch(2));
    expect(await sessionOf(spark.runner, 'epoch-2b')).toBe(epoch(2));
    await other.close();
    wire.close();
  });
});

it('the runner says once that a token travels unencrypted', () => {
  const lines: string[] = [];
  const url = URL.includes('token=') ? URL : `${URL.replace(/\/?$/, '/')};token=x`;
  createSparkRunner({ url, deployment: 'x', catalog: 'lake', log: (line) => lines.push(line) });
  expect(lines.length).toBe(TARGET.useSsl ? 0 : 1);
});
