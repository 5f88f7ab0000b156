/** What an expiry would take, from metadata alone: no manifest is read. */
import type { SnapshotInfo, TableHealth } from '../health/health.ts';
import type { Preview } from '../operation.ts';
import { formatBytes } from '../units.ts';
import { ancestry } from '../watermark.ts';

/**
 * A file goes when all snapshots that hold it go; the summary of the one that dropped it tells how
 * many bytes that were. Exact while no older snapshot stays that might hold it as well.
 */
export function previewExpiry(health: TableHealth, snapshotIds: readonly string[]): Preview {
  if (snapshotIds.length === 0) return { snapshots: 0, bytesFreed: 0, bytesFreedIs: 'exact' };
  const going = new Set(snapshotIds);
  const gone = health.snapshots.filter((one) => going.has(one.snapshotId));
  const range = rangeLost(health, gone);
  return {
    snapshots: gone.length,
    ...bytesFreed(health, going),
    ...(range === null ? {} : { rangeLost: range }),
  };
}

type Range = NonNullable<Preview['rangeLost']>;

/** From the oldest that goes to the moment before the next snapshot of main that stays. */
function rangeLost(health: TableHealth, gone: readonly SnapshotInfo[]): Range | null {
  const ids = new Set(gone.map((one) => one.snapshotId));
  const main = [...ancestry(health.snapshots, health.snapshotId)].reverse();
  const lost = main.filter((one) => ids.has(one.snapshotId));
  const [first, last] = [lost[0], lost.at(-1)];
  if (first === undefined || last === undefined) return null;
  const next = main[main.indexOf(last) + 1];
  const toMs = next === undefined ? last.committedAtMs : next.committedAtMs - 1;
  if (!Number.isFinite(first.committedAtMs) || !Number.isFinite(toMs)) return null;
  return { from: iso(first.committedAtMs), to: iso(Math.max(first.committedAtMs, toMs)) };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

type Freed = Required<Pick<Preview, 'bytesFreed' | 'bytesFreedIs'>>;

function bytesFreed(health: TableHealth, going: ReadonlySet<string>): Freed {
  const main = new Set(ancestry(health.snapshots, health.snapshotId).map((one) => one.snapshotId));
  // What the last holder's successor dropped goes when its parent goes.
  const droppers = health.snapshots.filter((one) => going.has(one.parentSnapshotId ?? ''));
  const drops = droppers.map((one) => ({ one, bytes: droppedBytes(one) }));
  const total = drops.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  const forks = new Set(droppers.map((one) => one.parentSnapshotId)).size < droppers.length;
  const heldBefore = drops.some(
    ({ one, bytes }) => bytes !== 0 && hasStayingAncestor(health, one, going),
  );
  const less = total > 0 && (forks || heldBefore);
  // What was added on a line that nothing follows any more is held by nobody else.
  const astray = [...going].some((id) => !main.has(id));
  const more = astray || drops.some(({ bytes }) => bytes === null);
  return { bytesFreed: total, bytesFreedIs: certainty(less, more) };
}

function certainty(less: boolean, more: boolean): Freed['bytesFreedIs'] {
  if (less && more) return 'about';
  return less ? 'at_most' : more ? 'at_least' : 'exact';
}

function hasStayingAncestor(
  health: TableHealth,
  { parentSnapshotId }: SnapshotInfo,
  going: ReadonlySet<string>,
): boolean {
  return ancestry(health.snapshots, parentSnapshotId).some((one) => !going.has(one.snapshotId));
}

/** `null`: its summary does not tell. Writers leave the figure out where nothing was dropped. */
function droppedBytes({ operation, summary }: SnapshotInfo): number | null {
  const told = summary['removed-files-size'];
  if (told !== undefined) return Number.isFinite(Number(told)) ? Number(told) : null;
  const counts = ['deleted-data-files', 'removed-delete-files'];
  const dropped = counts.some((name) => Number(summary[name] ?? 0) > 0);
  const tells = operation === 'append' || 'total-data-files' in summary;
  return tells && !dropped ? 0 : null;
}

/** `frees 12 MB at most, loses 2026-11-01 to 2026-11-14`: for people. */
export function previewText(preview: Preview): string {
  const { snapshots, files, bytesFreed: bytes, bytesFreedIs, rangeLost: range } = preview;
  const is = { exact: '', at_most: ' at most', at_least: ' at least', about: ' or so' };
  const parts = [
    ...(snapshots === undefined ? [] : [`${snapshots} snapshots`]),
    ...(files === undefined ? [] : [`${files} files`]),
    ...(bytes === undefined ? [] : [`frees ${formatBytes(bytes)}${is[bytesFreedIs ?? 'about']}`]),
    ...(range === undefined ? [] : [`no time travel to ${range.from} … ${range.to}`]),
  ];
  return parts.join(', ');
}
