/**
 * Policies tried on the past: what would have run, and at what cost, had they been in force. Pure;
 * a simulated clock goes from look to look of the nights and sweeps that the policies ask for.
 */
import type { OperationKind } from '../operation.ts';
import type { Receipt } from '../receipt.ts';
import type { TableRef } from '../table.ts';
import { addCost, type Budget, brokenLimit, NOTHING_SPENT, type Spent } from './budget.ts';
import { judgeCadence } from './cadence.ts';
import { effectivePolicy, sweepOf } from './effective.ts';
import type { TableProperties } from './match.ts';
import type { MaintenanceSettings, Policy } from './policy.ts';
import { type Arrival, arrivalsOf, arrive, type HistoryPoint, stateAt } from './replay.ts';
import { looksOf } from './simulated-looks.ts';
import { type Candidate, candidatesOf, SIMULATED, stateAfter } from './simulated-operations.ts';

export interface SimulatedTable {
  readonly table: string;
  readonly ref: TableRef;
  readonly properties: TableProperties;
  /** Oldest first; the first is what held when the span began. */
  readonly points: readonly HistoryPoint[];
  /** What really ran within the span. */
  readonly receipts: readonly Receipt[];
  /** A model writes it: the nightlies maintain it. */
  readonly byNight: boolean;
}

export interface SimulateInput {
  readonly policies: readonly Policy[];
  readonly tables: readonly SimulatedTable[];
  readonly fromMs: number;
  readonly toMs: number;
}

export interface SimulatedRun {
  readonly table: string;
  readonly kind: OperationKind;
  readonly atMs: number;
  /** Rewritten; `null`: the history does not tell. */
  readonly bytes: number | null;
  readonly overdue: boolean;
}

export interface Simulation {
  readonly runs: readonly SimulatedRun[];
  /** Due, but the budget of the window was used up: how often, in looks. */
  readonly putOff: number;
  /** Looks that the nights and sweeps took within the span. */
  readonly looks: number;
  /** Operations that are switched on and that this history cannot tell of. */
  readonly notTold: readonly OperationKind[];
}

interface Actor {
  readonly input: SimulatedTable;
  readonly settings: MaintenanceSettings;
  /** Name of the sweep that looks after it; `null`: none. */
  readonly sweep: string | null;
  readonly arrivals: readonly Arrival[];
  arrived: number;
  state: ReturnType<typeof stateAt> | null;
  receipts: readonly Receipt[];
}

/** Answers what would have run. Tables without a point in the span are passed over. */
export function simulate(input: SimulateInput): Simulation {
  const { policies, fromMs, toMs } = input;
  const actors = input.tables.map((table): Actor => {
    const { settings } = effectivePolicy(policies, table.ref, table.properties);
    const [first] = table.points;
    const began = first !== undefined && first.atMs <= fromMs;
    return {
      input: table,
      settings,
      sweep: sweepOf(policies, table.ref, table.properties)?.name ?? null,
      arrivals: arrivalsOf(table.points, table.receipts),
      arrived: 0,
      state: began ? stateAt(first) : null,
      receipts: [],
    };
  });
  const runs: SimulatedRun[] = [];
  let putOff = 0;
  const spent = new Map<string, Spent>();
  const looks = looksOf(policies, { fromMs, toMs });
  for (const look of looks) {
    for (const actor of actors) catchUp(actor, look.atMs);
    const mine = actors.filter(({ sweep, input: { byNight } }) =>
      look.sweep === null ? byNight : sweep === look.sweep.name,
    );
    const due = mine.flatMap((actor) =>
      actor.state === null ? [] : dueOf(actor, look.atMs).map((one) => ({ actor, ...one })),
    );
    const account = `${look.name} ${look.night}`;
    const budget = look.sweep?.budget ?? NO_LIMIT;
    for (const one of due.sort(bestFirst)) {
      const { actor, candidate, overdue } = one;
      const { table } = actor.input;
      const cost = { table, bytes: candidate.bytes, engineSeconds: null };
      const so = spent.get(account) ?? NOTHING_SPENT;
      if (brokenLimit(budget, so, cost, overdue) !== null) putOff += 1;
      else {
        spent.set(account, addCost(so, cost));
        perform(actor, candidate, look.atMs);
        runs.push({
          table,
          kind: candidate.kind,
          atMs: look.atMs,
          bytes: candidate.bytes,
          overdue,
        });
      }
    }
  }
  return { runs, putOff, looks: looks.length, notTold: notToldOf(actors) };
}

