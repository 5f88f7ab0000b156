/** Requests that are forgotten together: gathered, closed, moved on, and brought to their end. */
import { randomUUID } from 'node:crypto';
import type { Subject } from '../../domain/erasure/privacy.ts';
import { type Blocker, type ErasureRequest, isRefKind } from '../../domain/erasure/request.ts';
import { hardBlockers, hasEnded, openBlockers } from '../../domain/erasure/transitions.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { runIdAt } from '../../domain/ids.ts';
import { LAYERS } from '../../domain/model/model.ts';
import { layerOf } from '../../domain/policy/match.ts';
import { tableFromKey, tableKey } from '../../domain/table.ts';
import type { ErasureAct } from '../erasure-ports.ts';
import { type ErasureDeps, subjectOf } from './deps.ts';
import { exceptionOf, holdsRows, openTables, readRequest } from './find.ts';
import { obstaclesOf } from './obstacles.ts';
import type { ClosedBatch, ErasureStep } from './types.ts';
import { vanishedFrom } from './vanished.ts';

/** A request is looked at again this often, whether or not anybody wakes it. */
const LOOK_MS = 3_600_000;
/** Requests of one batch: their values are in one statement. */
const REQUESTS_MAX = 1_000;

/** What a request's workflow does next. */
export async function nextStep(deps: ErasureDeps, requestId: string): Promise<ErasureStep> {
  const request = await refreshed(deps, await readRequest(deps, requestId));
  // One whose batch came to a sudden end would wait for ever: one that is there stays.
  const isAtWork = !hasEnded(request) && request.state !== 'failed';
  if (request.batchId !== null && isAtWork) await deps.startBatch(request.batchId);
  const wait: ErasureStep = { kind: 'wait', untilMs: deps.nowMs() + LOOK_MS };
  switch (request.state) {
    case 'requested':
      return request.pausedBy === null ? { kind: 'find' } : wait;
    case 'found':
      // Nothing to forget needs no approval; it is verified all the same.
      return isReady(request) && request.batchId === null ? { kind: 'join' } : wait;
    case 'awaiting_approval': {
      const approved = request.approvedBy !== null && isReady(request);
      return approved && request.batchId === null ? { kind: 'join' } : wait;
    }
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

/** What blocks a request that waits is looked at again: somebody may have settled it. */
async function refreshed(deps: ErasureDeps, request: ErasureRequest): Promise<ErasureRequest> {
  const { state, requestId, subject: name } = request;
  if (state !== 'awaiting_approval' || openBlockers(request).length === 0) return request;
  const { subject } = await subjectOf(deps, name);
  const blockers = await blockersNow(deps, request, subject);
  const seen = (kind: 'unreachable', list: readonly Blocker[]) =>
    list.filter((one) => one.kind === kind).length;
  if (seen('unreachable', blockers) < seen('unreachable', openBlockers(request))) {
    // What can be read again has not been looked into.
    return (await act(deps, requestId, { kind: 'move', to: 'requested' })).request;
  }
  return (await act(deps, requestId, { kind: 'amend', patch: { blockers } })).request;
}

/** Refs that are still there, and what forbids forgetting now. Asks no engine. */
async function blockersNow(
  deps: ErasureDeps,
  request: ErasureRequest,
  subject: Subject,
): Promise<readonly Blocker[]> {
  const open = await openTables(deps, subject);
  const { tables, blockers } = open;
  const now: Blocker[] = [...blockers, ...(await vanishedFrom(deps, request, subject, open))];
  for (const { health } of tables) {
    const refs = new Set(health.refs.map(({ name }) => name));
    const own = request.blockers.filter(({ table }) => table === health.table);
    now.push(...own.filter(({ kind, name }) => isRefKind(kind) && refs.has(name)));
    now.push(...(await obstaclesOf(deps, health)));
  }
  return now.map((one) => ({ ...one, exception: exceptionOf(request, one) }));
}

/** Nothing stands against it. Refs that hold the subject forbid its end, not its beginning. */
function isReady(request: ErasureRequest): boolean {
  const { approvedBy, hold, pausedBy } = request;
  const free = hold === null && pausedBy === null && hardBlockers(request).length === 0;
  return free && (approvedBy !== null || !holdsRows(request.found));
}

/** What the policies of a batch's one kind of subject say is what is done: kinds do not mix. */
async function openBatchFor(
  deps: ErasureDeps,
  { subject }: ErasureRequest,
  collectMs: number,
): Promise<string | null> {
  for (const { batchId, closedAt, openedAt } of await deps.erasures.listBatches()) {
    if (closedAt !== null || deps.nowMs() >= Date.parse(openedAt) + collectMs) continue;
    const [first] = await deps.erasures.listRequests({ batchId, limit: 1 });
    // One that is just being opened tells no kind yet; what does not fit is let go at its close.
    if (first === undefined || first.subject === subject) return batchId;
  }
  return null;
}

export async function joinBatch(deps: ErasureDeps, requestId: string): Promise<void> {
  const request = await readRequest(deps, requestId);
  await deps.startBatch(request.batchId ?? (await joinOpen(deps, request)));
}

/** One that closes at this moment takes nobody: then it is the next one. */
async function joinOpen(deps: ErasureDeps, request: ErasureRequest): Promise<string> {
  const { policy } = await subjectOf(deps, request.subject);
  const { requestId } = request;
  const at = new Date(deps.nowMs()).toISOString();
  const open = await openBatchFor(deps, request, policy.collectMs);
  if (open !== null && (await deps.erasures.joinBatch(requestId, open, at))) return open;
  const batchId = runIdAt(deps.nowMs(), randomUUID());
  await deps.erasures.openBatch(batchId, at);
  if (await deps.erasures.joinBatch(requestId, batchId, at)) return batchId;
  throw new IcewrightError('Internal', `batch ${batchId} was closed before it began`);
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
    const other = kept[0] !== undefined && kept[0].subject !== request.subject;
    const taken = other ? await letGo(deps, request) : await takeIn(deps, request);
    if (taken !== null) kept.push(taken);
  }
  await carryOver(deps, batchId, kept);
  const { tables: verified, models } = await tableOrder(deps, kept);
  // Where nothing is forgotten, nothing is rewritten: it is only verified.
  const forgets = kept.some(({ forgettingAt }) => forgettingAt !== null);
  const requestIds = kept.map((one) => one.requestId);
  if (forgets) return { batchId, requestIds, tables: verified, verified, models };
  return { batchId, requestIds, tables: [], verified, models: [] };
}

/**
 * What earlier tries had to remove is asked for again, and stands in the certificate: of the same
 * tables alone, whatever their names are by now. Files of another one may be in use.
 */
async function carryOver(
  deps: ErasureDeps,
  batchId: string,
  requests: readonly ErasureRequest[],
): Promise<void> {
  const earlier = new Set(requests.flatMap(({ batches }) => batches));
  earlier.delete(batchId);
  const [first] = requests;
  if (first === undefined || earlier.size === 0) return;
  const { tables } = await openTables(deps, (await subjectOf(deps, first.subject)).subject);
  const names = new Map(tables.map(({ health }) => [health.tableUuid, health.table]));
  for (const one of earlier) {
    for (const { table, document } of await deps.erasures.listTableWork(one)) {
      const name = names.get(String(document.tableUuid));
      const [from, to] = [
        { batchId: one, table },
        { batchId, table: name ?? table },
      ];
      if (name !== undefined) await deps.erasures.carryFiles({ from, to });
    }
  }
}

/** It waits for another batch. */
async function letGo(deps: ErasureDeps, { requestId, state }: ErasureRequest): Promise<null> {
  if (hasEnded({ state })) return null;
  await amend(deps, requestId, { kind: 'amend', patch: { batchId: null } });
  await deps.wake(requestId);
  return null;
}

/** `null`: it was held, paused or cancelled meanwhile, and waits for another batch. */
async function takeIn(deps: ErasureDeps, request: ErasureRequest): Promise<ErasureRequest | null> {
  const { requestId, state } = request;
  if (state === 'forgetting' || state === 'verifying') {
    return (await act(deps, requestId, { kind: 'amend', patch: { error: null } })).request;
  }
  if (state === 'found' && isReady(request)) {
    // Nothing is verified of a table that has got out of sight.
    const { subject } = await subjectOf(deps, request.subject);
    const patch = { blockers: await blockersNow(deps, request, subject) };
    const { request: now } = await act(deps, requestId, { kind: 'amend', patch });
    if (hardBlockers(now).length > 0) {
      await act(deps, requestId, { kind: 'move', to: 'awaiting_approval' });
      return letGo(deps, now);
    }
    return (await act(deps, requestId, { kind: 'move', to: 'verifying' })).request;
  }
  if (state === 'awaiting_approval' && request.approvedBy !== null && isReady(request)) {
    // Weeks may lie between finding and forgetting: what forbids it is looked for once more.
    const { subject } = await subjectOf(deps, request.subject);
    const blockers = await blockersNow(deps, request, subject);
    const { request: now } = await act(deps, requestId, { kind: 'amend', patch: { blockers } });
    if (hardBlockers(now).length > 0) return letGo(deps, now);
    return (await act(deps, requestId, { kind: 'move', to: 'forgetting' })).request;
  }
  return state === 'awaiting_approval' || state === 'found' ? letGo(deps, request) : null;
}

/** What others are made from comes first, so that nothing is made from what must go. */
async function tableOrder(deps: ErasureDeps, requests: readonly ErasureRequest[]) {
  const names = new Set(requests.map((one) => one.subject));
  const mappings = new Map<string, 'delete' | 'recompute'>();
  const isThere = await presence(deps);
  for (const name of names) {
    const { subject } = await subjectOf(deps, name);
    for (const { table, action } of subject.tables) {
      // What one of them has given up is read for the others.
      if (action === 'keep' || requests.every((one) => isGivenUp(one, table))) continue;
      if (await isThere(table)) mappings.set(table, action);
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

/** Whether a table is in the catalog; one that is listed is, also where its metadata are lost. */
export async function presence({
  catalog,
}: Pick<ErasureDeps, 'catalog'>): Promise<(table: string) => Promise<boolean>> {
  const listed = new Set((await catalog.listTables()).map(tableKey));
  return async (table) => listed.has(table) || (await catalog.tableExists(tableFromKey(table)));
}

/** It cannot be read, and somebody has said that it is left as it is. */
export function isGivenUp({ blockers }: ErasureRequest, table: string): boolean {
  return blockers.some(
    (one) => one.table === table && one.kind === 'unreachable' && one.exception !== null,
  );
}

function layerRank(table: string): number {
  const layer = layerOf(tableFromKey(table));
  return layer === null ? LAYERS.length : LAYERS.indexOf(layer);
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
