import { describe, expect, test } from 'vitest';
import type { ErasureTarget } from '../../src/activities/erasure/deps.ts';
import {
  compileFind,
  compileShared,
  compileValues,
  matchPredicate,
} from '../../src/engines/spark/compile-erasure.ts';
import {
  compileDelete,
  compileEmptyCommit,
  compileForcedRewrite,
  compileFullRewrite,
  compileManifestTarget,
  compileOracle,
} from '../../src/engines/spark/compile-erasure-steps.ts';

const TABLE = { catalog: 'lake', namespace: 'bronze', name: 'raw_clickstream' };
const SECRET = 'ada@example.org';

function target(change: Partial<ErasureTarget> = {}): ErasureTarget {
  return {
    table: TABLE,
    columns: [
      { name: 'customer_id', type: 'long' },
      { name: 'after', type: 'string' },
      { name: 'who', type: 'struct<customer_id: long>' },
    ],
    identifiers: [
      { name: 'customer_id', type: 'bigint', links: true, trace: false },
      { name: 'session_key', type: 'string', links: true, trace: false },
      { name: 'email', type: 'string', links: false, trace: true },
    ],
    match: { customer_id: ['customer_id', 'after.customer_id', 'who.customer_id'] },
    holds: { email: ['after.email'] },
    values: { customer_id: ['42'] },
    ...change,
  };
}

describe('which rows match', () => {
  test('plain columns are compared as they are, so that files are pruned by their bounds', () => {
    expect(matchPredicate(target({ match: { customer_id: ['customer_id'] } }))).toEqual({
      sql: '(`customer_id` IN (CAST(:customer_id_0 AS BIGINT)))',
      parameters: { customer_id_0: '42' },
    });
  });
  test('fields of JSON in a text, and of structs, are taken out', () => {
    const { sql } = matchPredicate(target());
    expect(sql).toContain("try_cast(get_json_object(`after`, '$.customer_id') AS BIGINT) IN");
    expect(sql).toContain('try_cast(`who`.`customer_id` AS BIGINT) IN');
  });
  test('a later identifier decides only where all places of those before are empty', () => {
    const match = { customer_id: ['customer_id'], session_key: ['after.session_key'] };
    const values = { customer_id: ['42'], session_key: ['s1'] };
    expect(matchPredicate(target({ match, values })).sql).toBe(
      '(`customer_id` IN (CAST(:customer_id_0 AS BIGINT)) OR (`customer_id` IS NULL AND ' +
        "(try_cast(get_json_object(`after`, '$.session_key') AS STRING) IN (:session_key_0))))",
    );
  });
  test('nothing is known to match by: no row matches', () => {
    expect(matchPredicate(target({ values: {} })).sql).toBe('false');
    expect(compileValues(target({ values: {} }), [], null)).toBeNull();
  });
  test('by many values files are still pruned: no list of them is longer than Iceberg looks at', () => {
    const many = Array.from({ length: 401 }, (_, index) => String(index));
    const one = target({ match: { customer_id: ['customer_id'] }, values: { customer_id: many } });
    const { sql } = matchPredicate(one);
    const lists = [...sql.matchAll(/IN \(([^()]*(?:\([^()]*\)[^()]*)*)\)/g)];
    expect(lists.map(([, list]) => list?.split(', ').length)).toEqual([200, 200, 1]);
  });
  test('very many values travel as one list, digit by digit', () => {
    const many = Array.from({ length: 2_001 }, (_, index) => `9007199254${740_993 + index}`);
    const { sql, parameters } = matchPredicate(target({ values: { customer_id: many } }));
    expect(sql).toContain("array_contains(from_json(:customer_id_all, 'array<bigint>')");
    expect(parameters).toEqual({ customer_id_all: `[${many.join(',')}]` });
  });
});

test('no value of a subject is in any text', () => {
  const email = { match: { email: ['after.email'] }, values: { email: [SECRET] } };
  const one = target({
    ...email,
    identifiers: [{ name: 'email', type: 'string', links: true, trace: true }],
  });
  const statements = [
    compileFind(one, [one.values], null),
    compileFind(one, [one.values], '42'),
    compileValues(one, [one.values], null),
    compileShared(one, [one.values]),
    compileOracle(one, ['customer_id'], null),
    compileDelete(one, { 'icewright.run-id': 'run-1' }),
    compileForcedRewrite(one),
  ];
  for (const statement of statements) expect(statement?.sql).not.toContain(SECRET);
  expect(compileDelete(one, { 'icewright.run-id': 'run-1' }).parameters).toEqual({
    email_0: SECRET,
  });
});

