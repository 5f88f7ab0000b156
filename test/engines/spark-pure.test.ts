import {
  Binary,
  Decimal,
  Field,
  Int64,
  List,
  makeData,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  TimestampMicrosecond,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { IcewrightError } from '../../src/domain/errors.ts';
import { coresIn } from '../../src/engines/spark/cores.ts';
import { hideValues, statementError } from '../../src/engines/spark/errors.ts';
import type { Failure } from '../../src/engines/spark/failure.ts';
import { createGate, type Leave } from '../../src/engines/spark/gate.ts';
import { deriveUuid, operationIdOf, sessionIdOf } from '../../src/engines/spark/ids.ts';
import type { ErrorChain } from '../../src/engines/spark/messages.ts';
import { buildPlan, firstKeyword } from '../../src/engines/spark/plan.ts';
import { decodeRows } from '../../src/engines/spark/rows.ts';
import { MARKER, planSettings } from '../../src/engines/spark/settings.ts';
import { parseSparkUrl, sparkAddress } from '../../src/engines/spark/url.ts';

describe('the URL', () => {
  it('is read with its parameters', () => {
    const target = parseSparkUrl('sc://spark.example:443/;token=a%3Bb;use_ssl=true;user_id=night');
    const expected = {
      host: 'spark.example',
      port: 443,
      token: 'a;b',
      useSsl: true,
      userId: 'night',
    };
    expect(target).toEqual(expected);
  });

  it('has defaults', () => {
    const expected = { host: '::1', port: 15002, token: null, useSsl: false, userId: 'icewright' };
    expect(parseSparkUrl('sc://[::1]')).toEqual(expected);
    expect(sparkAddress(parseSparkUrl('sc://[::1]/'))).toBe('[::1]:15002');
  });

  it.each([
    ['http://x:1', 'is not a Spark Connect URL'],
    ['sc://', 'is not a Spark Connect URL'],
    ['sc://x:0', 'the port "0"'],
    ['sc://x:99999', 'the port "99999"'],
    ['sc://x:15002/path', 'only ";name=value" may follow'],
    ['sc://x/;tokn=hush', 'the parameter "tokn" is not one of token, use_ssl, user_id'],
    ['sc://x/;token=', 'the parameter "token" has no value'],
    ['sc://x/;token=hush;token=hush', 'the parameter "token" stands twice'],
    ['sc://x/;token=%zz', 'the value of "token" is not percent-encoded correctly'],
    ['sc://x/;use_ssl=yes', '"use_ssl" must be true or false'],
  ])('%s is refused by name, without its secrets', (url, problem) => {
    const error = thrown(() => parseSparkUrl(url));
    expect(error.code).toBe('ConfigInvalid');
    expect(error.message).toContain(problem);
    expect(error.message).not.toContain('hush');
  });
});

describe('ids', () => {
  it('never change: executions of older versions must be found', () => {
    expect(operationIdOf('icewright', 'run/0/0')).toBe('5080f607-3adb-872b-843c-1b3b15eafa0c');
    expect(sessionIdOf('icewright', 'maintenance', 0)).toBe('ec7cc5bc-3a0d-85b0-842d-1d6ccbf8701e');
  });

  it('differ with every part, and where parts are cut', () => {
    const ids = [['a', 'bc'], ['ab', 'c'], ['abc'], ['a', 'bc', '']].map(deriveUuid);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('plans', () => {
  it.each([
    ['  select 1', 'SELECT'],
    ['-- a note\n/* and\nmore */ ( (WITH x AS (SELECT 1) SELECT * FROM x))', 'WITH'],
    ['/**/CALL lake.system.x()', 'CALL'],
    ['', ''],
    ['-- only a note', ''],
  ])('%j begins with %s', (sql, keyword) => expect(firstKeyword(sql)).toBe(keyword));

  it('stream rows of queries and calls, and run the rest as commands', () => {
    const plan = (sql: string) => Object.keys(buildPlan({ engine: 'spark', sql }, 1))[0];
    expect(['SELECT 1', 'CALL x()', 'SHOW TABLES'].map(plan)).toEqual(['root', 'root', 'root']);
    expect(['INSERT INTO t VALUES (1)', 'MERGE INTO t', 'CREATE TABLE t'].map(plan)).toEqual(
      Array(3).fill('command'),
    );
  });

  it('carry parameters beside the text', () => {
    const statement = { engine: 'spark', sql: 'SELECT :a', parameters: { a: "x'" } } as const;
    expect(buildPlan(statement, 7)).toEqual({
      root: {
        common: { plan_id: 7 },
        sql: { query: 'SELECT :a', named_arguments: { a: { literal: { string: "x'" } } } },
      },
    });
  });
});

describe('settings', () => {
  /** What the server does with a change. */
  const apply = (current: Record<string, string>, wanted: Record<string, string>) => {
    const { set, unset } = planSettings(current, wanted);
    const kept = Object.entries(current).filter(([name]) => !unset.includes(name));
    return { ...Object.fromEntries(kept), ...set };
  };
  const names = fc.constantFrom('a', 'b', 'c', 'd');
  const some = fc.dictionary(names, fc.string());

  it('ask for nothing when they are in force', () => {
    const current = apply({}, { a: '1' });
    expect(planSettings(current, { a: '1' })).toEqual({ set: {}, unset: [] });
    expect(planSettings({}, {})).toEqual({ set: {}, unset: [] });
  });

  it('are exactly the wanted ones over what the session had, after any history', () => {
    fc.assert(
      fc.property(some, fc.array(some), (initial, history) => {
        const last = history.at(-1) ?? {};
        const { [MARKER]: _marker, ...values } = history.reduce(apply, initial);
        expect(values).toEqual({ ...initial, ...last });
      }),
    );
  });
});

describe('the gate of a session', () => {
  it('lets equal settings in together and others in turn', async () => {
    const gate = createGate();
    const order: string[] = [];
    const admitted = (settings: string, leave: Leave) => {
      order.push(settings);
      return leave;
    };
    const first = await gate.enter('x');
    const second = await gate.enter('x');
    const other = gate.enter('y').then((leave) => admitted('y', leave));
    const late = gate.enter('x').then((leave) => admitted('x', leave));
    first();
    first();
    await Promise.resolve();
    expect(order).toEqual([]);
    second();
    (await other)();
    (await late)();
    expect(order).toEqual(['y', 'x']);
  });

  it('lets a waiting statement go when it is cancelled, and the next one in', async () => {
    const gate = createGate();
    const leave = gate.join('x');
    const abort = new AbortController();
    const waiting = gate.enter('y', abort.signal);
    const behind = gate.enter('x');
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'Cancelled' });
    (await behind)();
    leave();
  });
});

/** 128 bits as Arrow keeps them. */
const words = (value: bigint) =>
  Uint32Array.from([0n, 32n, 64n, 96n], (shift) => Number(BigInt.asUintN(32, value >> shift)));

describe('rows', () => {
  it('keep exact values in columns and in nested ones', () => {
    const ids = new List(new Field('item', new Int64(), true));
    const columns = {
      big: vectorFromArray([9007199254740993n, null], new Int64()),
      dec: vectorFromArray([words(-1n), words(123456n)], new Decimal(2, 10, 128)),
      bin: vectorFromArray([new Uint8Array([0, 255]), null], new Binary()),
      at: vectorFromArray([0, null], new TimestampMicrosecond('UTC')),
      ids: vectorFromArray([[9007199254740993n, null], null], ids),
    };
    const fields = Object.entries(columns).map(([name, v]) => new Field(name, v.type, true));
    const children = Object.values(columns).map((v) => v.data[0]);
    const data = makeData({ type: new Struct(fields), length: 2, nullCount: 0, children } as never);
    const batch = new RecordBatch(new Schema(fields), data as never);
    const bytes = RecordBatchStreamWriter.writeAll([batch]).toUint8Array(true);
    expect(decodeRows(bytes)).toEqual([
      {
        big: 9007199254740993n,
        dec: '-0.01',
        bin: '00ff',
        at: '1970-01-01T00:00:00.000Z',
        ids: ['9007199254740993', null],
      },
      { big: null, dec: '1234.56', bin: null, at: null, ids: null },
    ]);
  });
});

describe('errors', () => {
  const context = { address: 'a:1', sessionId: 's', operationId: 'o', secrets: {} };
  const failure: Failure = {
    code: 13,
    text: 'boom',
    fromSpark: true,
    errorClass: null,
    sqlState: null,
    errorId: 'e',
    classes: [],
    parameters: {},
  };
  const chain = (...links: [string, string][]): ErrorChain => ({
    root_error_idx: 0,
    errors: links.map(([type, message], index) => ({
      error_type_hierarchy: [type],
      message,
      ...(index + 1 < links.length && { cause_idx: index + 1 }),
    })),
  });
  const ICEBERG = 'org.apache.iceberg.exceptions';

  it.each([
    ['CommitFailedException', 'Requirement failed: branch main has changed', 'CommitConflict'],
    ['ValidationException', 'Found conflicting files that can contain records', 'CommitConflict'],
    ['ValidationException', 'Missing data files: [s3://x]', 'CommitConflict'],
    ['ValidationException', 'Cannot find field x', 'EngineRejected'],
    ['CommitStateUnknownException', 'Cannot determine whether the commit', 'EngineOutcomeUnknown'],
    // Nobody says "unknown" here, but what was posted may have been a commit that arrived.
    ['RESTException', 'Error occurred while processing POST request', 'EngineOutcomeUnknown'],
    ['RESTException', 'Error occurred while processing GET request', 'EngineRejected'],
    ['NoSuchTableException', 'Table does not exist: a.b', 'TableNotFound'],
  ])('%s (%s) → %s, also as a cause', (type, text, code) => {
    const wrapped = chain(['java.lang.RuntimeException', 'wrapped'], [`${ICEBERG}.${type}`, text]);
    const error = statementError(failure, wrapped, context);
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
  });

  it('are one line, without values of parameters or rows', () => {
    const secrets = { who: 'ann@example.org', day: '7' };
    const text = '[X_Y] no ann@example.org on 7, 17\n\tat java.lang.Thread(Thread.java:1)';
    const error = statementError({ ...failure, text, errorClass: 'X_Y' }, null, {
      ...context,
      secrets,
    });
    expect(error.message).toBe('Spark refused the statement: [X_Y] no :who on :day, 17');
    const data: Failure = {
      ...failure,
      text: '[CAST_INVALID_INPUT] The value \'bob\' of the type "STRING" cannot be cast to "INT"',
      errorClass: 'CAST_INVALID_INPUT',
      sqlState: '22018',
      parameters: { expression: "'bob'", sourceType: '"STRING"', targetType: '"INT"' },
    };
    expect(statementError(data, null, context).message).toBe(
      'Spark refused the statement: [CAST_INVALID_INPUT] The value <expression> of the type "STRING" ' +
        'cannot be cast to "INT"',
    );
  });

  it('hide values whatever they hold', () => {
    const value = fc.string({ minLength: 4 });
    fc.assert(
      fc.property(fc.string(), value, fc.string(), (left, secret, right) => {
        fc.pre(!`${left}:p${right}`.includes(secret));
        expect(hideValues(left + secret + right, { p: secret })).not.toContain(secret);
      }),
    );
  });
});

function thrown(call: () => unknown): IcewrightError {
  try {
    call();
  } catch (error) {
    return error as IcewrightError;
  }
  throw new Error('expected an error');
}

describe('cores', () => {
  it.each([
    ['== Physical Plan ==\n*(1) Range (0, 1, step=1, splits=2)\n\n', 2],
    ['== Physical Plan ==\nCometRange (0, 1, step=1, splits=640)', 640],
    ['== Physical Plan ==\nLocalTableScan [id#1L]', null],
    ['', null],
  ])('%j tells of %j', (plan, cores) => {
    expect(coresIn(plan)).toBe(cores);
  });
});
