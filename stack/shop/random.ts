/** Chance that repeats: the same seed and label always give the same run of values. */
export interface Random {
  /** An integer of `[low, high]`, both included. */
  int(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** `count` different members, in no order; all of them when there are fewer. */
  sample<T>(from: readonly T[], count: number): T[];
}

/** @param label keeps streams of one seed apart, for example `orders/3` */
export function createRandom(seed: number, label: string): Random {
  let state = hash(`${seed}/${label}`);
  // Weyl sequence with a 32-bit finaliser: small, quick, and the same on every machine.
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    return mix(state) / 2 ** 32;
  };
  const int = (low: number, high: number) => low + Math.floor(next() * (high - low + 1));
  return {
    int,
    chance: (probability) => next() < probability,
    pick: (from) => from[int(0, from.length - 1)] as (typeof from)[number],
    sample: (from, count) => {
      const left = [...from];
      const taken = Math.min(count, left.length);
      for (let index = 0; index < taken; index += 1) {
        const other = int(index, left.length - 1);
        [left[index], left[other]] = [left[other] as never, left[index] as never];
      }
      return left.slice(0, taken);
    },
  };
}

function hash(text: string): number {
  let value = 0;
  for (const unit of text) value = mix((value ^ (unit.codePointAt(0) as number)) >>> 0);
  return value;
}

function mix(value: number): number {
  let mixed = (value + 0x7f4a7c15) >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