test('a full rewrite is of the partitions that are named, and names no person', () => {
  const whole = compileFullRewrite(target(), []).sql;
  expect(whole).not.toContain('where');
  const day = { source: 'day', sourceType: 'date', transform: 'identity', value: '2026-01-02' };
  const mail = { source: 'after', sourceType: 'string', transform: 'identity', value: SECRET };
  const { sql } = compileFullRewrite(target(), [[day, mail], [day]]);
  expect(sql).toContain("where => '(`day` = DATE \\'2026-01-02\\')'");
  expect(sql).not.toContain(SECRET);
  expect(compileFullRewrite(target(), [[day], [mail]]).sql).toBe(whole);
  expect(compileFullRewrite(target(), [[]]).sql).toBe(whole);
});

test('rows of several subjects are told apart by what they match by', () => {
  const match = { customer_id: ['customer_id'], session_key: ['after.session_key'] };
  const subjects = [{ customer_id: ['42'], session_key: ['s1'] }, { customer_id: ['007'] }];
  const found = compileFind(
    target({ match, values: { customer_id: ['42', '007'], session_key: ['s1'] } }),
    subjects,
    null,
  );
  expect(JSON.parse(found?.parameters?.wanted ?? '')).toEqual([
    { i: 'customer_id', v: '42', alike: '42', s: 0 },
    { i: 'session_key', v: 's1', alike: 's1', s: 0 },
    { i: 'customer_id', v: '7', alike: '7', s: 1 },
  ]);
  expect(found?.sql).toContain(
    "named_struct('i', 'session_key', 'v', CASE WHEN `customer_id` IS NULL THEN",
  );
});

test('what a row of nobody holds is not shared; traces are compared without regard to case', () => {
  const subjects = [{ customer_id: ['42'], email: ['Ada@Example.org'] }];
  const one = target({ match: { customer_id: ['customer_id'] }, values: subjects[0] ?? {} });
  const { sql, parameters } = compileShared(one, subjects) ?? {};
  expect(sql).toContain('WHERE (`customer_id` IS NOT NULL) AND NOT coalesce(');
  expect(sql).toContain(
    "'v', lower(trim(try_cast(get_json_object(`after`, '$.email') AS STRING)))",
  );
  expect(JSON.parse(parameters?.wanted ?? '')).toContainEqual({
    i: 'email',
    v: 'Ada@Example.org',
    alike: 'ada@example.org',
    s: 0,
  });
});

test('a ref is read by its snapshot', () => {
  expect(compileFind(target(), [], '7')?.sql).toContain("VERSION AS OF '7' WHERE");
});

test('the forced rewrite chooses by delete files alone', () => {
  expect(compileForcedRewrite(target()).sql).toBe(
    "CALL `lake`.system.rewrite_data_files(table => '`bronze`.`raw_clickstream`', options => map(" +
      "'delete-file-threshold', '1', 'delete-ratio-threshold', '1', 'min-file-size-bytes', '0', " +
      "'max-file-size-bytes', '1125899906842624', 'min-input-files', '2147483647', " +
      "'remove-dangling-deletes', 'true', 'partial-progress.enabled', 'false'))",
  );
});

test('the commit without a file carries what sinks and models look for', () => {
  const summary = { 'icewright.run-id': 'r', 'kafka.connect.offsets.t': '{"0":7}' };
  expect(compileEmptyCommit(target(), summary)).toMatchObject({
    sql: 'INSERT INTO `lake`.`bronze`.`raw_clickstream` SELECT * FROM `lake`.`bronze`.`raw_clickstream` WHERE false',
    settings: { 'spark.sql.iceberg.snapshot-property.kafka.connect.offsets.t': '{"0":7}' },
  });
});

test('a property that was not set is unset again', () => {
  expect(compileManifestTarget(target(), null).sql).toContain('UNSET TBLPROPERTIES IF EXISTS');
  expect(compileManifestTarget(target(), '100').sql).toContain("= '100')");
});
