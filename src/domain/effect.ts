/**
 * What an operation has changed, judged from the table's metadata and not from what the engine
 * says: statistics and properties make no snapshot.
 */
import type { BeforeOperation } from './before-operation.ts';
import type { TableHealth } from './health/health.ts';
import type { Operation } from './operation.ts';
import type { InvariantCheck } from './receipt.ts';
import { propertiesOf } from './table-facts.ts';
import { ancestry } from './watermark.ts';

/** `false`: the table is as it was, and the operation was in vain. */
export function hasChanged(
  operation: Operation,
  before: BeforeOperation,
  after: TableHealth,
): boolean {
  switch (operation.kind) {
    case 'compute_statistics':
    case 'drop_statistics':
      return pathsOf(before) !== pathsOf(after);
    case 'set_properties':
      return namesOf(operation).some(
        (name) => before.properties?.[name] !== propertiesOf(after)[name],
      );
    default:
      return before.snapshotId !== after.snapshotId || before.snapshots !== after.snapshots.length;
  }
}

/** What must hold of an operation that makes no snapshot, besides rows and refs. */
export function checkEffect(
  operation: Operation,
  before: BeforeOperation,
  after: TableHealth,
): readonly InvariantCheck[] {
  switch (operation.kind) {
    case 'compute_statistics':
      return [
        ...checkUntouched(before, after),
        told('statistics_there', (after.statisticsFiles ?? []).length > 0, 'there are none'),
      ];
    case 'drop_statistics': {
      const left = (after.statisticsFiles ?? []).length;
      return [
        ...checkUntouched(before, after),
        told('statistics_gone', left === 0, `${left} left`),
      ];
    }
    case 'set_properties':
      return [...checkUntouched(before, after), ...checkProperties(operation, before, after)];
    default:
      return [];
  }
}

/** A writer that commits meanwhile moves the head on; what was the head stays in its history. */
function checkUntouched(before: BeforeOperation, after: TableHealth): readonly InvariantCheck[] {
  const { snapshotId } = before;
  const history = ancestry(after.snapshots, after.snapshotId);
  const kept = snapshotId === null || history.some((one) => one.snapshotId === snapshotId);
  return [told('head_kept', kept, `${snapshotId} is no longer in the history of the head`)];
}

function checkProperties(
  operation: Extract<Operation, { kind: 'set_properties' }>,
  before: BeforeOperation,
  after: TableHealth,
): readonly InvariantCheck[] {
  const { set, remove } = operation;
  const is = propertiesOf(after);
  const mine = new Set(namesOf(operation));
  const wrong = [...mine].filter((name) => is[name] !== set[name]);
  const was = before.properties ?? is;
  const others = Object.keys({ ...was, ...is }).filter(
    (name) => !mine.has(name) && was[name] !== is[name],
  );
  const what = remove.length > 0 ? 'properties_set_and_removed' : 'properties_set';
  return [
    told(what, wrong.length === 0, `not so: ${wrong.join(', ')}`),
    told('no_other_property_changed', others.length === 0, `changed: ${others.join(', ')}`),
  ];
}

function namesOf({ set, remove }: Extract<Operation, { kind: 'set_properties' }>) {
  return [...Object.keys(set), ...remove];
}

function pathsOf(of: Pick<TableHealth, 'statisticsFiles' | 'partitionStatisticsFiles'>): string {
  const paths = [...(of.statisticsFiles ?? []), ...(of.partitionStatisticsFiles ?? [])];
  return JSON.stringify(paths.sort());
}

function told(name: string, ok: boolean, detail: string): InvariantCheck {
  return ok ? { name, ok } : { name, ok, detail };
}
