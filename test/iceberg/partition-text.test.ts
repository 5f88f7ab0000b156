import { describe, expect, it } from 'vitest';
import { partitionText } from '../../src/iceberg/partition-text.ts';

const cases: readonly [string, string, unknown, string | null][] = [
  ['year', 'date', 54, '2024'],
  ['year', 'date', -1, '1969'],
  ['month', 'timestamp', 649, '2024-02'],
  ['month', 'timestamp', -1, '1969-12'],
  ['day', 'timestamptz', 19782, '2024-02-29'],
  ['day', 'date', -1, '1969-12-31'],
  ['hour', 'timestamp', 474781, '2024-02-29-13'],
  ['hour', 'timestamp', -1, '1969-12-31-23'],
  ['bucket[16]', 'long', 7, '7'],
  ['truncate[4]', 'string', 'abcd', 'abcd'],
  ['truncate[10]', 'long', 9007199254740993n, '9007199254740993'],
  ['void', 'long', null, null],
  ['identity', 'string', null, null],
  ['identity', 'string', '', ''],
  ['identity', 'boolean', true, 'true'],
  ['identity', 'date', 19782, '2024-02-29'],
  ['identity', 'time', 3_661_001_000n, '01:01:01.001000'],
  ['identity', 'timestamp', 1_709_211_723_123_456n, '2024-02-29T13:02:03.123456'],
  ['identity', 'timestamptz', 1_709_211_723_000_000n, '2024-02-29T13:02:03Z'],
  ['identity', 'timestamp', -1n, '1969-12-31T23:59:59.999999'],
  ['identity', 'timestamptz_ns', 1n, '1970-01-01T00:00:00.000000001Z'],
  ['identity', 'decimal(9, 2)', Buffer.from('ff85', 'hex'), '-1.23'],
  ['identity', 'decimal(9,2)', Buffer.from('05', 'hex'), '0.05'],
  ['identity', 'decimal(9, 0)', Buffer.from('7b', 'hex'), '123'],
  [
    'identity',
    'uuid',
    Buffer.from('12151fd2758611e98f9e2a86e4085a59', 'hex'),
    '12151fd2-7586-11e9-8f9e-2a86e4085a59',
  ],
  ['identity', 'binary', Buffer.from([0, 255]), '00ff'],
];

describe('partitionText', () => {
  it.each(cases)('%s of %s: %s is %s', (transform, sourceType, value, expected) => {
    expect(partitionText({ name: 'p', source: 's', sourceType, transform }, value)).toBe(expected);
  });
});
