import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatBytes, formatDuration, parseBytes, parseDuration } from '../../src/domain/units.ts';

test.each([
  ['512MB', 536_870_912],
  ['1 kb', 1_024],
  ['0B', 0],
  ['1.5GB', 1_610_612_736],
  ['2TB', 2_199_023_255_552],
])('%s is %d bytes', (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each([
  ['7d', 604_800_000],
  ['1.5h', 5_400_000],
  ['90 s', 90_000],
  ['15ms', 15],
  ['0s', 0],
])('%s is %d milliseconds', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

describe('what is no quantity is refused with an example', () => {
  test.each(['512', 'MB', '-1MB', '1 MiB', '1e3MB', ''])('size %j', (text) => {
    expect(() => parseBytes(text)).toThrow(/write for example 512MB/);
  });
  test.each(['7', '7 days', '-1d', '7D', ''])('duration %j', (text) => {
    expect(() => parseDuration(text)).toThrow(/write for example 7d/);
  });
});

test('quantities are shown in the largest unit that leaves at least one', () => {
  expect(formatBytes(1_023)).toBe('1023 B');
  expect(formatBytes(536_870_912)).toBe('512 MB');
  expect(formatBytes(1_610_612_736)).toBe('1.5 GB');
  expect(formatDuration(999)).toBe('999 ms');
  expect(formatDuration(5_400_000)).toBe('1.5 h');
  expect(formatDuration(604_800_000)).toBe('7 d');
});

test('whole megabytes and minutes survive being shown and read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1_023 }), (count) => {
      expect(parseBytes(formatBytes(count * 2 ** 20))).toBe(count * 2 ** 20);
    }),
  );
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 59 }), (count) => {
      expect(parseDuration(formatDuration(count * 60_000))).toBe(count * 60_000);
    }),
  );
});
