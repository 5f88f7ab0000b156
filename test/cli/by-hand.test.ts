/** What the options of the commands by hand become, and what is said of wrong ones. */
import { describe, expect, test } from 'vitest';
import { readPair } from '../../src/cli/commands/by-hand.ts';
import { compact, readCompact } from '../../src/cli/commands/compact.ts';
import { deletes } from '../../src/cli/commands/deletes.ts';
import { expire, readExpire } from '../../src/cli/commands/expire.ts';
import { manifests, readManifests } from '../../src/cli/commands/manifests.ts';
import { properties, readProperties } from '../../src/cli/commands/properties.ts';
import { readStatistics, statistics } from '../../src/cli/commands/statistics.ts';
import { COMPACT_REQUEST } from '../domain/planner/by-hand-fixture.ts';

test('compact takes everything that it offers', () => {
  expect(
    readCompact({
      strategy: 'zorder',
      columns: 'a, b',
      partition: ['day=2026-11-20/region=null', 'day=2026-11-21'],
      'target-file-size': '256MB',
      'rewrite-all': true,
      'delete-file-threshold': '1',
      'delete-ratio-threshold': '0.25',
      'remove-dangling-deletes': true,
      'max-file-group-size': '10GB',
      'concurrent-file-groups': '4',
      engine: 'spark',
    }),
  ).toEqual({
    kind: 'compact',
    strategy: 'zorder',
    columns: ['a', 'b'],
    where: null,
    partitions: [{ day: '2026-11-20', region: null }, { day: '2026-11-21' }],
    targetFileSizeBytes: 256 * 2 ** 20,
    rewriteAll: true,
    deletes: { minDeleteFiles: 1, minDeleteRatio: 0.25, removeDangling: true },
    tuning: { maxFileGroupSizeBytes: 10 * 2 ** 30, concurrentFileGroups: 4 },
    engine: 'spark',
  });
});

test('what is not said is not asked for: the same wish joins the same run', () => {
  expect(readCompact({})).toEqual(COMPACT_REQUEST);
  expect(readExpire({})).toEqual({
    kind: 'expire_snapshots',
    olderThanMs: null,
    keepLast: null,
  });
  expect(readManifests({})).toEqual({ kind: 'rewrite_manifests', engine: null });
});

test('expire, manifests, statistics and properties', () => {
  expect(readExpire({ 'older-than': '7d', 'keep-last': '5', 'clean-metadata': true })).toEqual({
    kind: 'expire_snapshots',
    olderThanMs: 7 * 86_400_000,
    keepLast: 5,
    cleanExpiredMetadata: true,
  });
  expect(readManifests({ spec: '0', 'sort-by': 'ts_day', engine: 'spark' })).toEqual({
    kind: 'rewrite_manifests',
    engine: 'spark',
    specId: 0,
    sortBy: ['ts_day'],
  });
  expect(readStatistics({ columns: 'a,b', engine: 'trino' })).toEqual({
    kind: 'compute_statistics',
    columns: ['a', 'b'],
    engine: 'trino',
  });
  expect(readStatistics({ drop: true })).toEqual({ kind: 'drop_statistics', engine: null });
  expect(readProperties({ set: ['a=1', 'b=x=y'], unset: ['c'], allow: ['d'] })).toEqual({
    kind: 'set_properties',
    set: { a: '1', b: 'x=y' },
    remove: ['c'],
    allow: ['d'],
  });
});

describe('what is wrong is named', () => {
  test.each<[() => unknown, RegExp]>([
    [() => readCompact({ strategy: 'best' }), /--strategy "best": expected binpack, sort/],
    [() => readCompact({ partition: ['day'] }), /--partition "day": expected name=value/],
    [() => readCompact({ 'delete-ratio-threshold': '30%' }), /"30%": expected a number from 0/],
    [() => readCompact({ 'delete-file-threshold': '0' }), /"0": expected .*at least 1/],
    [() => readCompact({ engine: 'flink' }), /--engine "flink": expected spark or trino/],
    [() => readExpire({ 'keep-last': '1.5' }), /--keep-last "1.5"/],
    [() => readExpire({ 'older-than': 'a week' }), /"a week" is not a duration/],
    [() => readManifests({ spec: '-1' }), /--spec "-1"/],
    [() => readStatistics({ drop: true, columns: 'a' }), /leave --columns out/],
    [() => readProperties({ set: ['=1'] }), /--set "=1": expected name=value/],
    [() => readProperties({ set: ['a=1', 'a=2'] }), /--set names a twice/],
  ])('%#', (attempt, message) => {
    expect(attempt).toThrow(expect.objectContaining({ code: 'UsageInvalid' }));
    expect(attempt).toThrow(message);
  });

  test('a value may be empty', () => {
    expect(readPair('set', 'comment=')).toEqual(['comment', '']);
  });
});

test.each([compact, deletes, expire, manifests, properties, statistics])(
  '$name: every option has its help, and its examples begin with its name',
  ({ name, options, help, examples }) => {
    expect(Object.keys(help).sort()).toEqual(Object.keys(options).sort());
    expect(examples.length).toBeGreaterThanOrEqual(2);
    for (const example of examples) expect(example).toMatch(new RegExp(`^icewright ${name} `));
  },
);
