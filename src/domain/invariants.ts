/**
 * After an operation: is everything as it was, besides what was meant? Each commit of ours is held
 * against its own parent, so that what another writer did meanwhile is neither blamed nor undone.
 */
import type { BeforeOperation } from './before-operation.ts';
import { checkEffect } from './effect.ts';
import type { SnapshotInfo, SnapshotRef, TableHealth } from './health/health.ts';
import type { Operation, TableFacts } from './operation.ts';
import { checkWatermarks } from './planner/expiry-watermarks.ts';
import type { InvariantCheck } from './receipt.ts';
import { formatBounds, type RowBounds, rowBounds, rowBoundsOf, total } from './row-bounds.ts';
import { changedProperties, describeCommit, factsOf, lineSince } from './table-facts.ts';

export interface InvariantInput {
  readonly operation: Operation;
  readonly before: BeforeOperation;
  readonly after: TableHealth;
  /** Live rows by snapshot as an engine counted them, where summaries cannot tell exactly. */
  readonly counted?: ReadonlyMap<string, number>;
  /** Files of the head; absent: nobody looked. */
  readonly files?: FilesFound;
}

export interface FilesFound {
  readonly checked: number;
  /** Addresses of some of the files that the table needs and that are not there. */
  readonly missing: readonly string[];
  readonly missingCount: number;
  /** Metadata that is missing or damaged: what else is missing cannot be known. */
  readonly damaged?: string;
  /** Why nobody could look (metadata that is encrypted, a catalog that does not tell where). */
  readonly unknown?: string;
}

/** A commit of ours and what it was made on. */
export interface OurCommit {
  readonly snapshot: SnapshotInfo;
  /** `null`: it has expired meanwhile. */
  readonly parent: SnapshotInfo | null;
}

export interface Commits {
  /** Newest first. */
  readonly ours: readonly OurCommit[];
  /** Of other writers on main, newest first. */
  readonly others: readonly SnapshotInfo[];
  /** `false`: the head does not descend from where the operation began. */
  readonly descends: boolean;
}

/**
 * Who committed since. The engines' procedures carry no run id, but nobody else of this house
 * rewrites while the table's workflow holds the lock: a `replace` is ours.
 */
export function commitsSince(
  operation: Operation,
  before: Pick<BeforeOperation, 'snapshotId'>,
  after: TableHealth,
): Commits {
  const line = lineSince(after, before.snapshotId);
  if (line === null) return { ours: [], others: [], descends: false };
  const byId = new Map(after.snapshots.map((one) => [one.snapshotId, one]));
  const isOurs = (one: SnapshotInfo) => rewrites(operation) && one.operation === 'replace';
  const ours = line.filter(isOurs).map((snapshot) => {
    return { snapshot, parent: byId.get(snapshot.parentSnapshotId ?? '') ?? null };
  });
  return { ours, others: line.filter((one) => !isOurs(one)), descends: true };
}

function rewrites({ kind }: Operation): boolean {
  return kind === 'compact' || kind === 'rewrite_deletes' || kind === 'rewrite_manifests';
}

/** A commit of ours that main no longer holds: made since, on what main still holds. */
export function abandonedCommit(
  operation: Operation,
  before: Pick<BeforeOperation, 'snapshotId'>,
  after: TableHealth,
  sinceMs: number,
): SnapshotInfo | null {
  const line = lineSince(after, before.snapshotId);
  if (line === null || !rewrites(operation)) return null;
  const held = new Set([before.snapshotId, ...line.map((one) => one.snapshotId)]);
  const left = after.snapshots.find(
    (one) =>
      one.operation === 'replace' &&
      one.committedAtMs >= sinceMs &&
      held.has(one.parentSnapshotId) &&
      !held.has(one.snapshotId),
  );
  return left ?? null;
}

/** Of these, `checkEffect` asks for the head and for what they are to change. */
function makesNoSnapshot({ kind }: Operation): boolean {
  return kind === 'compute_statistics' || kind === 'drop_statistics' || kind === 'set_properties';
}

