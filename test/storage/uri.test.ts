import { describe, expect, it } from 'vitest';
import {
  asDirectory,
  formatObjectUri,
  normalizeObjectUri,
  parseObjectUri,
} from '../../src/storage/uri.ts';

describe('object addresses', () => {
  it.each(['s3', 's3a', 's3n'])('reads %s', (scheme) => {
    expect(parseObjectUri(`${scheme}://b/a/c d`)).toEqual({ bucket: 'b', key: 'a/c d' });
  });

  it('reads a bucket alone', () => {
    expect(parseObjectUri('s3://b')).toEqual({ bucket: 'b', key: '' });
  });

  it.each(['file:///x', 'b/k', 's3:/b/k', 's3://', 's4://b/k', ''])('refuses "%s"', (uri) => {
    expect(() => parseObjectUri(uri)).toThrow(`"${uri}" is not an object address`);
  });

  it('spells one object one way', () => {
    expect(normalizeObjectUri('s3a://b/k')).toBe('s3://b/k');
    expect(normalizeObjectUri('gs://b/k')).toBe('gs://b/k');
    expect(formatObjectUri(parseObjectUri('s3n://b/k/'))).toBe('s3://b/k/');
  });

  it('never lets /t match /t_2', () => {
    expect(asDirectory('s3a://b/t')).toBe('s3://b/t/');
    expect(asDirectory('s3://b/t/')).toBe('s3://b/t/');
  });
});
