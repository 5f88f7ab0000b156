/**
 * How an engine is to go about a compaction: chosen from the partitions and the engine's cores, so
 * that no core idles. Pure. Figures and what was tried: docs/decisions/0017.
 */
import type { EngineCores } from '../engine.ts';
import type { TableHealth } from '../health/health.ts';
import type { CompactOperation, CompactTuning, Estimate, Reason, TablePlan } from '../operation.ts';
import type { Receipt } from '../receipt.ts';
import { formatBytes } from '../units.ts';
import { outputFiles, type PartitionLoad, type Span } from './makespan.ts';
import { chooseOutputSize } from './output-size.ts';

export interface TuningInput {
  readonly health: TableHealth;
  /** An engine that is not named: its own defaults stay. */
  readonly cores: EngineCores;
  /** Of this table, newest first. */
  readonly recentReceipts: readonly Receipt[];
  readonly policy: TuningPolicy;
}

/** What of the policy of compactions decides how they go about it. */
export interface TuningPolicy {
  /** Fewest small files of a partition for which it is compacted again. */
  readonly minInputFiles: number;
  /** `off`: sizes and file groups are the engine's affair. */
  readonly tuning: 'auto' | 'off';
  /** `keep`: the level of compression is the table's and the engine's affair. */
  readonly compression: 'auto' | 'keep';
}

export interface Tuned {
  readonly operation: CompactOperation;
  /** Each option with the value chosen and the one it stands for. */
  readonly reasons: readonly Reason[];
  /** Files that it leaves beyond those of the target size. */
  readonly filesMore: number;
}

/** Iceberg's own default. */
const CONCURRENT_GROUPS = 5;
const CONCURRENT_GROUPS_MAX = 256;
/** What a cluster has beyond this changes no choice. */
const CORES_MAX = 1_024;

/** The plan with every compaction tuned for the engine that it is for. */
export function tunePlan(plan: TablePlan, input: TuningInput): TablePlan {
  const decisions = plan.decisions.map((decision) => {
    const { operation, engine } = decision;
    // Trino has nothing to choose: its writers scale by themselves.
    if (operation?.kind !== 'compact' || engine !== 'spark') return decision;
    const tuned = tuneCompact(operation, input);
    const estimate = addFiles(decision.estimate, tuned.filesMore);
    const reasons = [...decision.reasons, ...tuned.reasons];
    return { ...decision, operation: tuned.operation, reasons, estimate };
  });
  return { ...plan, decisions };
}

/**
 * A compaction as Spark should go about it; unchanged where its defaults are as good. What the
 * operation already says of itself stands.
 */
export function tuneCompact(operation: CompactOperation, input: TuningInput): Tuned {
  const loads = loadsOf(input.health, operation);
  // Which files a predicate selects only the engine can say.
  if (loads.length === 0 || operation.where !== null) {
    return { operation, reasons: [], filesMore: 0 };
  }
  const parts = [tuneCores(operation, loads, input), tuneCompression(loads, input)];
  const chosen: CompactTuning = Object.assign({}, ...parts.map((part) => part.tuning));
  const reasons = parts.flatMap((part) => part.reasons);
  const tuning = { ...chosen, ...operation.tuning };
  const target = operation.targetFileSizeBytes;
  const size = tuning.outputFileSizeBytes ?? target;
  const filesMore = filesOf(loads, size) - filesOf(loads, target);
  if (Object.keys(tuning).length === 0) return { operation, reasons, filesMore };
  return { operation: { ...operation, tuning }, reasons, filesMore };
}

function filesOf(loads: readonly PartitionLoad[], targetBytes: number): number {
  return loads.reduce((sum, load) => sum + outputFiles(load, targetBytes), 0);
}

function addFiles(estimate: Estimate | null, more: number): Estimate | null {
  if (estimate === null || more === 0) return estimate;
  return { ...estimate, filesAfter: estimate.filesAfter + more };
}

interface Part {
  readonly tuning: CompactTuning;
  readonly reasons: readonly Reason[];
}

const NOTHING: Part = { tuning: {}, reasons: [] };

function tuneCores(
  operation: CompactOperation,
  loads: readonly PartitionLoad[],
  { cores: known, policy }: TuningInput,
): Part {
  if (policy.tuning === 'off') return NOTHING;
  if (known.spark === undefined) {
    const because = 'how many Spark has is not known: its own defaults stay';
    return { tuning: {}, reasons: [told('engine_cores', null, because)] };
  }
  const cores = Math.min(CORES_MAX, Math.max(1, Math.floor(known.spark)));
  const size = tuneSize(loads, operation.targetFileSizeBytes, cores, policy);
  const groups = Math.min(loads.length, CONCURRENT_GROUPS_MAX, 2 * cores);
  const because = 'Spark has so many: a compaction should leave none of them idle';
  return {
    tuning: {
      ...size.tuning,
      ...(groups > CONCURRENT_GROUPS ? { concurrentFileGroups: groups } : {}),
      ...(loads.length > 1 ? { largestFirst: true } : {}),
    },
    reasons: [told('engine_cores', cores, because), ...size.reasons],
  };
}

