/**
 * Reads Avro's primitive values one after another. Nothing is checked on the way: whoever reads
 * asks {@link AvroCursor.overrun} after each record and after each count that a loop follows.
 */
export class AvroCursor {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  /** Read beyond the end: what came last is not to be used. */
  get overrun(): boolean {
    return this.at > this.bytes.length;
  }

  /** A zigzag varint; beyond 2^53 only nearly exact. */
  long(): number {
    const { bytes } = this;
    let at = this.at;
    let byte = bytes[at++] as number;
    let value = byte & 0x7f;
    if (byte < 0x80) {
      this.at = at;
      return (value >>> 1) ^ -(value & 1);
    }
    let scale = 128;
    for (let read = 1; read < 10; read += 1) {
      byte = bytes[at++] as number;
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (!(byte >= 0x80)) break;
    }
    this.at = at;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  /** A zigzag varint of any size, exact. */
  exactLong(): bigint {
    const start = this.at;
    const near = this.long();
    if (Number.isSafeInteger(near)) return BigInt(near);
    let value = 0n;
    for (let index = this.at - 1; index >= start; index -= 1) {
      value = (value << 7n) | BigInt((this.bytes[index] as number) & 0x7f);
    }
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }

  skipLong(): void {
    const { bytes } = this;
    let at = this.at;
    while ((bytes[at++] as number) >= 0x80);
    this.at = at;
  }

  /** Most of a manifest are maps of counts: one loop over them is several times faster. */
  skipLongs(count: number): void {
    const { bytes } = this;
    let at = this.at;
    for (let left = count; left > 0 && at < bytes.length; left -= 1) {
      while ((bytes[at++] as number) >= 0x80);
    }
    this.at = at;
  }

  /** A length that may be skipped; a negative one would lead backward for ever. */
  length(): number {
    const value = this.long();
    if (value < 0) this.fail();
    return value;
  }

  skipBytes(): void {
    // Reading the length moves `at`: it must come first.
    const size = this.length();
    this.at += size;
  }

  /** A view, not a copy. */
  blob(): Buffer {
    const size = this.length();
    return this.fixed(size);
  }

  fixed(size: number): Buffer {
    const start = this.at;
    this.at += size;
    return this.bytes.subarray(start, this.at);
  }

  text(): string {
    return this.blob().toString('utf8');
  }

  /** What follows makes no sense: everything after it is beyond the end. */
  fail(): void {
    this.at = Number.MAX_SAFE_INTEGER;
  }
}
