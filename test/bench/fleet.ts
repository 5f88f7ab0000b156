/**
 * A synthetic fleet, the same for the same seed.
 *
 * - Tables by size: Zipf (exponent 1.1) over 2,000 tables, from tens of thousands of small files in
 *   the first to a handful in the last, in an order that says nothing of it; 20 namespaces, whose
 *   sizes are Zipf as well.
 * - Partitions: one in five tables has none; the others have 4 to 400 (log-uniform).
 * - Small files fall on partitions by a power law (exponent 1.5: a few partitions are written by
 *   streams, most by a batch a day), so that many partitions hold one to four of them.
 * - Sizes of small files: log-normal around a median of the table's own, 0.5 to 64 MB
 *   (log-uniform; sigma 1 within a partition), below 75 % of the target; each partition also has
 *   well-sized files, which nobody should touch.
 * - Targets: 128, 256 or 512 MB.
 */
export interface FleetTable {
  readonly table: string;
  readonly targetBytes: number;
  readonly partitions: readonly FleetPartition[];
}

export interface FleetPartition {
  readonly small: readonly number[];
  readonly sized: readonly number[];
}

const MB = 2 ** 20;

export interface Random {
  /** 0 to 1. */
  next(): number;
  normal(): number;
  logUniform(from: number, to: number): number;
  pick<T>(items: readonly T[]): T;
}

/** Mulberry32: small, and the same everywhere. */
export function randomOf(seed: number): Random {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    normal: () => Math.sqrt(-2 * Math.log(next() || 1e-12)) * Math.cos(2 * Math.PI * next()),
    logUniform: (from, to) => from * (to / from) ** next(),
    pick: (items) => items[Math.floor(next() * items.length)] as (typeof items)[number],
  };
}

export function makeFleet(seed: number, tables: number): readonly FleetTable[] {
  const random = randomOf(seed);
  const ranks = shuffled(
    Array.from({ length: tables }, (_, at) => at + 1),
    random,
  );
  return ranks.map((rank, at) => {
    const namespace = `n${Math.floor(20 * random.next() ** 2)}`;
    const table = `lake.${namespace}.t${String(at).padStart(5, '0')}`;
    const files = Math.max(3, Math.round(30_000 / rank ** 1.1));
    return makeTable(table, files, random);
  });
}

function makeTable(table: string, files: number, random: Random): FleetTable {
  const targetBytes = random.pick([128, 256, 512]) * MB;
  const count = random.next() < 0.2 ? 1 : Math.round(random.logUniform(4, 400));
  const weights = shuffled(
    Array.from({ length: count }, (_, at) => 1 / (at + 1) ** 1.5),
    random,
  );
  const total = weights.reduce((sum, one) => sum + one, 0);
  const median = random.logUniform(0.5, 64) * MB;
  return {
    table,
    targetBytes,
    partitions: weights.map((weight) => {
      const mean = (files * weight) / total;
      const whole = Math.floor(mean) + (random.next() < mean % 1 ? 1 : 0);
      const small = Array.from({ length: whole }, () => {
        const size = Math.round(median * Math.exp(random.normal()));
        return Math.min(Math.max(size, 10_000), Math.floor(0.74 * targetBytes));
      });
      const sized = Array.from({ length: Math.floor(random.next() * 6) }, () =>
        Math.round(targetBytes * (0.8 + 0.4 * random.next())),
      );
      return { small, sized };
    }),
  };
}

function shuffled<T>(items: T[], random: Random): readonly T[] {
  for (let at = items.length - 1; at > 0; at -= 1) {
    const other = Math.floor(random.next() * (at + 1));
    [items[at], items[other]] = [items[other] as T, items[at] as T];
  }
  return items;
}

/** What a compaction of a partition does, whoever asked for it. */
export interface Rewrite {
  readonly removed: number;
  readonly bytes: number;
}

/**
 * Bin-packing as Iceberg's `rewrite_data_files` does it by default: the small files of a partition
 * are rewritten when there are five of them, or two that are more than one file's worth; rows are
 * split freely, so b bytes become ceil(b / target) files.
 */
export function rewrite({ small }: FleetPartition, targetBytes: number): Rewrite {
  const bytes = small.reduce((sum, one) => sum + one, 0);
  const chosen = small.length >= 5 || (small.length > 1 && bytes > targetBytes);
  if (!chosen) return { removed: 0, bytes: 0 };
  return { removed: small.length - Math.max(1, Math.ceil(bytes / targetBytes)), bytes };
}