/** Every check is listed, also those that hold. */
export function checkInvariants(input: InvariantInput): readonly InvariantCheck[] {
  const { operation, before, after } = input;
  const commits = commitsSince(operation, before, after);
  return [
    checkRows(input, commits),
    ...(makesNoSnapshot(operation) ? [] : [check('head_descends', true, commits.descends)]),
    checkTotals(commits.ours),
    checkRefs(before.refs, after),
    ...(before.facts === undefined ? [] : checkFacts(operation, before.facts, factsOf(after))),
    ...(input.files === undefined ? [] : [checkFiles(input.files)]),
    ...(operation.kind === 'expire_snapshots' ? checkExpiry(operation, before, after) : []),
    ...checkEffect(operation, before, after),
  ];
}

/** What an engine should count, because summaries only bound it. Empty: they are exact. */
export function snapshotsToCount(commits: Commits): readonly string[] {
  const ids = commits.ours.flatMap(({ snapshot, parent }) => {
    const [was, is] = [parent && rowBoundsOf(parent), rowBoundsOf(snapshot)];
    if (was === null || is === null) return [];
    if (was.min === was.max && is.min === is.max) return [];
    return [(parent as SnapshotInfo).snapshotId, snapshot.snapshotId];
  });
  return [...new Set(ids)];
}

/** What was done besides by somebody else, for the receipt. */
export function othersNote({ others }: Commits): readonly string[] {
  if (others.length === 0) return [];
  return [
    `meanwhile another writer committed: ${others.slice(0, 3).map(describeCommit).join(', ')}`,
  ];
}

/**
 * Rows of each commit of ours against those of its parent. Without any, the head is held against
 * the state before, unless others have moved it.
 */
function checkRows({ before, after, counted }: InvariantInput, commits: Commits): InvariantCheck {
  const name = 'rows_unchanged';
  for (const { snapshot, parent } of commits.ours) {
    const is = boundsOf(snapshot, counted);
    const was = parent === null ? null : boundsOf(parent, counted);
    if (is === null || was === null) continue;
    if (!meet(was, is)) {
      const detail = `expected ${formatBounds(was)} rows, found ${formatBounds(is)}`;
      return { name, ok: false, detail };
    }
  }
  if (commits.ours.length > 0 || commits.others.length > 0) return { name, ok: true };
  const is = rowBounds(after);
  if (meet(before.rows, is)) return { name, ok: true };
  const detail = `expected ${formatBounds(before.rows)} rows, found ${formatBounds(is)}`;
  return { name, ok: false, detail };
}

function boundsOf(snapshot: SnapshotInfo, counted: InvariantInput['counted']): RowBounds | null {
  const rows = counted?.get(snapshot.snapshotId);
  return rows === undefined ? rowBoundsOf(snapshot) : { min: rows, max: rows };
}

/** The same rows can be live in both only if the bounds meet. */
function meet(left: RowBounds, right: RowBounds): boolean {
  return left.min <= right.max && right.min <= left.max;
}

const TOTALS: readonly (readonly [total: string, added: string, removed: string])[] = [
  ['records', 'added-records', 'deleted-records'],
  ['data-files', 'added-data-files', 'deleted-data-files'],
  ['delete-files', 'added-delete-files', 'removed-delete-files'],
];

/** A commit's totals are those of its parent, with what it says to have added and removed. */
function checkTotals(ours: readonly OurCommit[]): InvariantCheck {
  const name = 'totals_plausible';
  for (const { snapshot, parent } of ours) {
    if (parent === null) continue;
    const { summary } = snapshot;
    for (const [what, added, removed] of TOTALS) {
      const [was, is] = [total(parent.summary, what), total(summary, what)];
      if (was === null || is === null) continue;
      const expected = was + Number(summary[added] ?? 0) - Number(summary[removed] ?? 0);
      if (expected === is) continue;
      return { name, ok: false, detail: `expected ${expected} ${what} in total, found ${is}` };
    }
  }
  return { name, ok: true };
}

