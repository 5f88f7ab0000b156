/** Partitions as predicates: every transform and type beside every engine. */
import { describe, expect, it, test } from 'vitest';
import type { PartitionKey, PartitionValue } from '../../src/domain/operation.ts';
import { PARTITIONS_MAX } from '../../src/domain/partition-bound.ts';
import * as spark from '../../src/engines/spark/partitions.ts';
import * as trino from '../../src/engines/trino/partitions.ts';
import { both } from './compile-show.ts';

/** `day ts timestamptz 2026-11-20`; `-` for no value. */
function value(text: string): PartitionValue {
  const [transform = '', source = '', sourceType = '', ...rest] = text.split(' ');
  const printed = rest.join(' ');
  return { transform, source, sourceType, value: printed === '-' ? null : printed };
}

function show(predicate: spark.Predicate): string {
  return 'sql' in predicate ? predicate.sql : `REFUSED ${predicate.refused}`;
}

function onBoth(...keys: PartitionKey[]): { readonly spark: string; readonly trino: string } {
  return {
    spark: show(spark.partitionsPredicate(keys, 'lake')),
    trino: show(trino.partitionsPredicate(keys)),
  };
}

test.each<[text: string, spark: string, trino: string]>([
  ['identity ok boolean true', '(`ok` = true)', '("ok" = true)'],
  ['identity id long -7', '(`id` = -7)', '("id" = -7)'],
  ['identity x double 0.5', "(`x` = CAST('0.5' AS double))", `("x" = DOUBLE '0.5')`],
  ['identity x float 1.5', "(`x` = CAST('1.5' AS float))", `("x" = REAL '1.5')`],
  [
    'identity p decimal(10,2) 12.30',
    "(`p` = CAST('12.30' AS decimal(10,2)))",
    `("p" = DECIMAL '12.30')`,
  ],
  ["identity s string it's", "(`s` = 'it\\'s')", `("s" = 'it''s')`],
  ['identity d date 2026-11-20', "(`d` = DATE '2026-11-20')", `("d" = DATE '2026-11-20')`],
  [
    'identity ts timestamptz 2026-11-20T10:00:00.5Z',
    "(`ts` = TIMESTAMP '2026-11-20T10:00:00.5Z')",
    `("ts" = TIMESTAMP '2026-11-20 10:00:00.500000 UTC')`,
  ],
  ['identity b binary 0aff', "(`b` = X'0aff')", `("b" = X'0aff')`],
  ['identity f fixed[2] 0aff', "(`f` = X'0aff')", `("f" = X'0aff')`],
  [
    'identity u uuid f79c3e09-677c-4bbd-a479-3f349cb785e7',
    "(`u` = 'f79c3e09-677c-4bbd-a479-3f349cb785e7')",
    `("u" = UUID 'f79c3e09-677c-4bbd-a479-3f349cb785e7')`,
  ],
  ['identity s string -', '(`s` IS NULL)', '("s" IS NULL)'],
  ['day ts timestamptz -', '(`ts` IS NULL)', '("ts" IS NULL)'],
  ['bucket[16] id long -', '(`id` IS NULL)', '("id" IS NULL)'],
  [
    'year d date 2026',
    "(`d` >= DATE '2026-01-01' AND `d` < DATE '2027-01-01')",
    `(("d" >= DATE '2026-01-01' AND "d" < DATE '2027-01-01'))`,
  ],
  [
    'month ts timestamp 2026-12',
    "(`ts` >= TIMESTAMP_NTZ '2026-12-01 00:00:00' AND `ts` < TIMESTAMP_NTZ '2027-01-01 00:00:00')",
    `(("ts" >= TIMESTAMP '2026-12-01 00:00:00.000000' AND ` +
      `"ts" < TIMESTAMP '2027-01-01 00:00:00.000000'))`,
  ],
  [
    'day ts timestamptz 2024-02-29',
    "(`ts` >= TIMESTAMP '2024-02-29 00:00:00Z' AND `ts` < TIMESTAMP '2024-03-01 00:00:00Z')",
    `(("ts" >= TIMESTAMP '2024-02-29 00:00:00.000000 UTC' AND ` +
      `"ts" < TIMESTAMP '2024-03-01 00:00:00.000000 UTC'))`,
  ],
  [
    'hour ts timestamptz 2026-12-31-23',
    "(`ts` >= TIMESTAMP '2026-12-31 23:00:00Z' AND `ts` < TIMESTAMP '2027-01-01 00:00:00Z')",
    `(("ts" >= TIMESTAMP '2026-12-31 23:00:00.000000 UTC' AND ` +
      `"ts" < TIMESTAMP '2027-01-01 00:00:00.000000 UTC'))`,
  ],
  [
    'bucket[16] id long 3',
    '(`lake`.system.bucket(16, `id`) = 3)',
    'REFUSED Trino cannot say a bucket[16] partition of id (long); use Spark',
  ],
  [
    'truncate[10] i int -10',
    '(`lake`.system.truncate(10, `i`) = -10)',
    '(("i" >= -10 AND "i" < 0))',
  ],
  [
    'truncate[50] p decimal(10,2) -0.50',
    "(`lake`.system.truncate(50, `p`) = CAST('-0.50' AS decimal(10,2)))",
    `(("p" >= DECIMAL '-0.50' AND "p" < DECIMAL '0.00'))`,
  ],
  [
    'truncate[2] s string ab',
    "(`lake`.system.truncate(2, `s`) = 'ab')",
    'REFUSED Trino cannot say a truncate[2] partition of s (string); use Spark',
  ],
  [
    'identity t time 10:00:00',
    'REFUSED Spark cannot say a identity partition of t (time)',
    `("t" = TIME '10:00:00.000000')`,
  ],
  [
    'identity x double NaN',
    'REFUSED Spark cannot say a identity partition of x (double)',
    'REFUSED Trino cannot say a identity partition of x (double); use Spark',
  ],
  [
    'day ts timestamptz_ns 2026-11-20',
    'REFUSED Spark cannot say a day partition of ts (timestamptz_ns)',
    'REFUSED Trino cannot say a day partition of ts (timestamptz_ns); use Spark',
  ],
  ['void id long -', 'true', 'true'],
  [
    'identity a.b string x',
    "(`a`.`b` = 'x')",
    'REFUSED Trino takes no predicate on a part of a column (a.b); use Spark',
  ],
])('%s', (text, sparkSql, trinoSql) => {
  expect(onBoth([value(text)])).toEqual({ spark: sparkSql, trino: trinoSql });
});

