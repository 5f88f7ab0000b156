import { Unreadable } from './unreadable.ts';

/**
 * The codec that Parquet calls LZ4: blocks with their sizes before them, as Hadoop writes them;
 * some writers leave the sizes out.
 */
export function unpackLz4(input: Uint8Array, size: number): Uint8Array {
  const output = Buffer.alloc(size);
  if (!unpackFramed(input, output)) unpackLz4Block(input, output, 0);
  return output;
}

function unpackFramed(input: Uint8Array, output: Buffer): boolean {
  const bytes = Buffer.from(input.buffer, input.byteOffset, input.length);
  let [at, written] = [0, 0];
  while (at + 8 <= bytes.length) {
    const size = bytes.readUInt32BE(at);
    const packed = bytes.readUInt32BE(at + 4);
    at += 8;
    if (at + packed > bytes.length || written + size > output.length) return false;
    try {
      if (unpackLz4Block(bytes.subarray(at, at + packed), output, written) !== size) return false;
    } catch {
      return false;
    }
    at += packed;
    written += size;
  }
  return at === bytes.length && written === output.length;
}

/**
 * One block: literals, then copies of what is written already, in turn.
 * @returns bytes written
 * @throws Unreadable `damaged`
 */
export function unpackLz4Block(input: Uint8Array, output: Uint8Array, start: number): number {
  let [at, to] = [0, start];
  const lengthFrom = (first: number) => {
    let length = first;
    if (first < 15) return length;
    for (let byte = 255; byte === 255; ) {
      byte = input[at++] ?? -1;
      if (byte < 0) throw new Unreadable('damaged');
      length += byte;
    }
    return length;
  };
  while (at < input.length) {
    const token = input[at++] as number;
    const literals = lengthFrom(token >> 4);
    if (at + literals > input.length || to + literals > output.length)
      throw new Unreadable('damaged');
    output.set(input.subarray(at, at + literals), to);
    at += literals;
    to += literals;
    if (at >= input.length) break;
    const offset = (input[at] as number) | ((input[at + 1] ?? 0) << 8);
    at += 2;
    const end = to + lengthFrom(token & 15) + 4;
    if (offset === 0 || to - offset < start || end > output.length) throw new Unreadable('damaged');
    // Byte by byte: a copy may overlap what it writes.
    for (; to < end; to += 1) output[to] = output[to - offset] as number;
  }
  return to - start;
}
