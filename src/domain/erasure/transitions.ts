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
} from './request.ts';

/** What a step has found out or settled; a field that is left out stays. */
export type RequestPatch = Partial<
  Pick<
    ErasureRequest,
    'found' | 'sharedIdentifiers' | 'blockers' | 'batchId' | 'certificateId' | 'error'
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
  // No ref showed the subject, old files did: what goes then has to be approved.
  verifying: ['done', 'forgetting', 'awaiting_approval', 'failed'],
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
      const moved = { ...request, error: null, ...act.patch, state: act.to };
      const because = findObjection(request, moved);
      if (because !== null) return refuse(because);
      const begins = act.to === 'forgetting' && request.forgettingAt === null;
      return accept({ ...moved, ...(begins ? { forgettingAt: context.at } : {}) });
    }
    case 'amend':
      return accept(act.patch);
    case 'approve':
      return approve(request, context, accept);
    case 'hold':
      return accept({ hold: { ...context, because: act.because } });
    case 'lift_hold':
      return request.hold === null ? refuse('no legal hold stands') : accept({ hold: null });
    case 'pause':
      return accept({ pausedBy: context.by });
    case 'resume':
      return request.pausedBy === null ? refuse('it is not paused') : accept({ pausedBy: null });
    case 'except':
      return except(request, act, context, accept);
    default:
      return assertNever(act);
  }
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
  { by, at }: ActContext,
  accept: (change: Partial<ErasureRequest>) => ActResult,
): ActResult {
  if (request.state !== 'awaiting_approval') {
    const because = request.error === null ? '' : `: ${request.error.message}`;
    return refuse(`it is ${request.state}${because}`);
  }
  if (isSamePerson(by, request.requestedBy)) {
    return refuse('whoever asked for it cannot approve it: a second person must');
  }
  if (request.hold !== null) return refuse(`a legal hold stands since ${request.hold.at}`);
  const [obstacle] = hardBlockers(request);
  if (obstacle !== undefined) {
    const { kind, table, because, remedy } = obstacle;
    return refuse(`${kind} of ${table}: ${because}; ${remedy}`);
  }
  // The first approval counts: a repeated one changes nothing.
  if (request.approvedBy !== null) return accept({ updatedAt: request.updatedAt });
  return accept({ approvedBy: by, approvedAt: at });
}

function except(
  request: ErasureRequest,
  { blocker, because }: RequestAct & { readonly kind: 'except' },
  { by }: ActContext,
  accept: (change: Partial<ErasureRequest>) => ActResult,
): ActResult {
  const isMeant = (one: Blocker) =>
    one.table === blocker.table && one.kind === blocker.kind && one.name === blocker.name;
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
