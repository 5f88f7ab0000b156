import { setTimeout as sleep } from 'node:timers/promises';
import { IcewrightError } from '../../domain/errors.ts';
import type { StoredFile } from '../../domain/orphans/files.ts';
import { confirm, type OrphanAge, orphanAge, totalBytes } from '../../domain/orphans/look.ts';
import type { OrphanLook } from '../../domain/orphans/look-record.ts';
import type { OrphanCounts } from '../../domain/orphans/operation.ts';
import { expiredBefore } from '../../domain/orphans/preconditions.ts';
import { planExpiry } from '../../domain/planner/expiry.ts';
import { effectivePolicy } from '../../domain/policy/effective.ts';
import type { InvariantCheck, Receipt } from '../../domain/receipt.ts';
import { type TableRef, tableFromKey } from '../../domain/table.ts';
import { formatDuration } from '../../domain/units.ts';
import { readConsumers } from '../planning/inputs.ts';
import { checkReachable } from '../reachability.ts';
import { type Deleted, deleteExactly } from './delete.ts';
import {
  lookIdOf,
  planForApproval,
  readApproved,
  refuseOtherThanApproved,
  saveLook,
} from './lists.ts';
import { type Look, refusal, takeLook } from './look.ts';
import type { OrphanDeps, OrphanEngines, OrphanResult, OrphanStep } from './step.ts';
import { askEngine } from './vote.ts';

/** Receipts that are looked back on for the longest write. */
const RECEIPTS_MAX = 500;

/** Answers refusals; rejects only with what may be tried again, or was not foreseen. */
export async function removeOrphans(deps: OrphanEngines, step: OrphanStep): Promise<OrphanResult> {
  try {
    return await remove(deps, step);
  } catch (error) {
    if (!(error instanceof IcewrightError)) throw error;
    if (error.code === 'Cancelled' && !step.isCancelled()) {
      throw new IcewrightError('EngineUnavailable', 'the worker stops: another one goes on');
    }
    if (error.code !== 'SafetyRefused') throw error;
    return { ...NOTHING, status: 'refused', error: { code: error.code, message: error.message } };
  }
}

const NOTHING: OrphanResult = {
  status: 'noop',
  error: null,
  filesRemoved: 0,
  invariants: [],
  engineOperationId: null,
};

async function remove(deps: OrphanEngines, step: OrphanStep): Promise<OrphanResult> {
  const table = tableFromKey(step.table);
  const { operation } = step;
  const begun = await deps.ledger.readLook(lookIdOf(step, 'deletion'));
  const approved = await readApproved(deps, step);
  await refuseWithoutExpiry(deps, table);
  const age = await ageOf(deps, step);
  const first = begun ?? approved ?? (await firstLook(deps, step, age));
  const look = await takeLook(deps, table, age.ageMs);
  const told = (agreed: number, note: string | null, gone: readonly StoredFile[] = []) =>
    countsOf(look, age, { agreed, note, gone });
  const replaced = first !== null && first.tableUuid !== look.reach.tableUuid;
  if (replaced && operation.looks.kind !== 'later') {
    throw refusal(table, `it is another table now (uuid ${look.reach.tableUuid}): plan again`);
  }
  if (first === null || replaced) {
    await saveLook(deps, step, 'look', look, look.candidates);
    const note = `first look: ${look.candidates.length} candidates; a later run removes them`;
    return { ...NOTHING, orphans: told(0, note) };
  }
  // Found by the first look at first: what a killed run has deleted already is missing now.
  if (begun !== null) return finish(deps, step, look, age, begun.files, null);
  const both = confirm(first.files, look.candidates);
  if (approved !== null) await refuseOtherThanApproved(deps, step, approved, both);
  if (operation.looks.kind === 'later') await saveLook(deps, step, 'look', look, look.candidates);
  if (both.length === 0) return { ...NOTHING, orphans: told(0, 'both looks found no file') };
  const key = `${step.runId}/${step.ordinal}/vote/${step.attempt}`;
  const { signal } = step;
  const vote = await askEngine(deps.engines[step.engine], {
    table,
    look,
    files: both,
    key,
    signal,
  });
  const agreed = vote.files;
  if (approved === null && agreed.length > operation.maxFiles) {
    const message = await planForApproval(deps, step, look, agreed);
    const orphans = told(agreed.length, null);
    return { ...NOTHING, status: 'refused', error: { code: 'SafetyRefused', message }, orphans };
  }
  if (agreed.length === 0) {
    const note = `${both.length} candidates, of which ${step.engine} calls none an orphan`;
    return { ...NOTHING, orphans: told(0, note), engineOperationId: vote.engineOperationId };
  }
  await saveLook(deps, step, 'deletion', look, agreed);
  return finish(deps, step, look, age, agreed, vote.engineOperationId);
}

