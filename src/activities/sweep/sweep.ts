import { sweepOf } from '../../domain/policy/effective.ts';
import type { Policy, SweepPolicy } from '../../domain/policy/policy.ts';
import { describeWindow, windowAt } from '../../domain/policy/window.ts';
import { tableFromKey, tableKey } from '../../domain/table.ts';
import { withFailures, withHeartbeats } from '../failure.ts';
import type { MaintenanceTurn } from '../ports.ts';
import type { SweepDeps } from './deps.ts';
import { planSweep } from './plan.ts';
import { endWaiting, selectSweep } from './select.ts';
import type { SweepActivities, SweepTurn } from './types.ts';

/** Names in one answer: 200 KB of history. */
const PAGE_TABLES = 5_000;

export function createSweepActivities(deps: SweepDeps): SweepActivities {
  const { catalog, ledger, project } = deps;
  return {
    readSweeps: withFailures(
      withHeartbeats(async ({ lastTurns }) => {
        const nowMs = deps.nowMs();
        const turns = sweepsIn(await project.policies()).map((policy) =>
          turnOf(policy, nowMs, lastTurns[policy.name] ?? null),
        );
        deps.meter.sweepsRead(turns.map((turn) => timeOf(turn, lastTurns)));
        return turns;
      }),
    ),
    listSweepTables: withFailures(
      withHeartbeats(async ({ policy, after }) => {
        const policies = await project.policies();
        const all = (await catalog.listTables()).map(tableKey).sort();
        const mine = all.filter((key) => mayBelong(policies, key, policy));
        const rest = after === null ? mine : mine.filter((key) => key > after);
        return { tables: rest.slice(0, PAGE_TABLES), more: rest.length > PAGE_TABLES };
      }),
    ),
    planSweep: withFailures(withHeartbeats((input) => planSweep(deps, input))),
    selectSweep: withFailures(withHeartbeats((input) => selectSweep(deps, input))),
    endSweep: withFailures(
      withHeartbeats(async ({ sweepId, done = [] }) => {
        await endWaiting(ledger, done);
        await ledger.forgetSweepPlans(sweepId);
      }),
    ),
  };
}

export function sweepsIn(policies: readonly Policy[]): readonly SweepPolicy[] {
  return policies.filter((policy) => policy.kind === 'sweep');
}

function turnOf(policy: SweepPolicy, nowMs: number, lastTurnMs: number | null): SweepTurn {
  const { name, everyMs, paused, window } = policy;
  const state = windowAt(window, nowMs, lastTurnMs);
  const open = state.kind === 'open';
  const closed = open ? '' : `closed: ${window === null ? '' : describeWindow(window)}`;
  return {
    policy: name,
    everyMs,
    paused,
    // A day that ends closes nothing.
    open: open ? { sinceMs: state.sinceMs, untilMs: window === null ? null : state.untilMs } : null,
    nextOpenMs: open ? null : state.nextMs,
    because: paused ? 'the policy is paused' : open ? '' : state.because || closed,
  };
}

function timeOf(
  { policy, everyMs, paused, open }: SweepTurn,
  lastTurns: Readonly<Record<string, number>>,
): MaintenanceTurn {
  const lastStartMs = lastTurns[policy] ?? null;
  return { policy, everyMs, open: open !== null && !paused, lastStartMs };
}

/** Tags are properties: where any sweep goes by them, only a measurement tells whose a table is. */
function mayBelong(policies: readonly Policy[], key: string, policy: string): boolean {
  const byTag = sweepsIn(policies).some(({ tables }) => tables.some((one) => one.kind === 'tag'));
  return byTag || sweepOf(policies, tableFromKey(key))?.name === policy;
}
