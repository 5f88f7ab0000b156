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

/** All frames: Node.js itself stops after the first, in silence. */
export function unpackZstd(packed: Uint8Array, maxBytes: number): Buffer {
  const frames: Buffer[] = [];
  let [at, total] = [0, 0];
  while (at < packed.length) {
    const frame = unpackFrame(packed.subarray(at), maxBytes - total);
    if (frame.taken <= 0) throw new Unreadable('damaged');
    frames.push(frame.bytes);
    at += frame.taken;
    total += frame.bytes.length;
  }
  const [first] = frames;
  return frames.length === 1 && first !== undefined ? first : Buffer.concat(frames);
}

/** What the types of Node.js leave out: with `info`, the engine that did it comes along. */
interface Unpacked {
  readonly buffer: Buffer;
  readonly engine: { readonly bytesWritten: number };
}

function unpackFrame(packed: Uint8Array, maxBytes: number) {
  const options = { info: true, maxOutputLength: Math.max(1, maxBytes) };
  const { buffer, engine } = zstdDecompressSync(packed, options) as unknown as Unpacked;
  return { bytes: buffer, taken: engine.bytesWritten };
}

export const COMPRESSORS: Compressors = {
  ZSTD: (input, size) => unpackZstd(input, size),
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
      return unpackZstd(block, maxBytes);
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
