/**
 * What may be done to a request and when: a table of states and a few rules that no caller can go
 * around. Pure: the ledger applies it inside the transaction that writes.
 */
import { assertNever } from '../errors.ts';
import {
  type Blocker,
  ENDED_STATES,
  type ErasureRequest,
  type ErasureState,
  isRefKind,
  type SeenTable,
} from './request.ts';

/** What a step has found out or settled; a field that is left out stays. */
export type RequestPatch = Partial<
  Pick<
    ErasureRequest,
    'found' | 'sharedIdentifiers' | 'seen' | 'blockers' | 'batchId' | 'certificateId' | 'error'
  >
>;

export type RequestAct =
  | { readonly kind: 'move'; readonly to: ErasureState; readonly patch?: RequestPatch }
  /** No change of state, and no entry in the chain; an `error` is why it waits. */
  | { readonly kind: 'amend'; readonly patch: Omit<RequestPatch, 'certificateId'> }
  | { readonly kind: 'approve' }
  | { readonly kind: 'hold'; readonly because: string }
  | { readonly kind: 'lift_hold' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  /** A blocker that stays, on somebody's word. */
  | {
      readonly kind: 'except';
      readonly blocker: Pick<Blocker, 'table' | 'kind' | 'name'>;
      readonly because: string;
    };

export interface ActContext {
  readonly by: string;
  /** The account that it is done by, where `by` is only a name that was given; absent: `by`. */
  readonly account?: string;
  /** Names are believed: one account may act for several people. Default: it is one person. */
  readonly trustsNames?: boolean;
  /** ISO time. */
  readonly at: string;
}

export type ActResult =
  | { readonly ok: true; readonly request: ErasureRequest }
  | { readonly ok: false; readonly because: string };

/** State → the states that may follow. From `failed` an operator lets it go on where it stopped. */
export const NEXT_STATES: Readonly<Record<ErasureState, readonly ErasureState[]>> = {
  requested: ['found', 'awaiting_approval', 'refused', 'cancelled', 'failed'],
  found: ['requested', 'awaiting_approval', 'verifying', 'refused', 'cancelled', 'failed'],
  awaiting_approval: ['requested', 'found', 'forgetting', 'refused', 'cancelled', 'failed'],
  forgetting: ['verifying', 'failed'],
  // No ref showed the subject, old files did: what goes then has to be approved. What was not read
  // is looked into again.
  verifying: ['done', 'forgetting', 'awaiting_approval', 'requested', 'failed'],
  failed: [
    ...(['requested', 'found', 'awaiting_approval', 'forgetting', 'verifying'] as const),
    ...(['refused', 'cancelled'] as const),
  ],
  done: [],
  refused: [],
  cancelled: [],
};

/** Once data are gone there is no way back. */
const AFTER_FORGETTING: readonly ErasureState[] = ['forgetting', 'verifying', 'done', 'failed'];

/** The request as it is after the act, or why it must not be. */
export function applyAct(request: ErasureRequest, act: RequestAct, context: ActContext): ActResult {
  if (hasEnded(request)) return refuse(`it has ended: ${request.state}`);
  const accept = (change: Partial<ErasureRequest>): ActResult => ({
    ok: true,
    request: { ...request, ...change, updatedAt: context.at },
  });
  switch (act.kind) {
    case 'move': {
      const moved = { ...request, error: null, ...patched(request, act.patch), state: act.to };
      const because = findObjection(request, moved);
      if (because !== null) return refuse(because);
      const begins = act.to === 'forgetting' && request.forgettingAt === null;
      return accept({ ...moved, ...(begins ? { forgettingAt: context.at } : {}) });
    }
    case 'amend':
      return accept(patched(request, act.patch));
    case 'approve':
      return approve(request, context, accept);
    case 'hold': {
      const { by, at } = context;
      return unlessBegun(request, accept, { hold: { by, at, because: act.because } });
    }
    case 'lift_hold':
      return request.hold === null ? refuse('no legal hold stands') : accept({ hold: null });
    case 'pause':
      return unlessBegun(request, accept, { pausedBy: context.by });
    case 'resume':
      return request.pausedBy === null ? refuse('it is not paused') : accept({ pausedBy: null });
    case 'except':
      return except(request, act, context, accept);
    default:
      return assertNever(act);
  }
}

/** What a step has found out was read before: what came into the row meanwhile stays in it. */
function patched(request: ErasureRequest, patch: RequestPatch = {}): Partial<ErasureRequest> {
  const { blockers, seen, batchId } = patch;
  const joins = batchId != null && !request.batches.includes(batchId);
  return {
    ...patch,
    ...(blockers === undefined ? {} : { blockers: withExceptions(request, blockers) }),
    ...(seen === undefined ? {} : { seen: mergeSeen(request.seen, seen) }),
    ...(joins ? { batches: [...request.batches, batchId] } : {}),
  };
}

/** An exception stays as long as its blocker does, whoever has not seen it yet. */
function withExceptions(
  request: Pick<ErasureRequest, 'blockers'>,
  blockers: readonly Blocker[],
): readonly Blocker[] {
  return blockers.map((one) => {
    const known = request.blockers.find((other) => isSameBlocker(one, other));
    return { ...one, exception: known?.exception ?? one.exception };
  });
}

export function isSameBlocker(
  one: Pick<Blocker, 'table' | 'kind' | 'name'>,
  other: Pick<Blocker, 'table' | 'kind' | 'name'>,
): boolean {
  return one.table === other.table && one.kind === other.kind && one.name === other.name;
}

/** What was seen once is never forgotten. */
function mergeSeen(known: readonly SeenTable[], now: readonly SeenTable[]): readonly SeenTable[] {
  const merged = new Map<string, SeenTable>();
  for (const one of [...known, ...now]) {
    const key = `${one.table} ${one.tableUuid}`;
    const before = merged.get(key) ?? one;
    const places = [...new Set([...before.places, ...one.places])].sort();
    const rows = Math.max(before.rows, one.rows);
    const rowsElsewhere = Math.max(before.rowsElsewhere, one.rowsElsewhere);
    merged.set(key, { ...before, places, rows, rowsElsewhere });
  }
  return [...merged.values()];
}

/** Once data are gone, nothing brings it to a stop: whoever tries must be told. */
function unlessBegun(
  { forgettingAt }: ErasureRequest,
  accept: (change: Partial<ErasureRequest>) => ActResult,
  change: Partial<ErasureRequest>,
): ActResult {
  if (forgettingAt === null) return accept(change);
  return refuse(`forgetting has begun at ${forgettingAt}: it can only be brought to its end`);
}

export function hasEnded({ state }: Pick<ErasureRequest, 'state'>): boolean {
  return ENDED_STATES.includes(state);
}

/** `cli:Ana` and `api:ana` are one person: the way in does not make a second pair of eyes. */
export function isSamePerson(one: string, other: string): boolean {
  return personOf(one) === personOf(other);
}

function personOf(requester: string): string {
  return requester
    .slice(requester.indexOf(':') + 1)
    .trim()
    .toLowerCase();
}

/** Blockers that nobody has settled or taken on themselves. */
export function openBlockers({ blockers }: Pick<ErasureRequest, 'blockers'>): readonly Blocker[] {
  return blockers.filter((one) => one.exception === null);
}

/** Of those, what forbids forgetting at all; refs only forbid the end. */
export function hardBlockers(request: Pick<ErasureRequest, 'blockers'>): readonly Blocker[] {
  return openBlockers(request).filter(({ kind }) => !isRefKind(kind));
}

/** Why `before` must not become `after`; `null`: it may. */
function findObjection(before: ErasureRequest, after: ErasureRequest): string | null {
  const to = after.state;
  if (!NEXT_STATES[before.state].includes(to)) return `${before.state} is not followed by ${to}`;
  if (before.forgettingAt !== null && !AFTER_FORGETTING.includes(to)) {
    return `forgetting has begun at ${before.forgettingAt}: it can only be brought to its end`;
  }
  if ((to === 'failed' || to === 'refused') && after.error === null) return 'it has no error';
  if (to === 'forgetting') return findObjectionToForgetting(after);
  if (to === 'verifying' && before.forgettingAt === null && countRows(after) > 0) {
    return `${countRows(after)} rows were found and not forgotten`;
  }
  if (to === 'done') return findObjectionToDone(after);
  return null;
}

function findObjectionToForgetting({ approvedBy, ...request }: ErasureRequest): string | null {
  if (approvedBy === null) return 'nobody has approved it';
  if (isSamePerson(approvedBy, request.requestedBy)) return 'requester and approver are the same';
  if (request.hold !== null) return `a legal hold stands since ${request.hold.at}`;
  return request.pausedBy === null ? null : `it is paused by ${request.pausedBy}`;
}

function findObjectionToDone(request: ErasureRequest): string | null {
  if (request.certificateId === null) return 'it has no certificate';
  const open = openBlockers(request).map((one) => `${one.kind} ${one.name} of ${one.table}`);
  return open.length === 0 ? null : `it is blocked by ${open.join(', ')}`;
}

function approve(
  request: ErasureRequest,
  context: ActContext,
  accept: (change: Partial<ErasureRequest>) => ActResult,
): ActResult {
  const { by, at, account = by, trustsNames = false } = context;
  if (request.state !== 'awaiting_approval') {
    const because = request.error === null ? '' : `: ${request.error.message}`;
    return refuse(`it is ${request.state}${because}`);
  }
  if (isSamePerson(by, request.requestedBy)) {
    return refuse('whoever asked for it cannot approve it: a second person must');
  }
  if (!trustsNames && isSamePerson(account, request.requestedBy)) {
    return refuse(
      `it was asked for by the same account, ${account}: a second person must approve it by their ` +
        'own, or set ICEWRIGHT_ERASURE_TRUST_BY=true where one account acts for several people',
    );
  }
  if (request.hold !== null) return refuse(`a legal hold stands since ${request.hold.at}`);
  const [obstacle] = hardBlockers(request);
  if (obstacle !== undefined) {
    const { kind, table, because, remedy } = obstacle;
    return refuse(`${kind} of ${table}: ${because}; ${remedy}`);
  }
  // The first approval counts: a repeated one changes nothing.
  if (request.approvedBy !== null) return accept({ updatedAt: request.updatedAt });
  return accept({ approvedBy: by, approvedAt: at, approvedAccount: account });
}

function except(
  request: ErasureRequest,
  { blocker, because }: RequestAct & { readonly kind: 'except' },
  { by }: ActContext,
  accept: (change: Partial<ErasureRequest>) => ActResult,
): ActResult {
  const isMeant = (one: Blocker) => isSameBlocker(one, blocker);
  if (!request.blockers.some(isMeant)) {
    return refuse(`no ${blocker.kind} ${blocker.name} of ${blocker.table} blocks it`);
  }
  const blockers = request.blockers.map((one) =>
    isMeant(one) ? { ...one, exception: { by, because } } : one,
  );
  return accept({ blockers });
}

function countRows({ found }: ErasureRequest): number {
  return found.flatMap((one) => one.refs).reduce((sum, ref) => sum + ref.rows, 0);
}

function refuse(because: string): ActResult {
  return { ok: false, because };
}
