/** Objects that are searched as bytes: metadata files, and whatever is no part of a table. */
import { Readable } from 'node:stream';
import { createGunzip, createZstdDecompress, type ZstdDecompress } from 'node:zlib';
import { type ByteSource, MAX_PIECE_BYTES, piecesOf } from './byte-source.ts';
import type { Look } from './look.ts';
import { lookAtAssignments } from './paths.ts';
import type { TextKind, TextPiece } from './texts.ts';
import { Unreadable } from './unreadable.ts';

/** A packed object may not unpack to more than this: 64 GB of zeros fit into a few megabytes. */
const MAX_UNPACKED_BYTES = 4 * 2 ** 30;

/** A `column=value` that is cut at a piece's end is whole in the next one. */
const MIN_OVERLAP_BYTES = 1_024;

/** Searches the object up to `end` as it is. */
export async function lookAtBytes(
  source: ByteSource,
  look: Look,
  kind: TextKind,
  end = source.size,
): Promise<void> {
  for await (const piece of piecesOf(source, overlapOf(look), 0, end)) {
    lookAtPiece(piece.bytes, look, kind, piece);
  }
}

function overlapOf({ wanted }: Look): number {
  return Math.max(MIN_OVERLAP_BYTES, wanted.texts.overlapBytes);
}

function lookAtPiece(raw: Buffer, look: Look, kind: TextKind, piece: TextPiece): void {
  const isWhole = kind === 'text' && piece.isFirst && piece.isLast;
  const bytes = isWhole ? withoutCounts(raw) : raw;
  look.wanted.texts.scan(bytes, kind, (hit) => look.found(hit, 'text'), { piece });
  if (kind === 'text') lookAtAssignments(bytes.toString('utf8'), look, 'text', piece);
}

const COUNT_OR_TEXT =
  /"(?:added|changed|deleted|existing|removed|total)-[\w-]+"\s*:\s*"\d+"|"(?:[^"\\]|\\.)*"|\d+/g;

/**
 * Metadata without its own counts and numbers, which nobody wrote down of a person: a size of
 * 5550100 bytes is no phone.
 */
function withoutCounts(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1');
  const blank = text.replace(COUNT_OR_TEXT, (token) => {
    const isText = token.startsWith('"') && !/^"[\w-]+"\s*:/.test(token);
    return isText ? token : token.replace(/\d/g, ' ');
  });
  return Buffer.from(blank, 'latin1');
}

/** The same for what an object packed by gzip or zstandard unpacks to. */
export async function lookAtPacked(
  source: ByteSource,
  look: Look,
  codec: 'gzip' | 'zstd',
  kind: TextKind,
): Promise<void> {
  const overlap = overlapOf(look);
  let [held, total, isFirst] = [Buffer.alloc(0), 0, true];
  const step = Math.max(2 ** 20, 4 * overlap);
  for await (const chunk of unpacked(source, codec)) {
    total += chunk.length;
    if (total > MAX_UNPACKED_BYTES) throw new Unreadable('too_large');
    held = Buffer.concat([held, chunk]);
    if (held.length < step) continue;
    lookAtPiece(held, look, kind, { isFirst, isLast: false });
    isFirst = false;
    held = Buffer.from(held.subarray(held.length - overlap));
  }
  lookAtPiece(held, look, kind, { isFirst, isLast: true });
}

async function* unpacked(source: ByteSource, codec: 'gzip' | 'zstd'): AsyncGenerator<Buffer> {
  if (codec === 'zstd') {
    yield* unpackedFrames(source);
    return;
  }
  const chunks = async function* () {
    for await (const piece of piecesOf(source, 0)) yield piece.bytes;
  };
  const packed = Readable.from(chunks());
  const stream = createGunzip();
  packed.once('error', (cause) => stream.destroy(cause));
  for await (const chunk of packed.pipe(stream)) yield chunk as Buffer;
}

/** Frame by frame: after the end of one, a stream of Node.js drops what it was given with it. */
async function* unpackedFrames(source: ByteSource): AsyncGenerator<Buffer> {
  for (let at = 0; at < source.size; ) {
    const stream = createZstdDecompress();
    void feed(source, at, stream);
    for await (const chunk of stream) yield chunk as Buffer;
    if (stream.bytesWritten <= 0) throw new Unreadable('damaged');
    at += stream.bytesWritten;
  }
}

/** Hands over bytes from `from` on until some of them are left over, which a new frame begins. */
async function feed(source: ByteSource, from: number, stream: ZstdDecompress): Promise<void> {
  try {
    let fed = 0;
    for await (const { bytes } of piecesOf(source, 0, from)) {
      fed += bytes.length;
      await new Promise<void>((resolve, reject) => {
        stream.write(bytes, (cause) => (cause == null ? resolve() : reject(cause)));
      });
      if (stream.bytesWritten < fed) break;
    }
    stream.end();
  } catch (cause) {
    stream.destroy(cause as Error);
  }
}

/** The whole text of a metadata file, unpacked where its name says so. */
export async function readText(source: ByteSource): Promise<string> {
  const head = await source.read(0, Math.min(4, source.size));
  const codec = packedWith(head);
  if (codec === null) return (await source.read(0, source.size)).toString('utf8');
  const chunks: Buffer[] = [];
  let total = 0;
  for await (const chunk of unpacked(source, codec)) {
    total += chunk.length;
    if (total > MAX_PIECE_BYTES) throw new Unreadable('too_large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** By the first bytes. */
export function packedWith(head: Buffer): 'gzip' | 'zstd' | null {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  return head.length >= 4 && head.readUInt32LE(0) === 0xfd2fb528 ? 'zstd' : null;
}