test.each([
  'day ts timestamptz 2026-11',
  'hour ts timestamptz 2026-11-20',
  'year ts timestamptz -4',
  'zorder id long 3',
  'bucket[16] id long 3) OR (1',
  'identity id long 3 OR 1',
])('%s is refused by both', (text) => {
  const { spark: first, trino: second } = onBoth([value(text)]);
  expect([first, second].every((one) => one.startsWith('REFUSED'))).toBe(true);
});

describe('several partitions', () => {
  const a = value('identity region string eu');
  const b = value('identity region string us');
  const first = value('day ts timestamptz 2026-11-20');
  const second = value('day ts timestamptz 2026-11-21');

  it('of one field are joined', () => {
    expect(onBoth([a], [b], [a])).toEqual({
      spark: "(`region` = 'eu') OR (`region` = 'us')",
      trino: `("region" = 'eu' OR "region" = 'us')`,
    });
  });

  it('of several fields are said by Trino only as all combinations', () => {
    const all = onBoth([a, first], [a, second], [b, first], [b, second]);
    expect(all.trino).toMatch(/^\("region" = 'eu' OR "region" = 'us'\) AND \(\("ts" >= /);
    const some = onBoth([a, first], [b, second]);
    expect(some.trino).toMatch(/REFUSED .* 2 partitions are not all the 4 combinations/);
    expect(some.spark).toMatch(/^\(`region` = 'eu' AND `ts` >= .*\) OR \(`region` = 'us' AND/);
  });

  it('of several specs are said by Spark only', () => {
    const { spark: sql, trino: refused } = onBoth([a], [first]);
    expect(sql).toMatch(/ OR /);
    expect(refused).toMatch(/several specs/);
  });

  it('of an unpartitioned table are the table', () => {
    expect(onBoth([])).toEqual({ spark: 'true', trino: 'true' });
  });

  it('are bounded, and at least one', () => {
    const many = Array.from({ length: PARTITIONS_MAX + 1 }, () => [a]);
    expect(onBoth(...many).spark).toMatch(/501 partitions are too many/);
    expect(onBoth(...many).trino).toMatch(/501 partitions are too many/);
    expect(onBoth()).toEqual({
      spark: 'REFUSED no partition is named',
      trino: 'REFUSED no partition is named',
    });
  });
});

it('partitions narrow a predicate down', () => {
  const operation = {
    kind: 'compact',
    strategy: 'binpack',
    columns: [],
    where: 'amount > 3 OR amount IS NULL',
    targetFileSizeBytes: 134217728,
    minInputFiles: 2,
    rewriteAll: true,
    partitions: [[value('identity region string eu')]],
    deletes: { minDeleteFiles: 1, minDeleteRatio: 0.1, removeDangling: true },
  } as const;
  expect(both(operation).spark).toContain(
    "where => '(amount > 3 OR amount IS NULL) AND ((`region` = \\'eu\\'))', options => ",
  );
  expect(both(operation).spark).toContain(
    "'delete-file-threshold', '1', 'delete-ratio-threshold', '0.1', " +
      "'remove-dangling-deletes', 'true')",
  );
  expect(both(operation).trino).toMatch(/^REFUSED Trino chooses files by size only/);
  const { deletes: _, ...plain } = operation;
  expect(both(plain).trino).toContain(`WHERE (amount > 3 OR amount IS NULL) AND ("region" = 'eu')`);
});
