import { createHash, createHmac } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { hmacPads, parseMacros, renderMacros } from '../../../src/domain/model/sql.ts';
import { parseColumnType, parsePartition } from '../../../src/domain/model/types.ts';

const RENDERER = {
  input: (table: string) => `<${table}>`,
  target: () => '<target>',
  keyedHash: (expression: string) => `hash(${expression})`,
};

describe('macros', () => {
  test('are replaced where they stand, and nothing else is', () => {
    const sql = `SELECT {{ keyed_hash('concat(a, ''|'')') }} FROM {{input('silver.a')}}, {{target}}`;
    expect(renderMacros(sql, RENDERER)).toBe(
      `SELECT hash(concat(a, '|')) FROM <silver.a>, <target>`,
    );
    expect(renderMacros('SELECT map(1, 2) { }', RENDERER)).toBe('SELECT map(1, 2) { }');
  });

  test.each([
    ['SELECT {{inptu("a")}}', 7],
    ["SELECT {{input('a'}}", 7],
    ["x {{target('a')}}", 2],
    ['x {{input}}', 2],
    ['{{target', 0],
  ])('%s is a fault at its place', (sql, offset) => {
    const { faults } = parseMacros(sql);
    expect(faults.map((fault) => fault.offset)).toEqual([offset]);
    expect(() => renderMacros(sql, RENDERER)).toThrow(/not a macro|has no/);
  });

  test('what an argument says is never read as a macro again', () => {
    const sql = `{{keyed_hash('a')}}{{target}}`;
    const renderer = { ...RENDERER, keyedHash: () => '{{target}}' };
    expect(renderMacros(sql, renderer)).toBe('{{target}}<target>');
  });
});

describe('hmacPads', () => {
  test.each([16, 32, 64])('with a key of %i bytes two hashes give HMAC-SHA256', (bytes) => {
    const key = Buffer.alloc(bytes, 7);
    const pads = hmacPads(key.toString('hex'));
    const sha = (...parts: Buffer[]) => createHash('sha256').update(Buffer.concat(parts)).digest();
    const inner = sha(Buffer.from(pads.hmac_inner_pad, 'hex'), Buffer.from('ada@example.com'));
    const outer = sha(Buffer.from(pads.hmac_outer_pad, 'hex'), inner);
    expect(outer).toEqual(createHmac('sha256', key).update('ada@example.com').digest());
  });

  test.each(['', '11', 'xy'.repeat(16), '1'.repeat(33), '11'.repeat(65)])(
    'the key "%s" is refused without being repeated',
    (key) => {
      expect(() => hmacPads(key)).toThrow(/16 to 64 bytes in hexadecimal/);
    },
  );
});

describe('types and partitions', () => {
  test('are read, or not at all', () => {
    expect(parseColumnType('decimal(18,2)')).toEqual({ kind: 'decimal', precision: 18, scale: 2 });
    expect(parseColumnType('timestamptz')).toEqual({ kind: 'timestamptz' });
    for (const bad of ['decimal', 'decimal(39,2)', 'decimal(2,3)', 'varchar', 'BIGINT', '']) {
      expect(parseColumnType(bad)).toBeNull();
    }
    expect(parsePartition('country')).toEqual({ kind: 'identity', column: 'country' });
    expect(parsePartition('day(at)')).toEqual({ kind: 'day', column: 'at' });
    expect(parsePartition('bucket(16, id)')).toEqual({ kind: 'bucket', column: 'id', size: 16 });
    for (const bad of ['days(at)', 'bucket(id)', 'bucket(0, id)', 'day(at', 'at)', 'day(3, at)']) {
      expect(parsePartition(bad)).toBeNull();
    }
  });
});
