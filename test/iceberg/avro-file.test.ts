import { deflateRawSync, zstdCompressSync } from 'node:zlib';
import avro from 'avsc';
import { describe, expect, it } from 'vitest';
import type { IcewrightError } from '../../src/domain/errors.ts';
import { readAvro } from '../../src/iceberg/avro-file.ts';

const URI = 's3://b/metadata/m.avro';
const SCHEMA = {
  type: 'record',
  name: 'r',
  fields: [
    { name: 'id', type: 'long' },
    { name: 'name', type: ['null', 'string'] },
  ],
};
const SYNC = Buffer.alloc(16, 7);
const HEADER = avro.Type.forSchema({
  type: 'record',
  name: 'h',
  fields: [
    { name: 'magic', type: { type: 'fixed', name: 'm', size: 4 } },
    { name: 'meta', type: { type: 'map', values: 'bytes' } },
    { name: 'sync', type: { type: 'fixed', name: 's', size: 16 } },
  ],
} as never);
const LONG = avro.Type.forSchema('long');

/** A container of one block; 2^62 + 1 shows whether longs stay exact. */
function container(codec: string, pack: (block: Buffer) => Buffer): Buffer {
  const id = Buffer.from([0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]);
  const block = pack(Buffer.concat([id, Buffer.from([2, 2, 0x78]), Buffer.from([2, 0])]));
  const meta = {
    'avro.schema': Buffer.from(JSON.stringify(SCHEMA)),
    'avro.codec': Buffer.from(codec),
  };
  const header = HEADER.toBuffer({ magic: Buffer.from('Obj\u0001', 'latin1'), meta, sync: SYNC });
  return Buffer.concat([header, LONG.toBuffer(2), LONG.toBuffer(block.length), block, SYNC]);
}

function read(bytes: Buffer, keep: (field: string) => boolean = () => true) {
  return [...readAvro(bytes, URI, keep)];
}

function failure(bytes: Buffer): IcewrightError {
  try {
    read(bytes);
  } catch (cause) {
    return cause as IcewrightError;
  }
  throw new Error('expected an error');
}

const plain = container('null', (block) => block);

describe('an Avro file', () => {
  it.each([
    ['null', plain],
    ['deflate', container('deflate', (block) => deflateRawSync(block))],
    ['zstandard', container('zstandard', (block) => zstdCompressSync(block))],
  ])('is read with codec %s, longs exact', (_codec, bytes) => {
    expect(read(bytes)).toEqual([
      { id: 2n ** 62n + 1n, name: 'x' },
      { id: 1n, name: null },
    ]);
  });

  it('gives only what is asked for', () => {
    expect(read(plain, (field) => field === 'name')).toEqual([{ name: 'x' }, { name: null }]);
  });

  it('of a codec that cannot be read names the remedy', () => {
    const error = failure(container('snappy', (block) => block));
    expect(error.code).toBe('OperationUnsupported');
    expect(error.message).toContain('snappy');
    expect(error.message).toContain('write.avro.compression-codec');
  });

  it.each([
    ['is no Avro', Buffer.from('PAR1 and so on'), 'it is no Avro file'],
    ['is empty', Buffer.alloc(0), 'it is no Avro file'],
    ['ends in its header', plain.subarray(0, 30), 'header'],
    ['ends in its block', plain.subarray(0, plain.length - 20), 'cut off'],
    ['has a broken mark', Buffer.concat([plain.subarray(0, -1), Buffer.from([1])]), 'does not end'],
    ['does not inflate', container('deflate', (block) => block), 'cannot be decompressed'],
  ])('that %s names itself', (_title, bytes, why) => {
    const error = failure(bytes);
    expect(error.code).toBe('InvariantBroken');
    expect(error.message).toContain(URI);
    expect(error.message).toContain(why);
  });
});
