/** The size that files of a table are to have, and who said so. */
import type { TableHealth } from '../health/health.ts';
import type { Reason } from '../operation.ts';
import { BUILT_IN } from '../policy/effective.ts';
import type { EffectivePolicy } from '../policy/policy.ts';
import { formatBytes } from '../units.ts';

const FIELD = 'compact.targetFileSizeBytes';

/**
 * `true`: neither a policy nor a property that overrides one names a size, so that the table itself
 * decides (see `MeasureOptions`).
 */
export function targetIsOpen({ origins }: EffectivePolicy): boolean {
  const { policy, line } = BUILT_IN;
  return origins[FIELD]?.policy === policy && origins[FIELD].line === line;
}

/** The policy with the size that holds for this table. */
export function withTarget(policy: EffectivePolicy, health: TableHealth): EffectivePolicy {
  if (!targetIsOpen(policy)) return policy;
  const { targetFileSizeBytes } = health;
  const compact = { ...policy.settings.compact, targetFileSizeBytes };
  return { ...policy, settings: { ...policy.settings, compact } };
}

/** What the size is, and where it came from: said whatever is decided. */
export function targetReason(policy: EffectivePolicy, health: TableHealth): Reason {
  const { targetFileSizeBytes } = policy.settings.compact;
  const own = health.properties['write.target-file-size-bytes'] === String(targetFileSizeBytes);
  const whence = !targetIsOpen(policy)
    ? 'as the policy says'
    : own
      ? 'as the table itself says'
      : `the default of a table with ${Number(health.commitsPerDay.toFixed(1))} commits a day`;
  return {
    metric: 'target_file_size_bytes',
    value: targetFileSizeBytes,
    threshold: null,
    met: true,
    because: `files are packed to ${formatBytes(targetFileSizeBytes)}, ${whence}`,
  };
}
