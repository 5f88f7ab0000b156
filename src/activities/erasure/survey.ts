/** Before and after: which files there are, how many rows, and a checksum of all others. */
import { createHash } from 'node:crypto';
import { activityInfo, cancellationSignal } from '@temporalio/activity';
import { ERASURE_SESSION } from '../../domain/ids.ts';
import type { InvariantCheck } from '../../domain/receipt.ts';
import type { ErasureFile } from '../erasure-ports.ts';
import { fileKindOf } from './deps.ts';
import { refuseObstacles, type StepContext, type StepResult } from './step-context.ts';
import type { TableProgress } from './work.ts';

/** Rows of one statement of the ledger. */
const FILES_AT_ONCE = 5_000;

export async function survey(
  context: StepContext,
  earlier: TableProgress | null,
): Promise<StepResult> {
  const { health, table, deps, batchId } = context;
  await refuseObstacles(context);
  // An earlier try got further, and nobody wrote since: what it counted stays true.
  if (earlier !== null && earlier.head === health.snapshotId) {
    return { progress: earlier, receipt: { status: 'noop' } };
  }
  await saveFileList(context);
  const counted = await count(context);
  const progress: TableProgress = {
    tableUuid: health.tableUuid,
    formatVersion: health.formatVersion,
    snapshotBefore: earlier?.snapshotBefore ?? health.snapshotId,
    snapshotAfter: null,
    head: health.snapshotId,
    oracle: {
      before: counted.rows,
      matched: counted.matched,
      after: counted.rows,
      matchedAfter: counted.matched,
      othersBefore: counted.others,
      othersAfter: counted.others,
    },
    matched: (earlier?.matched ?? 0) + counted.matched,
    bytesRewritten: earlier?.bytesRewritten ?? 0,
    snapshotsExpired: earlier?.snapshotsExpired ?? 0,
    refs: health.refs.map(({ name, type }) => ({ name, type })),
    clean: earlier?.clean ?? [],
  };
  await deps.erasures.saveTableWork({ batchId, table, step: 'survey', document: { ...progress } });
  return { progress, receipt: { status: 'done' } };
}

/** Of every snapshot and ref: what of it is no longer reached at the end has to be gone. */
async function saveFileList(context: StepContext): Promise<void> {
  const { deps, table, batchId, target, health } = context;
  const stored = new Map<string, { readonly bytes: number; readonly etag: string | null }>();
  const location = `${health.location.replace(/\/+$/, '')}/`;
  for await (const { uri, sizeBytes, etag } of deps.files.list(location)) {
    stored.set(uri, { bytes: sizeBytes, etag });
  }
  const files = new Map<string, ErasureFile>();
  await deps.files.visit(target.table, (kind, uri) => {
    const path = plainUri(uri);
    if (files.has(path)) return;
    const { bytes = 0, etag = null } = stored.get(path) ?? {};
    const pathHash = hashPath(path);
    const fixed = { batchId, table, versionIds: [], removedAt: null } as const;
    files.set(path, { ...fixed, path, pathHash, kind: fileKindOf(kind), bytes, etag });
  });
  const all = [...files.values()];
  for (let at = 0; at < all.length; at += FILES_AT_ONCE) {
    await deps.erasures.saveFiles(all.slice(at, at + FILES_AT_ONCE));
  }
}

export async function countAgain(
  context: StepContext,
  progress: TableProgress,
): Promise<StepResult> {
  const { rows, matched, others } = await count(context);
  const { before, othersBefore, matched: gone } = progress.oracle;
  const oracle = { ...progress.oracle, after: rows, matchedAfter: matched, othersAfter: others };
  const invariants: readonly InvariantCheck[] = [
    check('rows_removed', before - gone, rows),
    check('no_row_left', 0, matched),
    check('others_unchanged', othersBefore, others),
  ];
  const broken = invariants.filter((one) => !one.ok);
  const { snapshotId } = context.health;
  const clean = [...(progress.clean ?? []), ...(snapshotId === null ? [] : [snapshotId])];
  const next = { ...progress, oracle, snapshotAfter: snapshotId };
  if (broken.length === 0) {
    return { progress: { ...next, clean }, receipt: { status: 'done', invariants } };
  }
  const message = `${context.table}: ${broken.map((one) => `${one.name} ${one.detail}`).join('; ')}`;
  const error = { code: 'InvariantBroken', message } as const;
  return { progress: next, receipt: { status: 'failed', invariants, error } };
}

function check<T>(name: string, expected: T, found: T): InvariantCheck {
  if (expected === found) return { name, ok: true };
  return { name, ok: false, detail: `expected ${expected}, found ${found}` };
}

async function count({ deps, target, runId, step }: StepContext) {
  const statement = deps.spark.compiler.compileOracle(target);
  const key = `${runId}/${step}/${activityInfo().attempt}`;
  const options = { key, session: ERASURE_SESSION, signal: cancellationSignal() };
  const { rows, release } = await deps.spark.runner.run(statement, options);
  await release();
  const [row] = rows;
  return {
    rows: Number(row?.n ?? 0),
    matched: Number(row?.matched ?? 0),
    others: String(row?.others ?? '0'),
  };
}

/** One spelling of an address: `s3a` and `s3n` are `s3`. */
export function plainUri(uri: string): string {
  return uri.replace(/^s3[an]:\/\//, 's3://');
}

/** SHA-256 of a path, hex: how files are named where paths must not be. */
export function hashPath(path: string): string {
  return createHash('sha256').update(path).digest('hex');
}