/** What would be rewritten, partition by partition. */
function loadsOf(
  { partitionHealth }: TableHealth,
  { rewriteAll, minInputFiles, partitions }: CompactOperation,
): readonly PartitionLoad[] {
  if (partitionHealth === null) return [];
  const named = partitions && new Set(partitions.map((key) => printed(key.map((v) => v.value))));
  const chosen = partitionHealth.filter(
    (one) => named === undefined || named.has(printed(Object.values(one.partition))),
  );
  if (rewriteAll) {
    return chosen
      .filter((one) => one.dataFiles > 0)
      .map((one) => ({
        files: one.dataFiles,
        bytes: one.totalBytes,
        deleteFiles: one.deleteFiles,
      }));
  }
  return chosen
    .filter((one) => one.smallFiles >= minInputFiles)
    .map((one) => ({ files: one.smallFiles, bytes: one.smallBytes, deleteFiles: one.deleteFiles }));
}

function printed(values: readonly (string | null)[]): string {
  return JSON.stringify(values);
}

function tuneSize(
  loads: readonly PartitionLoad[],
  targetBytes: number,
  cores: number,
  { minInputFiles }: TuningPolicy,
): Part {
  const chosen = chooseOutputSize({ loads, targetBytes, cores, minInputFiles });
  const { bytes, span, byTarget } = chosen;
  const because =
    bytes === targetBytes
      ? `files of the target size keep ${busy(byTarget)} of the cores busy`
      : `files of about ${formatBytes(bytes)} keep ${busy(span)} of the cores busy, ` +
        `those of the target size (${formatBytes(targetBytes)}) ${busy(byTarget)}`;
  return {
    tuning: bytes === targetBytes ? {} : { outputFileSizeBytes: bytes },
    reasons: [told('output_file_size', bytes, because, targetBytes)],
  };
}

function busy({ busy: share }: Span): string {
  return `${Math.round(share * 100)} %`;
}

/** Fewer CPU seconds by a quarter for files larger by 1 to 2 % (docs/decisions/0017). */
const FAST_ZSTD_LEVEL = 1;
/** Below this there is nothing to gain. */
const COMPRESSION_BYTES_MIN = 64 * 2 ** 20;
/** A compaction that made its files larger than this shows that the level matters here. */
const GROWTH_MAX = 0.03;

/** The codec is the table's, always. Its level only where the table names none. */
function tuneCompression(
  loads: readonly PartitionLoad[],
  { health, recentReceipts, policy }: TuningInput,
): Part {
  const { properties } = health;
  const format = properties['write.format.default'] ?? 'parquet';
  const codec = properties['write.parquet.compression-codec'] ?? null;
  const bytes = loads.reduce((sum, one) => sum + one.bytes, 0);
  if (format !== 'parquet' || codec !== 'zstd' || bytes < COMPRESSION_BYTES_MIN) return NOTHING;
  if (policy.compression === 'keep') return leave(null, 'the policy keeps the level as it is');
  const level = properties['write.parquet.compression-level'];
  if (level !== undefined) return leave(level, 'the table names its level');
  const growth = Math.max(0, ...recentReceipts.map(growthOf));
  if (growth > GROWTH_MAX) {
    return leave(null, `a compaction left files ${Math.round(growth * 100)} % larger than before`);
  }
  const because =
    'the table asks for zstd and names no level: 1 takes a quarter less CPU than the usual 3, for ' +
    'some 2 % more bytes; "compression: keep" in the policy leaves it';
  return {
    tuning: { zstdLevel: FAST_ZSTD_LEVEL },
    reasons: [told('zstd_level', FAST_ZSTD_LEVEL, because)],
  };
}

function leave(level: string | null, because: string): Part {
  return { tuning: {}, reasons: [told('zstd_level', level, because)] };
}

/** By how much of what it rewrote a compaction made the table larger, as a share. */
function growthOf({ operation, status, ...receipt }: Receipt): number {
  if (operation !== 'compact' || status !== 'done' || receipt.bytesRewritten === 0) return 0;
  return (receipt.bytesAfter - receipt.bytesBefore) / receipt.bytesRewritten;
}

/** Tuning is never what speaks against an operation. */
function told(
  metric: string,
  value: Reason['value'],
  because: string,
  threshold: Reason['threshold'] = null,
): Reason {
  return { metric, value, threshold, met: true, because };
}
