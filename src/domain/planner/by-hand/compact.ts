import type { EngineName } from '../../engine.ts';
import type { HandRequest } from '../../hand-request.ts';
import type { TableHealth } from '../../health/health.ts';
import type { CompactOperation, Decision, Estimate, Reason } from '../../operation.ts';
import type { EffectivePolicy } from '../../policy/policy.ts';
import { namesInPredicate } from '../../predicate.ts';
import { canRun, capabilityOf } from '../capability.ts';
import { estimateBinpack, estimateRewriteAll } from '../estimate.ts';
import { refusalReason } from '../reasons.ts';
import {
  byHand,
  checkColumns,
  checkPredicate,
  failUsage,
  type HandPlanInput,
  MIN_INPUT_FILES_BY_HAND,
  refuse,
  send,
} from './decision.ts';
import { narrowTo, partitionKeys } from './partitions.ts';

type CompactRequest = Extract<HandRequest, { kind: 'compact' }>;

export function compactByHand(
  { health, policy }: HandPlanInput,
  request: CompactRequest,
): Decision {
  checkCompact(health, request);
  const { strategy, columns, where, partitions, deletes, tuning } = request;
  const operation: CompactOperation = {
    kind: 'compact',
    strategy,
    columns,
    where,
    targetFileSizeBytes: request.targetFileSizeBytes ?? policy.settings.compact.targetFileSizeBytes,
    minInputFiles: MIN_INPUT_FILES_BY_HAND,
    // By size alone no well-sized file would be chosen, however badly it is clustered.
    rewriteAll: strategy !== 'binpack' || request.rewriteAll === true,
    ...(partitions === undefined ? {} : { partitions: partitionKeys(health, partitions) }),
    ...(deletes === undefined ? {} : { deletes }),
    ...(tuning === undefined ? {} : { tuning }),
  };
  const wish = request.engine ?? compactEngine(policy, operation, health);
  const blocked = wish === 'trino' ? trinoCannot(health, operation) : null;
  if (blocked !== null) return refuse('compact', 'trino', [byHand(), blocked]);
  const narrowed = narrowTo(health, partitions);
  return send(health, operation, wish, [], estimateByHand(narrowed, operation));
}

/** The policy's engine if it can do this; else whichever can, for the person named none. */
function compactEngine(
  policy: EffectivePolicy,
  operation: CompactOperation,
  health: TableHealth,
): EngineName | 'auto' {
  const { engine } = policy.settings.compact;
  if (engine === 'auto') return engine;
  const capability = capabilityOf('compact', operation.strategy);
  const able = canRun(capability, engine, health) === true;
  // Which partitions Trino can say only its compiler knows; Spark can say nearly all.
  const fits =
    engine !== 'trino' ||
    (trinoCannot(health, operation) === null && operation.partitions === undefined);
  return able && fits ? engine : 'auto';
}

function estimateByHand(health: TableHealth, operation: CompactOperation): Estimate | null {
  // Which files a predicate selects only the engine can say.
  if (operation.where !== null) return null;
  if (operation.rewriteAll) return estimateRewriteAll(health, operation.targetFileSizeBytes);
  const found = estimateBinpack(health, operation);
  if (found === null) return null;
  const { filesBefore, filesAfter, bytesRewritten } = found;
  return { filesBefore, filesAfter, bytesRewritten };
}

function checkCompact(health: TableHealth, request: CompactRequest): void {
  const { strategy, columns, where, targetFileSizeBytes, deletes } = request;
  if (strategy !== 'binpack' && columns.length === 0) {
    failUsage(health, `${strategy} needs columns: add --columns a,b`);
  }
  if (strategy === 'binpack' && columns.length > 0) {
    failUsage(
      health,
      'bin-pack takes no columns: leave --columns out, or use --strategy sort or zorder',
    );
  }
  if (targetFileSizeBytes !== null && !(targetFileSizeBytes >= 2 ** 20)) {
    failUsage(health, 'the target file size must be at least 1MB');
  }
  const ratio = deletes?.minDeleteRatio ?? 0;
  if (!(ratio >= 0 && ratio <= 1)) failUsage(health, 'a delete ratio is between 0 and 1');
  const files = deletes?.minDeleteFiles ?? 1;
  if (!(Number.isInteger(files) && files >= 1)) {
    failUsage(health, 'delete files are a whole number of at least 1');
  }
  checkColumns(health, columns);
  checkPredicate(health, where);
}

/** Why Trino's `optimize` cannot do exactly this; `null`: it can. */
function trinoCannot(health: TableHealth, operation: CompactOperation): Reason | null {
  const { where, deletes, tuning } = operation;
  if (deletes !== undefined) {
    const because = 'Trino chooses files by size only, not by their deletes; spark can';
    return refusalReason('engine', because);
  }
  if (tuning !== undefined) {
    return refusalReason('engine', 'Trino forms no file groups that could be tuned; spark can');
  }
  if (where === null) return null;
  const sources = health.partitionFields.map((field) => field.source.toLowerCase());
  const others = namesInPredicate(where).filter((name) => !sources.includes(name));
  if (others.length === 0) return null;
  const has = sources.length === 0 ? 'this table has none' : `here: ${sources.join(', ')}`;
  return refusalReason(
    'engine',
    `Trino compacts by predicates on partition columns only (${has}), not on ` +
      `${others.join(', ')}; spark can`,
  );
}
