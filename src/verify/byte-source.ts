/** Reads an object by ranges, so that none has to fit into memory. */
import type { VersionedStore } from './ports.ts';
import { Unreadable } from './unreadable.ts';

export interface ByteSource {
  readonly size: number;
  /** @throws Unreadable for a range outside the object, or more than {@link MAX_PIECE_BYTES} */
  read(start: number, length: number): Promise<Buffer>;
}

export interface SourceOptions {
  readonly store: VersionedStore;
  readonly uri: string;
  readonly versionId: string | null;
  readonly size: number;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes: (bytes: number) => void;
}

/** A page, a block or a footer larger than this is not read: pages have 1 MB as a rule. */
export const MAX_PIECE_BYTES = 96 * 2 ** 20;
/** Requests are worth their time from here on, and four objects at once stay small. */
const WINDOW_BYTES = 4 * 2 ** 20;

/** Pieces that lie together are fetched together. */
export function openSource(options: SourceOptions): ByteSource {
  const { store, uri, versionId, size, signal, onBytes } = options;
  let window: { readonly start: number; readonly bytes: Buffer } = {
    start: 0,
    bytes: Buffer.alloc(0),
  };
  const fetch = async (start: number, length: number) => {
    signal?.throwIfAborted();
    const bytes = await store.readRange(uri, versionId, { start, end: start + length });
    onBytes(bytes.length);
    if (bytes.length !== length) throw new Unreadable('damaged');
    return bytes;
  };
  return {
    size,
    read: async (start, length) => {
      if (length > MAX_PIECE_BYTES) throw new Unreadable('too_large');
      if (!(start >= 0) || !(length >= 0) || start + length > size) throw new Unreadable('damaged');
      const offset = start - window.start;
      if (offset < 0 || offset + length > window.bytes.length) {
        const wanted = Math.min(size - start, Math.max(length, WINDOW_BYTES));
        window = { start, bytes: await fetch(start, wanted) };
        return window.bytes.subarray(0, length);
      }
      return window.bytes.subarray(offset, offset + length);
    },
  };
}

export interface SourcePiece {
  readonly bytes: Buffer;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/**
 * A part of the object in pieces that overlap: nothing is missed where one ends.
 * @param overlap bytes that two pieces share
 */
export async function* piecesOf(
  source: ByteSource,
  overlap: number,
  from = 0,
  to = source.size,
): AsyncGenerator<SourcePiece> {
  const step = Math.max(WINDOW_BYTES, 4 * overlap);
  for (let start = from; start < to; start += step) {
    const first = Math.max(from, start - overlap);
    const end = Math.min(to, start + step);
    const bytes = await source.read(first, end - first);
    yield { bytes, isFirst: start === from, isLast: end === to };
  }
}
