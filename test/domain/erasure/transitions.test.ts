/** Whatever is done to a request, by whomever and in whatever order: the promises hold. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  ENDED_STATES,
  ERASURE_STATES,
  type ErasureRequest,
} from '../../../src/domain/erasure/request.ts';
import {
  applyAct,
  isSamePerson,
  NEXT_STATES,
  openBlockers,
  type RequestAct,
} from '../../../src/domain/erasure/transitions.ts';
import { AT, erasureRequest } from '../../proof/fixture.ts';

const BLOCKER = {
  table: 'lake.silver.orders',
  kind: 'tag',
  name: 'eoy',
  because: 'reaches the subject',
  remedy: 'drop it',
  exception: null,
} as const;
const FOUND = [
  { table: 't', refs: [{ name: 'main', type: 'branch', rows: 3, files: 1, bytes: 9 }] },
] as const;
const ERROR = { code: 'Internal', message: 'no' } as const;

const patch = fc.record(
  {
    found: fc.constantFrom(FOUND, []),
    blockers: fc.constantFrom([], [BLOCKER]),
    batchId: fc.constant('b1'),
    certificateId: fc.constant('c1'),
    error: fc.constantFrom(ERROR, null),
  },
  { requiredKeys: [] },
);
const act: fc.Arbitrary<RequestAct> = fc.oneof(
  { weight: 6, arbitrary: moves() },
  { weight: 3, arbitrary: fc.constant({ kind: 'approve' } as const) },
  fc.constantFrom<RequestAct>(
    { kind: 'hold', because: 'court' },
    { kind: 'lift_hold' },
    { kind: 'pause' },
    { kind: 'resume' },
    { kind: 'except', blocker: BLOCKER, because: 'tax law' },
    { kind: 'amend', patch: { blockers: [BLOCKER] } },
  ),
);

function moves(): fc.Arbitrary<RequestAct> {
  const to = fc.constantFrom(...ERASURE_STATES);
  return fc.record({ kind: fc.constant('move' as const), to, patch });
}

const step = fc.record({ act, by: fc.constantFrom('cli:ana', 'api:Ana', 'cli:ben', 'workflow') });

/** Every state on the way. Half of the walks begin on the straight way, to get far. */
function walk(steps: readonly { readonly act: RequestAct; readonly by: string }[]) {
  const way: ErasureRequest[] = [erasureRequest({ found: FOUND })];
  for (const one of steps) {
    const before = way.at(-1) as ErasureRequest;
    const result = applyAct(before, one.act, { by: one.by, at: AT });
    if (result.ok) way.push(result.request);
  }
  return way;
}

const STRAIGHT: readonly { act: RequestAct; by: string }[] = [
  { act: { kind: 'move', to: 'found' }, by: 'workflow' },
  { act: { kind: 'move', to: 'awaiting_approval' }, by: 'workflow' },
  { act: { kind: 'approve' }, by: 'cli:ben' },
  { act: { kind: 'move', to: 'forgetting', patch: { batchId: 'b1' } }, by: 'workflow' },
  { act: { kind: 'move', to: 'verifying' }, by: 'workflow' },
  { act: { kind: 'move', to: 'done', patch: { certificateId: 'c1' } }, by: 'workflow' },
];

function always(check: (before: ErasureRequest, after: ErasureRequest) => void): void {
  const steps = fc
    .tuple(fc.integer({ min: 0, max: STRAIGHT.length }), fc.array(step, { maxLength: 30 }))
    .map(([n, more]) => [...STRAIGHT.slice(0, n), ...more]);
  fc.assert(
    fc.property(steps, (list) => {
      const way = walk(list);
      for (const [at, after] of way.entries()) {
        const before = way[at - 1];
        if (before !== undefined) check(before, after);
      }
    }),
    { numRuns: 2_000 },
  );
}

