/** Tables of a few partitions, and how a compaction of them is tuned. */
import type { EngineCores } from '../../../src/domain/engine.ts';
import type { TableHealth } from '../../../src/domain/health/health.ts';
import type { CompactOperation } from '../../../src/domain/operation.ts';
import { tuneCompact } from '../../../src/domain/planner/tuning.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { health, MB, partition } from '../health/fixture.ts';

export const BINPACK: CompactOperation = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: 512 * MB,
  minInputFiles: 5,
  rewriteAll: false,
};
export const ZSTD = { 'write.parquet.compression-codec': 'zstd' };

/** Partitions as `[files, MB]`. */
export function table(parts: readonly (readonly [number, number])[], properties = {}): TableHealth {
  const partitionHealth = parts.map(([files, size], at) => partition(`d${at}`, files, size * MB));
  return health({ partitionHealth, properties });
}

export function tune(
  found: TableHealth,
  cores: number | null,
  more: {
    readonly operation?: Partial<CompactOperation>;
    readonly receipts?: readonly Receipt[];
    readonly tuning?: 'auto' | 'off';
    readonly compression?: 'auto' | 'keep';
  } = {},
) {
  const known: EngineCores = cores === null ? {} : { spark: cores };
  const { operation, reasons } = tuneCompact(
    { ...BINPACK, ...more.operation },
    {
      health: found,
      cores: known,
      recentReceipts: more.receipts ?? [],
      policy: {
        minInputFiles: 5,
        tuning: more.tuning ?? 'auto',
        compression: more.compression ?? 'auto',
      },
    },
  );
  return { tuning: operation.tuning, reasons };
}
