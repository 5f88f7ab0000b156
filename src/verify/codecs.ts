/** Unpacks what Parquet and Avro files are packed with; snappy is hyparquet's. */
import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  zstdDecompressSync,
} from 'node:zlib';
import type { Compressors } from 'hyparquet';
import { snappyUncompress } from 'hyparquet';
import { unpackLz4, unpackLz4Block } from './lz4.ts';
import { Unreadable } from './unreadable.ts';

/** A page says how large it is: it may not become larger. */
const exactly = (size: number) => ({
  maxOutputLength: Math.max(1, size),
  chunkSize: Math.max(64, size),
});

export const COMPRESSORS: Compressors = {
  ZSTD: (input, size) => zstdDecompressSync(input, exactly(size)),
  GZIP: (input, size) => gunzipSync(input, exactly(size)),
  BROTLI: (input, size) =>
    brotliDecompressSync(input, {
      ...exactly(size),
      params: { [constants.BROTLI_DECODER_PARAM_LARGE_WINDOW]: 1 },
    }),
  LZ4: unpackLz4,
  LZ4_RAW: (input, size) => {
    const output = Buffer.alloc(size);
    unpackLz4Block(input, output, 0);
    return output;
  },
};

/** @throws Unreadable `unknown_codec`; errors of the codec for damaged bytes */
export function unpackAvroBlock(block: Buffer, codec: string, maxBytes: number): Buffer {
  const limits = { maxOutputLength: maxBytes };
  switch (codec) {
    case 'null':
      return block;
    case 'deflate':
      return inflateRawSync(block, limits);
    case 'zstandard':
      return zstdDecompressSync(block, limits);
    case 'snappy': {
      // Four bytes of checksum follow.
      const packed = block.subarray(0, -4);
      const size = snappySize(packed);
      if (size > maxBytes) throw new Unreadable('too_large');
      const output = Buffer.alloc(size);
      snappyUncompress(packed, output);
      return output;
    }
    default:
      throw new Unreadable('unknown_codec');
  }
}

/** The varint that a snappy block begins with. */
function snappySize(bytes: Buffer): number {
  let size = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[index] ?? 0;
    size += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return size;
  }
  throw new Unreadable('damaged');
}
