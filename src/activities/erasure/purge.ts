/**
 * Removes what the expiry leaves: earlier metadata files, objects that nothing reaches any more,
 * and every version of what is gone. Only by exact address; nothing that was not in the survey and
 * is no deleted object's version.
 */
import { IcewrightError } from '../../domain/errors.ts';
import { mapAtOnce } from '../at-once.ts';
import type { ErasureFile } from '../erasure-ports.ts';
import type { Reach } from '../table-files.ts';
import { ASKED_AT_ONCE, listedFiles, plainUri, versionsAt } from './file-list.ts';
import { refuseOtherTable } from './same-table.ts';
import {
  keepsOldFiles,
  refuseObstacles,
  type StepContext,
  type StepResult,
} from './step-context.ts';
import type { TableProgress } from './work.ts';

/** The store takes this many in one request. */
const TARGETS_AT_ONCE = 1_000;
const PAGE = 5_000;

interface Target {
  readonly uri: string;
  readonly versionId?: string;
}

export async function purge(context: StepContext, progress: TableProgress): Promise<StepResult> {
  if (keepsOldFiles(context)) return { progress, receipt: { status: 'noop' } };
  await refuseObstacles(context);
  const { deps, table, target } = context;
  const reach = await deps.files.reach(target.table);
  refuseOtherTable(table, reach.tableUuid, progress);
  const old = await oldFiles(context, reach);
  const location = `${plainUri(reach.location).replace(/\/+$/, '')}/`;
  const { versions, deleted } = await readVersions(context, location, old);
  // Files that were added where they lay, or of a place that the table has left since.
  const elsewhere = [...old.keys()].filter((path) => !path.startsWith(location));
  await mapAtOnce(elsewhere, ASKED_AT_ONCE, async (path) => {
    versions.set(path, await versionsAt(deps, path));
  });
  const targets: Target[] = [];
  for (const path of old.keys()) {
    const known = versions.get(path) ?? [];
    if (known.length === 0 && (await deps.files.head(path)) !== null) targets.push({ uri: path });
    for (const versionId of known) targets.push({ uri: path, versionId });
  }
  for (const one of deleted) targets.push(one);
  await remove(context, targets);
  const files = [...old.values()].map((file) => ({
    ...file,
    versionIds: versions.get(file.path ?? '') ?? [],
  }));
  await markGone(context, files);
  return { progress, receipt: { status: 'done', filesRemoved: files.length } };
}

/** Surveyed, and reached by nothing but the log of earlier metadata. */
async function oldFiles(
  { deps, batchId, table }: StepContext,
  reach: Reach,
): Promise<ReadonlyMap<string, ErasureFile>> {
  const old = new Map<string, ErasureFile>();
  for await (const file of listedFiles(deps, { batchId, table })) {
    const { path } = file;
    if (path === null || path === plainUri(reach.metadataLocation)) continue;
    if (!reach.isNeeded(path)) old.set(path, file);
  }
  return old;
}

/** Versions of the old files; and all versions of objects that somebody deleted before. */
async function readVersions(
  { deps }: StepContext,
  location: string,
  old: ReadonlyMap<string, ErasureFile>,
) {
  const byKey = new Map<string, { gone: boolean; readonly ids: Set<string> }>();
  for await (const one of deps.versions.listVersions(location)) {
    const known = byKey.get(one.uri) ?? { gone: false, ids: new Set() };
    known.ids.add(one.versionId);
    known.gone ||= one.isLatest && one.isDeleteMarker;
    byKey.set(one.uri, known);
  }
  const versions = new Map<string, readonly string[]>();
  const deleted: Target[] = [];
  for (const [uri, { gone, ids }] of byKey) {
    if (old.has(uri)) versions.set(uri, [...ids]);
    else if (gone) for (const versionId of ids) deleted.push({ uri, versionId });
  }
  return { versions, deleted };
}

async function remove({ deps, table }: StepContext, targets: readonly Target[]): Promise<void> {
  for (let at = 0; at < targets.length; at += TARGETS_AT_ONCE) {
    const left = await deps.versions.delete(targets.slice(at, at + TARGETS_AT_ONCE));
    const [first] = left;
    if (first === undefined) continue;
    const message = `${left.length} objects of ${table} could not be deleted: ${first.reason}`;
    throw new IcewrightError('StorageUnavailable', message, { table });
  }
}

async function markGone({ deps, batchId }: StepContext, files: readonly ErasureFile[]) {
  const at = new Date(deps.nowMs()).toISOString();
  for (let from = 0; from < files.length; from += PAGE) {
    const page = files.slice(from, from + PAGE);
    await deps.erasures.saveFiles(page);
    const hashes = page.map((one) => one.pathHash);
    await deps.erasures.markRemoved(batchId, hashes, at);
  }
}