/** Deletes the list, checks the table, tells. */
async function finish(
  deps: OrphanEngines,
  step: OrphanStep,
  look: Look,
  age: OrphanAge,
  list: readonly StoredFile[],
  engineOperationId: string | null,
): Promise<OrphanResult> {
  const table = tableFromKey(step.table);
  const deleted = await deleteExactly(deps, table, look.reach, list, step.signal);
  const { files, left } = deleted;
  const orphans = countsOf(look, age, { agreed: list.length, note: noteOf(deleted), gone: files });
  const [one] = left;
  const detail =
    one === undefined ? {} : { detail: `${left.length} left: ${one.uri}: ${one.reason}` };
  const invariants: readonly InvariantCheck[] = [
    { name: 'listed_files_gone', ok: left.length === 0, ...detail },
    await checkAfter(deps, table),
  ];
  const error = errorAfter(step.table, invariants, deleted.refused);
  const status = error === null ? 'done' : 'failed';
  return { status, error, filesRemoved: files.length, invariants, engineOperationId, orphans };
}

/** Files are gone by now: whatever cannot be read is told, and hides nothing of that. */
async function checkAfter(deps: OrphanDeps, table: TableRef): Promise<InvariantCheck> {
  try {
    return await checkReachable(deps.files, table);
  } catch (error) {
    if (!(error instanceof IcewrightError) || error.code !== 'SafetyRefused') throw error;
    return { name: 'reachable_files_exist', ok: false, detail: error.message };
  }
}

function errorAfter(
  table: string,
  invariants: readonly InvariantCheck[],
  refused: string | null,
): Receipt['error'] {
  const broken = invariants.filter((one) => !one.ok);
  const told = broken.map((one) => `${one.name}: ${one.detail}`).join('; ');
  if (broken.length > 0) return { code: 'InvariantBroken', message: `${table}: ${told}` };
  return refused === null ? null : { code: 'SafetyRefused', message: refused };
}

function noteOf({ changed, untouched }: Deleted): string | null {
  const notes = [
    ...(changed.length === 0 ? [] : [`${changed.length} files were written anew: they stay`]),
    ...(untouched === 0 ? [] : [`stopped with ${untouched} files to go`]),
  ];
  return notes.length === 0 ? null : notes.join('; ');
}

/** As of a table's own policy; also asked of what a person applies. */
export async function refuseWithoutExpiry(deps: OrphanDeps, table: TableRef): Promise<void> {
  const key = `${table.catalog}.${table.namespace}.${table.name}`;
  const nowMs = deps.nowMs();
  const policies = await deps.project.policies();
  const [health, receipts, pinned, consumers] = await Promise.all([
    deps.catalog.measureTable(table, { nowMs, depth: 'metadata' }),
    // The last expiry alone is asked for: however long ago, and however it ended.
    deps.ledger.receiptsOfEach(key, 1),
    deps.ledger.livePins(key, new Date(nowMs).toISOString()),
    readConsumers(deps, key, nowMs),
  ]);
  const { olderThanMs, keepLast } = effectivePolicy(policies, table, health.properties).settings
    .expire;
  const expiry = planExpiry({ health, olderThanMs, keepLast, pinned, consumers, nowMs });
  const expired = expiredBefore(receipts, expiry);
  if (!expired.met) throw refusal(table, `no orphan removal before an expiry: ${expired.because}`);
}

export async function ageOf(
  deps: Pick<OrphanDeps, 'ledger'>,
  step: Pick<OrphanStep, 'table' | 'operation'>,
): Promise<OrphanAge> {
  const receipts = await deps.ledger.recentReceipts(step.table, RECEIPTS_MAX);
  return orphanAge(step.operation.olderThanMs, receipts);
}

/** The first of two looks; `null`: there is none yet, and this run is to make it. */
async function firstLook(
  deps: OrphanDeps,
  step: OrphanStep,
  age: OrphanAge,
): Promise<OrphanLook | null> {
  const { looks } = step.operation;
  if (looks.kind === 'later') {
    const until = new Date(deps.nowMs() - looks.gapMs).toISOString();
    return deps.ledger.lastLook(step.table, until);
  }
  const table = tableFromKey(step.table);
  const before = await deps.ledger.readLook(lookIdOf(step, 'look'));
  if (before === null) {
    const look = await takeLook(deps, table, age.ageMs);
    await saveLook(deps, step, 'look', look, look.candidates);
  }
  const pauseMs = looks.kind === 'soon' ? looks.pauseMs : 0;
  await sleep(pauseMs, undefined, { signal: step.signal }).catch(() => {
    throw new IcewrightError('Cancelled', 'cancelled between the two looks');
  });
  return deps.ledger.readLook(lookIdOf(step, 'look'));
}

export function countsOf(
  look: Look,
  age: OrphanAge,
  told: { readonly agreed: number; readonly note: string | null; gone: readonly StoredFile[] },
): OrphanCounts {
  const { counts, listed, candidates } = look;
  return {
    listed,
    reachable: counts.reachable,
    young: counts.young,
    unknownAge: counts.unknown_age,
    candidates: candidates.length,
    agreed: told.agreed,
    bytesFreed: totalBytes(told.gone),
    olderThanMs: age.ageMs,
    olderThanBecause: `${formatDuration(age.ageMs)}: ${age.because}`,
    note: told.note,
  };
}