describe('a request', () => {
  test('comes to its end on the straight way', () => {
    const way = walk(STRAIGHT).map((one) => one.state);
    const straight = ['requested', 'found', 'awaiting_approval', 'awaiting_approval'];
    expect(way).toEqual([...straight, 'forgetting', 'verifying', 'done']);
  });

  test('of an unknown subject is verified and done without an approval', () => {
    const way = walk([
      { act: { kind: 'move', to: 'found', patch: { found: [] } }, by: 'workflow' },
      ...STRAIGHT.slice(4),
    ]);
    expect(way.map((one) => one.state)).toEqual(['requested', 'found', 'verifying', 'done']);
  });

  test('is never done without a certificate, nor with an open blocker', () => {
    always((_, { state, certificateId, ...request }) => {
      if (state !== 'done') return;
      expect(certificateId).not.toBeNull();
      expect(openBlockers(request)).toEqual([]);
    });
  });

  test('stays at its end', () => {
    always((before) => expect(ENDED_STATES).not.toContain(before.state));
    for (const state of ENDED_STATES) expect(NEXT_STATES[state]).toEqual([]);
  });

  test('is never approved by whoever asked for it', () => {
    always((_, { approvedBy, requestedBy }) => {
      if (approvedBy !== null) expect(isSamePerson(approvedBy, requestedBy)).toBe(false);
    });
  });

  test('is not forgotten without approval, during a hold, or while it is paused', () => {
    always((before, { state, approvedBy, hold, pausedBy }) => {
      if (state !== 'forgetting' || before.state === 'forgetting') return;
      expect([approvedBy === null, hold, pausedBy]).toEqual([false, null, null]);
    });
  });

  test('is cancelled or refused only before forgetting, and never goes back behind it', () => {
    always((before, after) => {
      if (before.forgettingAt === null) return;
      expect(after.forgettingAt).toBe(before.forgettingAt);
      expect(['forgetting', 'verifying', 'done', 'failed']).toContain(after.state);
    });
  });

  test('is not verified before what was found is forgotten', () => {
    always((_, { state, forgettingAt, found }) => {
      if (state === 'verifying' && forgettingAt === null) expect(found).toEqual([]);
    });
  });

  test('fails and is refused with a reason', () => {
    always((before, { state, error }) => {
      const failed = state === 'failed' || state === 'refused';
      if (before.state !== state) expect(error !== null || !failed).toBe(true);
    });
  });
});

test.each([
  ['cli:ana', 'api:Ana', true],
  ['cli:ana', 'cli: ana ', true],
  ['cli:ana', 'cli:anna', false],
  ['ana', 'cli:ana', true],
])('%s and %s: the same person %s', (one, other, same) => {
  expect(isSamePerson(one, other)).toBe(same);
});

test('a blocker is taken on by name, and one that is not there is not', () => {
  const request = erasureRequest({ blockers: [BLOCKER] });
  const except = (name: string) =>
    applyAct(
      request,
      { kind: 'except', blocker: { ...BLOCKER, name }, because: 'tax law' },
      { by: 'cli:ben', at: AT },
    );
  const exception = { by: 'cli:ben', because: 'tax law' };
  expect(except('eoy')).toMatchObject({ ok: true, request: { blockers: [{ exception }] } });
  expect(except('other')).toMatchObject({ ok: false, because: expect.stringContaining('other') });
});

test.each([
  ['tag', true],
  ['branch', true],
  ['gc_disabled', false],
  ['object_lock', false],
  ['shared_place', false],
  ['vanished', false],
  ['unreachable', false],
  ['retention', false],
] as const)('with a blocker of kind %s, approval is possible: %s', (kind, ok) => {
  const blockers = [{ ...BLOCKER, kind }];
  const request = erasureRequest({ state: 'awaiting_approval', blockers });
  const ben = { by: 'cli:ben', at: AT };
  const result = applyAct(request, { kind: 'approve' }, ben);
  expect(result.ok).toBe(ok);
  if (!result.ok) expect(result.because).toContain(`${kind} of lake.silver.orders: reaches`);
  const exception = { by: 'cli:eve', because: 'tax law' };
  const excepted = erasureRequest({
    state: 'awaiting_approval',
    blockers: [{ ...BLOCKER, kind, exception }],
  });
  expect(applyAct(excepted, { kind: 'approve' }, ben).ok).toBe(true);
});

