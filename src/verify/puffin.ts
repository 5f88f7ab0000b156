/** Puffin files: deletion vectors (positions only), sketches (hashes only), and properties. */
import { type ByteSource, MAX_PIECE_BYTES } from './byte-source.ts';
import { unpackZstd } from './codecs.ts';
import type { Look } from './look.ts';
import { lookAtBytes } from './raw-look.ts';
import { Unreadable } from './unreadable.ts';

interface Blob {
  readonly type?: string;
  readonly offset?: number;
  readonly length?: number;
  readonly 'compression-codec'?: string;
}

/** Size of the payload, flags and magic, which end the file. */
const TAIL_BYTES = 12;
const MAGIC = 'PFA1';
const DELETION_VECTOR = 'deletion-vector-v1';

/** @throws Unreadable, or anything for damaged bytes */
export async function lookAtPuffin(source: ByteSource, look: Look): Promise<void> {
  if (source.size < TAIL_BYTES + 8) throw new Unreadable('damaged');
  const tail = await source.read(source.size - TAIL_BYTES, TAIL_BYTES);
  const payload = tail.readInt32LE(0);
  if (tail.toString('latin1', 8) !== MAGIC) throw new Unreadable('damaged');
  if (((tail[4] as number) & 1) !== 0) throw new Unreadable('unknown_codec');
  const footer = await source.read(source.size - TAIL_BYTES - payload, payload);
  look.wanted.texts.scan(footer, 'text', (hit) => look.found(hit, 'text'));
  const { blobs = [] } = JSON.parse(footer.toString('utf8')) as {
    readonly blobs?: readonly Blob[];
  };
  for (const blob of blobs) {
    const { type = '', offset = -1, length = -1, 'compression-codec': codec } = blob;
    if (type !== DELETION_VECTOR) look.limited('sketch');
    const bytes = await source.read(offset, length);
    if (codec === undefined) continue;
    if (codec !== 'zstd') throw new Unreadable('unknown_codec');
    const plain = unpackZstd(bytes, MAX_PIECE_BYTES);
    look.wanted.texts.scan(plain, 'binary', (hit) => look.found(hit, 'text'));
  }
  await lookAtBytes(source, look, 'binary', source.size - TAIL_BYTES - payload);
}
