/**
 * Paths of millions of files in some twelve bytes each: only 64 bits of a hash are kept of a path.
 * Two paths that share them would make a file look reachable that is not: it stays. Never the
 * reverse: what was added is always found.
 */
import { hash } from 'node:crypto';

/** Slots at the beginning; a power of two. */
const FIRST_SLOTS = 2 ** 10;
/** Of a hundred slots, those that may be taken before there are twice as many. */
const FULL_PERCENT = 60;
/** Two 32-bit halves. */
const WORDS = 2;

export class PathSet {
  /** Different paths, after {@link placeOf}. */
  size = 0;
  private slots = FIRST_SLOTS;
  private words = new Uint32Array(FIRST_SLOTS * WORDS);

  add(uri: string): void {
    if (this.size * 100 >= this.slots * FULL_PERCENT) this.grow();
    const [high, low] = halvesOf(uri);
    const at = this.slotOf(high, low);
    if (this.isTaken(at)) return;
    this.words[at] = high;
    this.words[at + 1] = low;
    this.size += 1;
  }

  has(uri: string): boolean {
    const [high, low] = halvesOf(uri);
    return this.isTaken(this.slotOf(high, low));
  }

  /** Bytes that the set takes. */
  get bytes(): number {
    return this.words.byteLength;
  }

  private isTaken(at: number): boolean {
    return this.words[at] !== 0 || this.words[at + 1] !== 0;
  }

  /** Where these halves are, or the free slot where they belong. */
  private slotOf(high: number, low: number): number {
    const mask = this.slots - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WORDS;
      if (!this.isTaken(at)) return at;
      if (this.words[at] === high && this.words[at + 1] === low) return at;
    }
  }

  private grow(): void {
    const before = this.words;
    this.slots *= 2;
    this.words = new Uint32Array(this.slots * WORDS);
    for (let at = 0; at < before.length; at += WORDS) {
      const [high, low] = [before[at] as number, before[at + 1] as number];
      if (high === 0 && low === 0) continue;
      const to = this.slotOf(high, low);
      this.words[to] = high;
      this.words[to + 1] = low;
    }
  }
}

/** Whether a path belongs to a sample of this share (0 to 1): by its name alone. */
export function isSampled(uri: string, share: number): boolean {
  return halvesOf(uri)[0] < share * 2 ** 32;
}

/** All zeros mean a free slot. */
function halvesOf(uri: string): readonly [number, number] {
  const bytes = hash('sha1', placeOf(uri), 'buffer');
  const [high, low] = [bytes.readUInt32LE(0), bytes.readUInt32LE(4)];
  return high === 0 && low === 0 ? [0, 1] : [high, low];
}

/**
 * One spelling for all that may be the same object: without scheme and bucket (an access point is
 * a bucket by another name), what follows `?` or `#`, doubled slashes and percent signs. Spellings
 * that fall together by this can only keep a file.
 */
export function placeOf(uri: string): string {
  const key = uri.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*/i, '').replace(/[?#].*$/s, '');
  return decode(key)
    .replace(/\/{2,}/g, '/')
    .replace(/^\//, '');
}

function decode(key: string): string {
  if (!key.includes('%')) return key;
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}