test('what cannot be approved yet says why', () => {
  const request = erasureRequest({ error: { code: 'CatalogUnavailable', message: 'it is away' } });
  const result = applyAct(request, { kind: 'approve' }, { by: 'cli:ben', at: AT });
  expect(result).toEqual({ ok: false, because: 'it is requested: it is away' });
});

const BEN = { by: 'cli:ben', at: AT };

test.each([
  ['hold', { kind: 'hold', because: 'court' }],
  ['pause', { kind: 'pause' }],
] as const)('a %s comes too late once forgetting has begun, and says so', (_, late) => {
  for (const state of ['forgetting', 'verifying', 'failed'] as const) {
    const request = erasureRequest({ state, forgettingAt: AT, error: ERROR });
    const because = expect.stringContaining(`forgetting has begun at ${AT}`);
    expect(applyAct(request, late, BEN)).toEqual({ ok: false, because });
  }
  expect(applyAct(erasureRequest({ state: 'awaiting_approval' }), late, BEN).ok).toBe(true);
});

test.each([
  ['under another account', { account: 'cli:ben' }, true],
  ['under the account that asked', { account: 'cli:Ana' }, false],
  ['under it, where names are believed', { account: 'cli:ana', trustsNames: true }, true],
])('approved by a second name, %s: %s', (_, who, ok) => {
  const request = erasureRequest({ state: 'awaiting_approval' });
  const result = applyAct(request, { kind: 'approve' }, { ...BEN, ...who });
  expect(result.ok).toBe(ok);
  if (result.ok) {
    expect(result.request).toMatchObject({ approvedBy: 'cli:ben', approvedAccount: who.account });
  } else expect(result.because).toMatch(/same account, cli:Ana: .*ICEWRIGHT_ERASURE_TRUST_BY/);
});

test('names are believed of nobody who asked', () => {
  const request = erasureRequest({ state: 'awaiting_approval' });
  const own = { by: 'cli:ana', account: 'cli:root', at: AT, trustsNames: true };
  expect(applyAct(request, { kind: 'approve' }, own).ok).toBe(false);
});

test('what a step saw before an exception came does not undo it', () => {
  const exception = { by: 'cli:eve', because: 'tax law' };
  const request = erasureRequest({ blockers: [{ ...BLOCKER, exception }] });
  const other = { ...BLOCKER, name: 'other' };
  const patch = { blockers: [BLOCKER, other] };
  expect(applyAct(request, { kind: 'amend', patch }, BEN)).toMatchObject({
    request: { blockers: [{ ...BLOCKER, exception }, other] },
  });
  expect(applyAct(request, { kind: 'amend', patch: { blockers: [] } }, BEN)).toMatchObject({
    request: { blockers: [] },
  });
});

test('what was seen once, and each batch, stays known', () => {
  const seen = (tableUuid: string | null, place: string, rows: number) => ({
    ...{ table: 't', tableUuid, places: [place], rows, rowsElsewhere: 0 },
  });
  let request = erasureRequest();
  for (const patch of [
    { seen: [seen('u1', 'a', 3)], batchId: 'b1' },
    { seen: [seen('u1', 'b', 0), seen('u2', 'c', 1)], batchId: null },
    { seen: [], batchId: 'b2' },
  ]) {
    const result = applyAct(request, { kind: 'amend', patch }, BEN);
    if (result.ok) request = result.request;
  }
  expect(request.seen).toEqual([
    { table: 't', tableUuid: 'u1', places: ['a', 'b'], rows: 3, rowsElsewhere: 0 },
    seen('u2', 'c', 1),
  ]);
  expect([request.batchId, request.batches]).toEqual(['b2', ['b1', 'b2']]);
});
