/** Requests that are forgotten together: gathered, closed, moved on, and brought to their end. */
import { randomUUID } from 'node:crypto';
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { openBlockers } from '../../domain/erasure/transitions.ts';
import { type ErrorCode, isErrorCode } from '../../domain/errors.ts';
import { runIdAt } from '../../domain/ids.ts';
import { LAYERS } from '../../domain/model/model.ts';
import { layerOf } from '../../domain/policy/match.ts';
import { tableFromKey, tableKey } from '../../domain/table.ts';
import type { ErasureAct } from '../erasure-ports.ts';
import { type ErasureDeps, subjectOf } from './deps.ts';
import { holdsRows, readRequest } from './find.ts';
import type { ClosedBatch, ErasureStep } from './types.ts';

/** A request is looked at again this often, whether or not anybody wakes it. */
const LOOK_MS = 3_600_000;
/** Requests of one batch: their values are in one statement. */
const REQUESTS_MAX = 1_000;

/** What a request's workflow does next. */
export async function nextStep(deps: ErasureDeps, requestId: string): Promise<ErasureStep> {
  const request = await readRequest(deps, requestId);
  const wait: ErasureStep = { kind: 'wait', untilMs: deps.nowMs() + LOOK_MS };
  switch (request.state) {
    case 'requested':
      return request.pausedBy === null ? { kind: 'find' } : wait;
    case 'found':
      // Nothing to forget needs no approval; it is verified all the same.
      return request.batchId === null ? { kind: 'join' } : wait;
    case 'awaiting_approval':
      return isReady(request) && request.batchId === null ? { kind: 'join' } : wait;
    case 'forgetting':
      // One that failed goes on with the next batch.
      return request.batchId === null ? { kind: 'join' } : wait;
    case 'done':
    case 'refused':
    case 'cancelled':
      return { kind: 'end' };
    default:
      return wait;
  }
}

/** Approved, and nothing stands against it. */
function isReady(request: ErasureRequest): boolean {
  const { approvedBy, hold, pausedBy } = request;
  const free = hold === null && pausedBy === null && openBlockers(request).length === 0;
  return free && (approvedBy !== null || !holdsRows(request.found));
}

export async function joinBatch(deps: ErasureDeps, requestId: string): Promise<void> {
  const request = await readRequest(deps, requestId);
  const { policy } = await subjectOf(deps, request.subject);
  const nowMs = deps.nowMs();
  const open = (await deps.erasures.listBatches()).find(
    ({ closedAt, openedAt }) =>
      closedAt === null && nowMs < Date.parse(openedAt) + policy.collectMs,
  );
  const batchId = request.batchId ?? open?.batchId ?? runIdAt(nowMs, randomUUID());
  await deps.erasures.openBatch(batchId, new Date(nowMs).toISOString());
  await amend(deps, requestId, { kind: 'amend', patch: { batchId } });
  await deps.startBatch(batchId);
}

/** When a batch that is open takes no more. */
export async function batchClosesAt(deps: ErasureDeps, batchId: string): Promise<number> {
  const batch = (await deps.erasures.listBatches()).find((one) => one.batchId === batchId);
  const policies = await deps.privacy();
  const collectMs = Math.max(0, ...policies.map((one) => one.collectMs));
  return batch === undefined ? deps.nowMs() : Date.parse(batch.openedAt) + collectMs;
}

export async function closeBatch(deps: ErasureDeps, batchId: string): Promise<ClosedBatch> {
  await deps.erasures.closeBatch(batchId, new Date(deps.nowMs()).toISOString());
  const kept: ErasureRequest[] = [];
  for (const request of await requestsOf(deps, batchId)) {
    const taken = await takeIn(deps, request);
    if (taken !== null) kept.push(taken);
  }
  const order = await tableOrder(deps, kept);
  return { batchId, requestIds: kept.map((one) => one.requestId), ...order };
}

/** `null`: it was held, paused or cancelled meanwhile, and waits for another batch. */
async function takeIn(deps: ErasureDeps, request: ErasureRequest): Promise<ErasureRequest | null> {
  const { requestId, state } = request;
  if (state === 'forgetting' || state === 'verifying') return request;
  if (state === 'found' && isReady(request)) {
    return (await act(deps, requestId, { kind: 'move', to: 'verifying' })).request;
  }
  if (state === 'awaiting_approval' && isReady(request)) {
    return (await act(deps, requestId, { kind: 'move', to: 'forgetting' })).request;
  }
  if (state === 'awaiting_approval' || state === 'found') {
    await amend(deps, requestId, { kind: 'amend', patch: { batchId: null } });
    await deps.wake(requestId);
  }
  return null;
}

/** What others are made from comes first, so that nothing is made from what must go. */
async function tableOrder(deps: ErasureDeps, requests: readonly ErasureRequest[]) {
  const names = new Set(requests.map((one) => one.subject));
  const mappings = new Map<string, 'delete' | 'recompute'>();
  for (const name of names) {
    const { subject } = await subjectOf(deps, name);
    for (const { table, action } of subject.tables) {
      if (action === 'keep') continue;
      const there = await deps.catalog.tableExists(tableFromKey(table));
      if (there) mappings.set(table, action);
    }
  }
  const models = await deps.project.models();
  const places = new Map(models.map((model, index) => [tableKey(model.target), index]));
  const rank = (table: string) => places.get(table) ?? layerRank(table) * 10_000;
  const tables = [...mappings.keys()].sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const recomputed = models
    .filter((model) => mappings.get(tableKey(model.target)) === 'recompute')
    .map((model) => ({ model: model.name, table: tableKey(model.target) }));
  return { tables, models: recomputed };
}

function layerRank(table: string): number {
  const layer = layerOf(tableFromKey(table));
  return layer === null ? LAYERS.length : LAYERS.indexOf(layer);
}

export async function noteBatch(
  deps: ErasureDeps,
  batchId: string,
  waitingFor: { readonly code: string; readonly message: string } | null,
): Promise<void> {
  const code: ErrorCode = isErrorCode(waitingFor?.code) ? waitingFor.code : 'Internal';
  const error = waitingFor === null ? null : { code, message: waitingFor.message };
  for (const { requestId, state } of await requestsOf(deps, batchId)) {
    if (state !== 'forgetting' && state !== 'verifying') continue;
    await act(deps, requestId, { kind: 'amend', patch: { error } });
  }
}

export async function beginVerification(deps: ErasureDeps, batchId: string): Promise<void> {
  for (const { requestId, state } of await requestsOf(deps, batchId)) {
    if (state === 'forgetting') await act(deps, requestId, { kind: 'move', to: 'verifying' });
  }
}

/** All requests that were put into a batch, oldest first. */
export async function requestsOf(
  deps: ErasureDeps,
  batchId: string,
): Promise<readonly ErasureRequest[]> {
  const found = await deps.erasures.listRequests({ batchId, limit: REQUESTS_MAX });
  return [...found].reverse();
}

export function act(deps: ErasureDeps, requestId: string, what: ErasureAct['act']) {
  const at = new Date(deps.nowMs()).toISOString();
  return deps.erasures.actOn({ requestId, act: what, by: 'workflow', at });
}

async function amend(deps: ErasureDeps, requestId: string, what: ErasureAct['act']) {
  await act(deps, requestId, what);
}
