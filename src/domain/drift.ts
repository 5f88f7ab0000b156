/**
 * Whether a stored plan may still be carried out as it is: what it relies on is compared with the
 * table now. What an operation does not rely on may move (docs/decisions/0016).
 */
import { assertNever } from './errors.ts';
import type { SnapshotInfo, TableHealth } from './health/health.ts';
import type { Operation, TableFacts, TablePlan } from './operation.ts';
import { changedProperties, describeCommit, factsOf, lineSince } from './table-facts.ts';

export interface DriftInput {
  readonly plan: Pick<TablePlan, 'tableUuid' | 'seen'>;
  /** The head that the operation expects: the plan's, or what the step before it left. */
  readonly snapshotId: string | null;
  readonly operation: Operation;
  readonly health: TableHealth;
  /** Of a plan that nobody has read: rows that were only added since do not matter to rewrites. */
  readonly appendsAllowed?: boolean;
}

/** What of a table an operation relies on, besides its uuid, location and format version. */
interface Reliance {
  /**
   * `same`: not one commit since; `grows`: likewise, but for appends where those are allowed;
   * `descends`: only commits on top; `any`: whatever head.
   */
  readonly head: 'same' | 'grows' | 'descends' | 'any';
  readonly layout: boolean;
  readonly property: (name: string) => boolean;
}

/** Decisions before `ordinal` that set properties: what they did is no drift of their own plan. */
export function ownPropertySteps(
  { decisions }: Pick<TablePlan, 'decisions'>,
  ordinal: number,
): readonly number[] {
  return decisions.flatMap(({ action, operation }, at) =>
    at < ordinal && action === 'run' && operation?.kind === 'set_properties' ? [at] : [],
  );
}

/** The plan as if it had seen what these decisions of its own have set and removed since. */
export function withOwnProperties<T extends Pick<TablePlan, 'decisions' | 'seen'>>(
  plan: T,
  carriedOut: readonly number[],
): T {
  if (plan.seen === undefined) return plan;
  const properties = { ...plan.seen.properties };
  for (const ordinal of carriedOut) {
    const operation = plan.decisions[ordinal]?.operation;
    if (operation?.kind !== 'set_properties') continue;
    Object.assign(properties, operation.set);
    for (const name of operation.remove) delete properties[name];
  }
  return { ...plan, seen: { ...plan.seen, properties } };
}

const NO_PROPERTY = () => false;
/** By these files are written: sizes, codecs, distribution; and our own settings. */
const OF_WRITERS = (name: string) => /^(write|icewright|format-version)\b/.test(name);

/** The differences, each a part of a sentence; empty: the plan may be carried out. */
export function judgeDrift(input: DriftInput): readonly string[] {
  const { plan, health, operation } = input;
  if (plan.tableUuid !== health.tableUuid) {
    return [`it is another table now: uuid ${health.tableUuid} instead of ${plan.tableUuid}`];
  }
  const reliance = relianceOf(operation);
  return [
    ...judgeHead(input, reliance.head),
    ...(plan.seen === undefined ? [] : judgeFacts(plan.seen, factsOf(health), reliance)),
    ...judgeIds(operation, health),
  ];
}

function relianceOf(operation: Operation): Reliance {
  switch (operation.kind) {
    case 'compact':
    case 'rewrite_deletes':
      return { head: 'grows', layout: true, property: OF_WRITERS };
    case 'rewrite_manifests':
      return { head: 'grows', layout: true, property: NO_PROPERTY };
    // What is younger than the plan is not in its list; what the list needs is asked anew.
    case 'expire_snapshots':
    case 'remove_orphans':
      return { head: 'descends', layout: false, property: NO_PROPERTY };
    case 'compute_statistics':
      return { head: 'grows', layout: true, property: NO_PROPERTY };
    case 'drop_statistics':
      return { head: 'any', layout: false, property: NO_PROPERTY };
    case 'set_properties': {
      const named = new Set([...Object.keys(operation.set), ...operation.remove]);
      return { head: 'any', layout: false, property: (name) => named.has(name) };
    }
    default:
      return assertNever(operation);
  }
}

/** More commits than these are counted, not told. */
const COMMITS_TOLD = 3;

function judgeHead(input: DriftInput, head: Reliance['head']): readonly string[] {
  const { snapshotId, health, appendsAllowed = false } = input;
  if (head === 'any' || snapshotId === health.snapshotId) return [];
  const line = lineSince(health, snapshotId);
  if (line === null) {
    const moved = `main is at ${health.snapshotId}, which does not descend from ${snapshotId}`;
    return [`${moved}: it was moved back, replaced, or what lay between has expired`];
  }
  if (head === 'descends') return [];
  if (head === 'grows' && appendsAllowed && line.every(onlyAdds)) return [];
  const told = line.slice(0, COMMITS_TOLD).map(describeCommit).join(', ');
  const more = line.length > COMMITS_TOLD ? `, and ${line.length - COMMITS_TOLD} more` : '';
  return [`snapshots were added: ${told}${more}`];
}

/** Files that the plan saw are all there still, and no row of theirs was deleted. */
function onlyAdds({ operation, summary }: SnapshotInfo): boolean {
  const none = (name: string) => Number(summary[name] ?? 0) === 0;
  return operation === 'append' && none('deleted-data-files') && none('added-delete-files');
}

function judgeFacts(seen: TableFacts, now: TableFacts, reliance: Reliance): readonly string[] {
  const found: string[] = [];
  const compare = (what: string, was: string | number, is: string | number) => {
    if (was !== is) found.push(`its ${what} is "${is}" instead of "${was}"`);
  };
  compare('location', seen.location, now.location);
  compare('format version', seen.formatVersion, now.formatVersion);
  if (reliance.layout) {
    compare('schema', seen.schema, now.schema);
    compare('partition spec', seen.partitionSpec, now.partitionSpec);
    compare('sort order', seen.sortOrderId, now.sortOrderId);
  }
  const properties = changedProperties(seen.properties, now.properties, reliance.property);
  if (properties.length > 0) found.push(`properties were changed: ${properties.join(', ')}`);
  return found;
}

/** An expiry names what it takes: when some of it is gone, somebody else expires here too. */
function judgeIds(operation: Operation, { snapshots }: TableHealth): readonly string[] {
  if (operation.kind !== 'expire_snapshots') return [];
  const there = new Set(snapshots.map((one) => one.snapshotId));
  const gone = operation.snapshotIds.filter((id) => !there.has(id));
  return gone.length === 0 ? [] : [`snapshots of the plan are gone already: ${gone.join(', ')}`];
}