/** Other writers may add refs and advance branches; none may vanish, and no tag may move. */
function checkRefs(before: readonly SnapshotRef[], after: TableHealth): InvariantCheck {
  const name = 'refs_unchanged';
  const now = new Map(after.refs.map((ref) => [ref.name, ref]));
  for (const ref of before) {
    if (ref.name === 'main') continue;
    const found = now.get(ref.name);
    if (found?.type === ref.type && found.snapshotId === ref.snapshotId) continue;
    const is = found === undefined ? 'gone' : `at ${found.snapshotId}`;
    const line = lineSince({ ...after, snapshotId: found?.snapshotId ?? null }, ref.snapshotId);
    if (ref.type === 'branch' && found?.type === 'branch' && line !== null) continue;
    return {
      name,
      ok: false,
      detail: `${ref.type} ${ref.name} was at ${ref.snapshotId}, is ${is}`,
    };
  }
  return { name, ok: true };
}

/** Trino keeps statistics of old versions as properties, and drops them with the statistics. */
const OF_OPERATIONS = (name: string) => !name.startsWith('trino.stats.');

function checkFacts(
  operation: Operation,
  before: TableFacts,
  after: TableFacts,
): readonly InvariantCheck[] {
  const changed = changedProperties(before.properties, after.properties, OF_OPERATIONS);
  return [
    check('schema_unchanged', before.schema, after.schema),
    check('partition_spec_unchanged', before.partitionSpec, after.partitionSpec),
    check('sort_order_unchanged', before.sortOrderId, after.sortOrderId),
    check('location_unchanged', before.location, after.location),
    ...(operation.kind === 'set_properties'
      ? []
      : [
          check('format_version_unchanged', before.formatVersion, after.formatVersion),
          check('properties_unchanged', '', changed.join(', ')),
        ]),
  ];
}

function checkFiles({ checked, missing, missingCount, damaged, unknown }: FilesFound) {
  const name = 'reachable_files_exist';
  if (damaged !== undefined) return { name, ok: false, detail: damaged };
  if (unknown !== undefined) return { name, ok: true, detail: `not looked at: ${unknown}` };
  if (missingCount === 0) return { name, ok: true, detail: `${checked} files looked at` };
  // A path may hold partition values, which may be personal data: its last part is random.
  const first = missing[0]?.replace(/^.*\//, '');
  const detail = `${missingCount} of ${checked} files are missing, ${first} among them`;
  return { name, ok: false, detail };
}

function checkExpiry(
  { snapshotIds }: Extract<Operation, { kind: 'expire_snapshots' }>,
  before: BeforeOperation,
  after: TableHealth,
): readonly InvariantCheck[] {
  const there = new Set(after.snapshots.map((one) => one.snapshotId));
  const left = snapshotIds.filter((id) => there.has(id)).length;
  const named = new Set(snapshotIds);
  const lost = (before.snapshotIds ?? []).filter((id) => !named.has(id) && !there.has(id));
  return [
    check('named_snapshots_gone', 0, left),
    check('no_other_snapshot_gone', '', lost.join(', ')),
    checkWatermarks(before.watermarks ?? [], after),
  ];
}

function check<T>(name: string, before: T, after: T): InvariantCheck {
  if (before === after) return { name, ok: true };
  return { name, ok: false, detail: `expected ${before || 'none'}, found ${after || 'none'}` };
}

/** What a return to the state before our commits cures; the rest needs a person. */
const CURED_BY_ROLLBACK: readonly string[] = [
  'rows_unchanged',
  'totals_plausible',
  'reachable_files_exist',
];

/** Where main would go back to, and from where; `null`: it would not help, or undo others' work. */
export function rollbackTarget(
  input: InvariantInput,
  checks: readonly InvariantCheck[],
): { readonly from: string; readonly to: string } | null {
  const curable = checks.some((one) => !one.ok && CURED_BY_ROLLBACK.includes(one.name));
  const { operation, before, after } = input;
  const ours = new Map(
    commitsSince(operation, before, after).ours.map(({ snapshot }) => [
      snapshot.snapshotId,
      snapshot.parentSnapshotId,
    ]),
  );
  const from = after.snapshotId;
  let to = from;
  while (to !== null && ours.has(to)) to = ours.get(to) ?? null;
  if (!curable || from === null || to === null || to === from) return null;
  return after.snapshots.some((one) => one.snapshotId === to) ? { from, to } : null;
}