const NO_LIMIT: Budget = { bytes: null, engineSeconds: null, tables: null, concurrency: 1 };

/** Lets the writers do what they did until `atMs`. */
function catchUp(actor: Actor, atMs: number): void {
  const [first] = actor.input.points;
  if (actor.state === null && first !== undefined && first.atMs <= atMs) {
    actor.state = stateAt(first);
  }
  for (;;) {
    const arrival = actor.arrivals[actor.arrived];
    if (arrival === undefined || arrival.atMs > atMs || actor.state === null) return;
    actor.state = arrive(actor.state, arrival);
    actor.arrived += 1;
  }
}

interface Due {
  readonly candidate: Candidate;
  readonly overdue: boolean;
}

function dueOf({ state, settings, receipts, input }: Actor, nowMs: number): readonly Due[] {
  if (state === null) return [];
  const bornAtMs = input.points[0]?.atMs ?? null;
  return candidatesOf(state, { settings, receipts, nowMs, bornAtMs }).flatMap((candidate) => {
    const cadence = judgeCadence({
      kind: candidate.kind,
      policy: settings.cadence,
      recentReceipts: receipts,
      nowMs,
      table: input.table,
      bornAtMs,
    });
    return cadence.allowed ? [{ candidate, overdue: cadence.overdue }] : [];
  });
}

type DueTable = Due & { readonly actor: Actor };

/** What is overdue, then most files saved for each byte, then by name. */
function bestFirst(a: DueTable, b: DueTable): number {
  const gain = ({ candidate }: DueTable) =>
    candidate.filesSaved / Math.max(1, candidate.bytes ?? 1);
  if (a.overdue !== b.overdue) return a.overdue ? -1 : 1;
  return gain(b) - gain(a) || (a.actor.input.table < b.actor.input.table ? -1 : 1);
}

function perform(actor: Actor, candidate: Candidate, atMs: number): void {
  if (actor.state === null) return;
  const before = actor.state;
  actor.state = stateAfter(before, candidate, atMs);
  actor.receipts = [receiptOf(candidate, atMs), ...actor.receipts].slice(0, 200);
}

/** As much of a receipt as cadence looks at. */
function receiptOf({ kind, bytes, filesSaved }: Candidate, atMs: number): Receipt {
  const at = new Date(atMs).toISOString();
  const none = { snapshotBefore: null, snapshotAfter: null, engineOperationId: null, error: null };
  const zero = {
    bytesBefore: 0,
    bytesAfter: 0,
    snapshotsBefore: 0,
    snapshotsAfter: 0,
    rowsWritten: 0,
  };
  return {
    ...{ operation: kind, engine: 'spark', status: 'done', startedAt: at, finishedAt: at },
    ...{ ...none, ...zero, filesRemoved: 0, reattached: false, invariants: [] },
    ...{ filesBefore: filesSaved, filesAfter: 0, bytesRewritten: bytes ?? 0 },
  };
}

function notToldOf(actors: readonly Actor[]): readonly OperationKind[] {
  const wanted = new Set<OperationKind>();
  for (const { settings, state } of actors) {
    if (state === null) continue;
    if (settings.rewriteManifests.enabled && state.manifests === null)
      wanted.add('rewrite_manifests');
    if (settings.rewriteDeletes.enabled && state.deleteRatio === null)
      wanted.add('rewrite_deletes');
    if (settings.compact.enabled && state.smallFiles === null) wanted.add('compact');
    if (settings.properties.enabled && Object.keys(settings.properties.set).length > 0) {
      wanted.add('set_properties');
    }
  }
  return [...SIMULATED, 'set_properties' as const].filter((kind) => wanted.has(kind));
}
