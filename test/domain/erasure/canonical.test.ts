import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalText } from '../../../src/domain/erasure/canonical.ts';

describe('canonical text', () => {
  test("is that of RFC 8785's own example", () => {
    const value = {
      numbers: JSON.parse('[333333333.33333329, 4.50, 2e-3, 0.000000000000000000000000001]'),
      string: '\u20ac$\u000F\u000aA\'\u0042\u0022\u005c\\"/',
      literals: [null, true, false],
    };
    expect(canonicalText(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  test('sorts members by UTF-16 code units, as the RFC does', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\ud83d\ude00', '\u0080', '\u00f6'];
    const value = Object.fromEntries(names.map((name) => [name, 0]));
    expect(Object.keys(JSON.parse(canonicalText(value)))).toHaveLength(7);
    const order = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\ud83d\ude00', '\ufb33'];
    const members = order.map((name) => `${JSON.stringify(name)}:0`);
    expect(canonicalText(value)).toBe(`{${members.join(',')}}`);
  });

  test('knows one text for a number', () => {
    expect(canonicalText([1.0, -0, 1, 1e21 / 1e21, 9007199254740991])).toBe(
      '[1,0,1,1,9007199254740991]',
    );
  });

  test.each([
    [{ a: { b: [Number.NaN] } }, '$.a.b[0]', /not finite/],
    [{ a: 2 ** 53 }, '$.a', /beyond 2\^53/],
    [{ a: undefined }, '$.a', /type undefined/],
    [[new Date(0)], '$[0]', /type object/],
    [{ a: 1n }, '$.a', /type bigint/],
    [['\ud800'], '$[0]', /half a character/],
    [['a\0b'], '$[0]', /NUL/],
    [{ 'a\0': 1 }, '$', /NUL/],
    // A hole in an array.
    [Array(1), '$[0]', /type undefined/],
  ])('refuses %#, saying where and not what', (value, place, message) => {
    expect(() => canonicalText(value)).toThrow(message);
    expect(() => canonicalText(value)).toThrow(`at ${place}:`);
  });

  test('means the same value, whatever the order of its members', () => {
    const text = fc.string({ unit: 'grapheme' }).map((one) => one.replaceAll('\0', ''));
    const leaf = fc.oneof(text, fc.boolean(), fc.constant(null), fc.maxSafeInteger());
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof({ maxDepth: 4 }, leaf, fc.array(tie('value')), tie('object')),
      object: fc.dictionary(text, tie('value')).map((one) => ({ ...one })),
    }));
    fc.assert(
      fc.property(value, (one) => {
        const canonical = canonicalText(one);
        expect(JSON.parse(canonical)).toEqual(one);
        expect(canonicalText(reversed(JSON.parse(canonical)))).toBe(canonical);
      }),
    );
  });
});

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([name, one]) => [name, reversed(one)]));
}
