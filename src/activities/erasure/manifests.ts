/** No manifest of the head may name a removed file: an entry of one carries its column bounds. */
import { isOwn } from '../../domain/erasure/own-commits.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { lineSince } from '../../domain/table-facts.ts';
import { ask, beginChanging, commitNothing, NEVER_KNOWN, once, told } from './run-statement.ts';
import { measureTable, type StepContext, type StepResult } from './step-context.ts';
import { saveProgress, type TableProgress } from './work.ts';

const MANIFEST_TARGET = 'commit.manifest.target-size-bytes';
/** Partition specs whose statements have a number of their own; there is hardly ever a second. */
const SPECS_MAX = 8;

/** Where in the step each statement stands: how many come after it, with as many specs as may be. */
const AT = { small: 1, target: 1 + SPECS_MAX, empty: 1 + 2 * SPECS_MAX, all: 2 + 2 * SPECS_MAX };

/** Manifests of one partition spec that name data files, or delete files. */
interface ManifestGroup {
  readonly spec: number;
  readonly bytes: number;
  /** Entries of files that were removed. */
  readonly removed: number;
}

/**
 * Each spec by itself: `rewrite_manifests` takes the manifests of one. Where a spec has one alone,
 * it is rewritten only if its target is smaller than itself. Rejects with `TableBusy` where that
 * was not enough.
 */
export async function rewriteManifests(
  context: StepContext,
  before: TableProgress,
): Promise<StepResult> {
  const { deps, target, table } = context;
  const { compiler } = deps.spark;
  const progress = await restoreTarget(context, await beginChanging(context, before));
  for (const [at, spec] of specsOf(await groups(context, 'before')).entries()) {
    const statement = compiler.compileManifests(target, spec);
    await once(context, statement, AT.all + (at % SPECS_MAX), NEVER_KNOWN);
  }
  const result = await commitNothing(context, AT.empty);
  const left = (await groups(context, 'left')).filter(({ removed }) => removed > 0);
  if (left.length === 0) return { progress, receipt: told(result) };
  const restored = await splitManifests(context, progress, left);
  if ((await groups(context, 'after')).every(({ removed }) => removed === 0)) {
    return { progress: restored, receipt: told(result) };
  }
  const message = `manifests of ${table} still name files that were removed`;
  throw new IcewrightError('TableBusy', message, { table });
}

async function groups(context: StepContext, when: string): Promise<readonly ManifestGroup[]> {
  const { deps, target } = context;
  const statement = deps.spark.compiler.compileManifestGroups(target, await ofOthers(context));
  const rows = await ask(context, statement, when);
  return rows.map(({ spec, bytes, removed }) => ({
    spec: Number(spec),
    bytes: Number(bytes),
    removed: Number(removed),
  }));
}

/** What others remove meanwhile holds nobody any more: it was written anew before this step. */
async function ofOthers(context: StepContext): Promise<readonly string[]> {
  const { deps, table, health, batchId } = context;
  const line = lineSince(await measureTable(deps, table), health.snapshotId) ?? [];
  return line.filter((one) => !isOwn(one, batchId)).map(({ snapshotId }) => snapshotId);
}

function specsOf(all: readonly ManifestGroup[]): readonly number[] {
  return [...new Set(all.map(({ spec }) => spec))].sort((one, other) => one - other);
}

/** With a target of half their size for as long as it takes. */
async function splitManifests(
  context: StepContext,
  progress: TableProgress,
  left: readonly ManifestGroup[],
): Promise<TableProgress> {
  const { deps, target, health } = context;
  const { compiler } = deps.spark;
  // Whoever dies from here on leaves to the next attempt what the property was.
  const restoring = { manifestTarget: health.properties[MANIFEST_TARGET] ?? null };
  const changed = { ...progress, restoring };
  await saveProgress(deps, context, changed);
  for (const [index, spec] of specsOf(left).entries()) {
    const at = index % SPECS_MAX;
    const own = left.filter((one) => one.spec === spec).map(({ bytes }) => bytes);
    const half = String(Math.max(1, Math.ceil(Math.min(...own) / 2)));
    await once(context, compiler.compileManifestTarget(target, half), AT.target + at, NEVER_KNOWN);
    await once(context, compiler.compileManifests(target, spec), AT.small + at, NEVER_KNOWN);
  }
  return restoreTarget(context, changed);
}

/** Puts back what an attempt has changed, also one that died since. */
export async function restoreTarget(
  context: StepContext,
  progress: TableProgress,
): Promise<TableProgress> {
  const { restoring, ...restored } = progress;
  if (restoring === undefined) return progress;
  const { deps, target } = context;
  const statement = deps.spark.compiler.compileManifestTarget(target, restoring.manifestTarget);
  await once(context, statement, 0, NEVER_KNOWN);
  await saveProgress(deps, context, restored);
  return restored;
}
