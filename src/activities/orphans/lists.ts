/** Exact lists of files in the ledger: looks, what waits for a person, what is being deleted. */
import { createHash } from 'node:crypto';
import { partRunId } from '../../domain/ids.ts';
import type { StoredFile } from '../../domain/orphans/files.ts';
import { totalBytes } from '../../domain/orphans/look.ts';
import { lookText, type OrphanLook } from '../../domain/orphans/look-record.ts';
import { tableFromKey } from '../../domain/table.ts';
import { lineSince } from '../../domain/table-facts.ts';
import { storePlan } from '../planning/planning.ts';
import { type Look, refusal } from './look.ts';
import type { OrphanDeps, OrphanStep } from './step.ts';

/** The list that a person has approved, as it was shown. */
export async function readApproved(deps: OrphanDeps, step: OrphanStep): Promise<OrphanLook | null> {
  const { looks } = step.operation;
  if (looks.kind !== 'approved') return null;
  const table = tableFromKey(step.table);
  const found = await deps.ledger.readLook(looks.lookId);
  if (found === null || found.table !== step.table) {
    throw refusal(table, `the list ${looks.lookId} is not in the ledger: plan again`);
  }
  const same = digestOf(found.tableUuid, found.files) === looks.digest;
  if (found.digest === looks.digest && same) return found;
  throw refusal(table, `the list ${looks.lookId} is not the one that was planned: plan again`);
}

/** What was approved must all be there unchanged, or gone already: else it is another list. */
export async function refuseOtherThanApproved(
  { files }: OrphanDeps,
  step: OrphanStep,
  approved: OrphanLook,
  both: readonly StoredFile[],
): Promise<void> {
  const still = new Set(both.map((file) => file.uri));
  for (const { uri } of approved.files) {
    if (still.has(uri) || (await files.head(uri)) === null) continue;
    throw refusal(
      tableFromKey(step.table),
      `${uri} was on the approved list and is no orphan any more, or was written anew: plan again`,
    );
  }
}

/**
 * Stores the list and a plan that a person carries out: exactly this list, by its digest; or names
 * the plan that is there for the same list. Answers the sentence that refuses.
 */
export async function planForApproval(
  deps: ApprovalDeps,
  step: OrphanStep,
  look: Look,
  agreed: readonly StoredFile[],
): Promise<string> {
  const { maxFiles } = step.operation;
  const because =
    `${agreed.length} files are orphans, more than the ${maxFiles} that may go without a person's ` +
    'consent';
  const planId =
    (await standingPlan(deps, step, digestOf(look.reach.tableUuid, agreed))) ??
    (await storeApproval(deps, step, look, agreed, because));
  return `${step.table}: ${because}; look at them and carry it out: icewright apply ${planId}`;
}

type ApprovalDeps = Pick<OrphanDeps, 'ledger' | 'nowMs'> & {
  readonly catalog: Pick<OrphanDeps['catalog'], 'measureTable'>;
};

/** The plan for a list of the same files, as long as it can be carried out; `null`: none. */
async function standingPlan(
  { ledger, catalog, nowMs }: ApprovalDeps,
  step: OrphanStep,
  digest: string,
): Promise<string | null> {
  const lookId = await ledger.approvalLook(step.table, digest);
  const [, runId, ordinal] = /^(.*)\/(\d+)\/approval$/.exec(lookId ?? '') ?? [];
  if (runId === undefined) return null;
  const planId = approvalPlanId({ runId, ordinal: Number(ordinal) });
  const planned = (await ledger.readPlan(planId))?.tables[0];
  if (planned === undefined) return null;
  const options = { nowMs: nowMs(), depth: 'metadata' } as const;
  const health = await catalog.measureTable(tableFromKey(step.table), options);
  // When the head that it saw has expired, it would be refused as a plan for another state.
  return lineSince(health, planned.snapshotId) === null ? null : planId;
}

function approvalPlanId({ runId, ordinal }: Pick<OrphanStep, 'runId' | 'ordinal'>): string {
  return partRunId(runId, `orphans${ordinal}`);
}

/** Answers the id of the plan. */
async function storeApproval(
  deps: ApprovalDeps,
  step: OrphanStep,
  look: Look,
  agreed: readonly StoredFile[],
  because: string,
): Promise<string> {
  const { lookId, digest } = await saveLook(deps, step, 'approval', look, agreed);
  const { table, operation } = step;
  const { maxFiles } = operation;
  const planId = approvalPlanId(step);
  const { tableUuid, snapshotId } = look.reach;
  const decision = {
    kind: 'remove_orphans',
    action: 'run',
    engine: step.engine,
    operation: { ...operation, looks: { kind: 'approved', lookId, digest } },
    reasons: [{ metric: 'orphans', value: agreed.length, threshold: maxFiles, met: true, because }],
    preview: { files: agreed.length, bytesFreed: totalBytes(agreed), bytesFreedIs: 'exact' },
    nextEligibleAt: null,
    estimate: null,
  } as const;
  const tables = [{ table, tableUuid, snapshotId, decisions: [decision] }];
  await storePlan(deps.ledger, { planId, nowMs: deps.nowMs(), tables });
  return planId;
}

export function lookIdOf(step: OrphanStep, purpose: OrphanLook['purpose']): string {
  return `${step.runId}/${step.ordinal}/${purpose}`;
}

export function saveLook(
  deps: Pick<OrphanDeps, 'ledger'>,
  step: OrphanStep,
  purpose: OrphanLook['purpose'],
  look: Look,
  files: readonly StoredFile[],
): Promise<OrphanLook> {
  const { tableUuid } = look.reach;
  return deps.ledger.saveLook({
    lookId: lookIdOf(step, purpose),
    table: step.table,
    tableUuid,
    purpose,
    lookedAt: new Date(look.lookedAtMs).toISOString(),
    olderThanMs: look.lookedAtMs - look.cutoffMs,
    digest: digestOf(tableUuid, files),
    files,
  });
}

function digestOf(tableUuid: string, files: readonly StoredFile[]): string {
  return createHash('sha256').update(lookText(tableUuid, files)).digest('hex');
}
