/** One step of an erasure in one table, under the table's lock; its receipt is written once. */

import { beforeOf } from '../../domain/before-operation.ts';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { NOTHING_DONE, type Receipt } from '../../domain/receipt.ts';
import { tableFromKey } from '../../domain/table.ts';
import { requestsOf } from './batches.ts';
import { countAgain } from './count.ts';
import {
  type ErasureDeps,
  type ErasureTarget,
  mergeValues,
  subjectOf,
  targetOf,
  valuesOf,
} from './deps.ts';
import { rewriteManifests } from './manifests.ts';
import { purge } from './purge.ts';
import { refuseOtherTable } from './same-table.ts';
import { deleteRows, dropDangling, expireOld, rewriteFiles } from './statements.ts';
import { measureTable, type StepContext, type StepResult } from './step-context.ts';
import { survey } from './survey.ts';
import type { TableStepInput } from './types.ts';
import { readProgress, saveProgress, type TableProgress } from './work.ts';

export async function eraseStep(deps: ErasureDeps, input: TableStepInput): Promise<Receipt> {
  const { runId, ordinal, table, batchId } = input;
  const written = await deps.ledger.readReceipt(runId, ordinal);
  if (written !== null) return written;
  const [context, earlier] = await Promise.all([
    openStep(deps, input),
    readProgress(deps, batchId, table),
  ]);
  const { progress, receipt } = await perform(context, earlier);
  const after = await measureTable(deps, table);
  await saveProgress(deps, input, { ...progress, head: after.snapshotId });
  const full = receiptOf(context, after, deps.nowMs(), receipt);
  return deps.ledger.saveReceipt(runId, ordinal, table, full);
}

async function perform(context: StepContext, earlier: TableProgress | null): Promise<StepResult> {
  if (context.step === 'survey') return survey(context, earlier);
  if (earlier === null) {
    throw new IcewrightError(
      'Internal',
      `${context.table} was not surveyed before ${context.step}`,
    );
  }
  refuseOtherTable(context.table, context.health.tableUuid, earlier);
  switch (context.step) {
    case 'delete':
      return deleteRows(context, earlier);
    case 'rewrite':
      return rewriteFiles(context, earlier);
    case 'dangling':
      return dropDangling(context, earlier);
    case 'manifests':
      return rewriteManifests(context, earlier);
    case 'expire':
      return expireOld(context, earlier);
    case 'purge':
      return purge(context, earlier);
    case 'count':
      return countAgain(context, earlier);
  }
}

async function openStep(deps: ErasureDeps, input: TableStepInput): Promise<StepContext> {
  const { table, runId, ordinal } = input;
  const [requests, health] = await Promise.all([
    requestsOf(deps, input.batchId),
    measureTable(deps, table),
  ]);
  const target = await batchTarget(deps, table, requests, health);
  const started = await deps.ledger.startOperation({
    runId,
    ordinal,
    table,
    operation: 'erase',
    engine: 'spark',
    before: beforeOf(health),
    startedAt: new Date(deps.nowMs()).toISOString(),
  });
  return { ...input, deps, target, requests, started, health };
}

/** All subjects of the batch that are being forgotten, as one. */
export async function batchTarget(
  deps: ErasureDeps,
  table: string,
  requests: readonly ErasureRequest[],
  { columns }: Pick<TableHealth, 'columns'>,
): Promise<ErasureTarget> {
  const open = requests.filter(({ state }) => state === 'forgetting' || state === 'verifying');
  const [first] = open;
  if (first === undefined) {
    throw new IcewrightError('SafetyRefused', `no request of the batch is being forgotten`);
  }
  const { subject } = await subjectOf(deps, first.subject);
  const mapping = subject.tables.find((one) => one.table === table);
  if (mapping === undefined) {
    throw new IcewrightError(
      'PolicyInvalid',
      `${table} is not mapped for ${subject.name} any more`,
    );
  }
  const values = await Promise.all(open.map(({ requestId }) => valuesOf(deps, requestId)));
  return targetOf(tableFromKey(table), columns, subject, mapping, mergeValues(values));
}

function receiptOf(
  { started }: StepContext,
  after: TableHealth,
  nowMs: number,
  told: Partial<Receipt> & Pick<Receipt, 'status'>,
): Receipt {
  const { before, startedAt } = started;
  return {
    operation: 'erase',
    engine: 'spark',
    startedAt,
    finishedAt: new Date(nowMs).toISOString(),
    snapshotBefore: before.snapshotId,
    snapshotAfter: after.snapshotId,
    filesBefore: before.files,
    filesAfter: after.dataFiles,
    bytesBefore: before.bytes,
    bytesAfter: after.totalBytes,
    snapshotsBefore: before.snapshots,
    snapshotsAfter: after.snapshots.length,
    ...NOTHING_DONE,
    ...told,
  };
}
