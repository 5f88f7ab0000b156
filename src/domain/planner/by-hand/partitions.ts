/** Partitions that a person names, `day=2026-11-20`, looked up in the table. */
import type { PartitionText } from '../../hand-request.ts';
import type { PartitionHealth, TableHealth } from '../../health/health.ts';
import type { PartitionKey } from '../../operation.ts';
import { failUsage } from './decision.ts';

/**
 * Throws `UsageInvalid` for a field that the current spec does not have, and for a partition that
 * holds no file. A name of some fields stands for every partition that agrees with them.
 */
export function partitionKeys(
  health: TableHealth,
  partitions: readonly PartitionText[],
): readonly PartitionKey[] {
  return partitions.map((named) => {
    const key = Object.entries(named).map(([name, value]) => {
      const field = health.partitionFields.find((one) => one.name === name);
      if (field === undefined) return failUsage(health, unknownField(health, name));
      const column = health.columns.find((one) => one.name === field.source);
      if (column === undefined) {
        return failUsage(
          health,
          `${name} is of a part of a column: use --where on ${field.source}`,
        );
      }
      const { source, transform } = field;
      return { source, sourceType: column.type, transform, value };
    });
    if (health.partitionHealth !== null && !health.partitionHealth.some(agreesWith(named))) {
      failUsage(health, `${health.table} has no file in partition ${textOf(named)}`);
    }
    return key;
  });
}

/** Only what is known of the named partitions: an estimate is of them alone. */
export function narrowTo(
  health: TableHealth,
  partitions: readonly PartitionText[] | undefined,
): TableHealth {
  if (partitions === undefined || health.partitionHealth === null) return health;
  const chosen = health.partitionHealth.filter((one) =>
    partitions.some((named) => agreesWith(named)(one)),
  );
  return { ...health, partitionHealth: chosen };
}

function agreesWith(named: PartitionText): (one: PartitionHealth) => boolean {
  const entries = Object.entries(named);
  return ({ partition }) => entries.every(([name, value]) => partition[name] === value);
}

function unknownField(health: TableHealth, name: string): string {
  const names = health.partitionFields.map((one) => one.name);
  const has = names.length === 0 ? 'it is not partitioned' : `it has ${names.join(', ')}`;
  return `${health.table} has no partition field ${name}; ${has}`;
}

function textOf(named: PartitionText): string {
  return Object.entries(named)
    .map(([name, value]) => `${name}=${value ?? 'null'}`)
    .join('/');
}
