/** Looks at the tables of a sweep: what is as it was and had nothing to do is left at that. */
import { createHash } from 'node:crypto';
import { CancelledFailure, Context } from '@temporalio/activity';
import { IcewrightError } from '../../domain/errors.ts';
import type { TablePlan } from '../../domain/operation.ts';
import { correctionOf } from '../../domain/planner/ranking.ts';
import { effectivePolicy, sweepOf } from '../../domain/policy/effective.ts';
import type { PauseEvent } from '../../domain/policy/pause.ts';
import type { Policy } from '../../domain/policy/policy.ts';
import { tableFromKey } from '../../domain/table.ts';
import { log } from '../../log.ts';
import { mapAtOnce, withinTime } from '../at-once.ts';
import { TABLE_LIMIT_MS } from '../health/measuring.ts';
import type { SweepNote, SweepPlan } from '../ledger-port.ts';
import { gatherFor, measureAgain, measureOptionsFor } from '../planning/plan-table.ts';
import { planGathered } from '../planning/planning.ts';
import type { SweepDeps } from './deps.ts';
import type { PlanSweepInput, SweptPlans } from './types.ts';

/** Conditional requests at once: a catalog answers each within milliseconds. */
const TABLES_AT_ONCE = 16;
/** A day: readers' watermarks and pins move without the table's metadata. */
const QUIET_MAX_MS = 86_400_000;

type Looked =
  | { readonly kind: 'quiet' | 'elsewhere' }
  | { readonly kind: 'planned'; readonly note: SweepNote; readonly plan: SweepPlan }
  | { readonly kind: 'failed'; readonly table: string; readonly error: unknown };

/** What holds for the whole batch. */
interface Rules {
  readonly policies: readonly Policy[];
  readonly pauses: readonly PauseEvent[];
  readonly digest: string;
  readonly policy: string;
}

export async function planSweep(deps: SweepDeps, input: PlanSweepInput): Promise<SweptPlans> {
  const { cancelled, cancellationSignal, info } = Context.current();
  const [policies, pauses, notes] = await Promise.all([
    deps.project.policies(),
    deps.ledger.pauseEvents(),
    deps.ledger.sweepNotes(input.tables),
  ]);
  const rules = { policies, pauses, digest: digestOf([policies, pauses]), policy: input.policy };
  const looking = mapAtOnce(input.tables, TABLES_AT_ONCE, async (key) => {
    if (cancellationSignal.aborted) throw new CancelledFailure('the worker ends');
    return lookAt(deps, rules, key, notes.get(key) ?? null);
  });
  // A worker that drains does not wait for a table that hangs.
  const looked = await Promise.race([looking, cancelled]);
  const failed = looked.flatMap((one) => (one.kind === 'failed' ? [one] : []));
  refuseOutage(failed, looked.length, info.attempt);
  const planned = looked.flatMap((one) => (one.kind === 'planned' ? [one] : []));
  const due = planned.filter(({ note }) => note.quietUntilMs === null);
  await deps.ledger.saveSweepNotes(planned.map((one) => one.note));
  await deps.ledger.saveSweepPlans(
    input.sweepId,
    due.map((one) => one.plan),
  );
  const plans = planned.map(({ plan }) => plan.plan);
  deps.meter.maintenancePlanned(plans, deps.nowMs());
  const count = (kind: Looked['kind']) => looked.filter((one) => one.kind === kind).length;
  return {
    quiet: count('quiet'),
    planned: planned.length,
    due: due.length,
    elsewhere: count('elsewhere'),
    failed: failed.map((one) => one.table),
  };
}

/** Everything that people wrote: any change of it makes every table be planned anew once. */
function digestOf(written: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(written)).digest('hex');
}

/** Never rejects: a table that cannot be planned stops no other. */
async function lookAt(
  deps: SweepDeps,
  rules: Rules,
  key: string,
  note: SweepNote | null,
): Promise<Looked> {
  const late = () =>
    new IcewrightError('CatalogUnavailable', `${key} was not planned within a minute`);
  try {
    return await withinTime(look(deps, rules, key, note), TABLE_LIMIT_MS, late);
  } catch (error) {
    if (error instanceof IcewrightError && error.code === 'TableNotFound') {
      return { kind: 'elsewhere' };
    }
    log.warn('a table could not be planned', { table: key, error: String(error) });
    return { kind: 'failed', table: key, error };
  }
}

async function look(
  deps: SweepDeps,
  { policies, pauses, digest, policy: sweep }: Rules,
  key: string,
  note: SweepNote | null,
): Promise<Looked> {
  const table = tableFromKey(key);
  const nowMs = deps.nowMs();
  const options = measureOptionsFor(effectivePolicy(policies, table), nowMs);
  const isQuiet =
    note !== null &&
    note.rules === digest &&
    note.quietUntilMs !== null &&
    note.quietUntilMs > nowMs;
  const etag = isQuiet ? note.etag : null;
  const read = await deps.catalog.remeasureTable(table, { ...options, etag });
  if (!read.changed) return { kind: 'quiet' };
  const first = { health: read.health, options };
  const measured = await measureAgain(deps.catalog, { table, policies, nowMs }, first);
  if (measured === null) return { kind: 'elsewhere' };
  if (sweepOf(policies, table, measured.health.properties)?.name !== sweep) {
    return { kind: 'elsewhere' };
  }
  const gathered = await gatherFor(deps, { ...measured, table, pauses, nowMs });
  const plan = await planGathered(deps, gathered);
  const quietUntilMs = quietUntil(plan, nowMs);
  const waitingSinceMs = quietUntilMs === null ? (note?.waitingSinceMs ?? null) : null;
  return {
    kind: 'planned',
    note: { table: key, etag: read.etag, rules: digest, quietUntilMs, waitingSinceMs },
    plan: { plan, correction: correctionOf(gathered.recentReceipts), waitingSinceMs },
  };
}

/** `null`: something is to be done. */
function quietUntil({ decisions }: TablePlan, nowMs: number): number | null {
  if (decisions.some((one) => one.action === 'run')) return null;
  const times = decisions.flatMap(({ nextEligibleAt }) =>
    nextEligibleAt === null ? [] : [Date.parse(nextEligibleAt)],
  );
  return Math.min(nowMs + QUIET_MAX_MS, ...times.filter((one) => one > nowMs));
}

const OUTAGE_ATTEMPTS = 3;
const OUTAGES: ReadonlySet<unknown> = new Set([
  'CatalogUnavailable',
  'CredentialsRejected',
  'StorageUnavailable',
  'LedgerUnavailable',
]);

/** Where not one table answers, it is not the tables: the step is tried again, at first. */
function refuseOutage(
  failed: readonly { readonly error: unknown }[],
  tables: number,
  attempt: number,
): void {
  const [first] = failed;
  if (first === undefined || failed.length < tables || attempt > OUTAGE_ATTEMPTS) return;
  const isOutage = ({ error }: { readonly error: unknown }) =>
    error instanceof IcewrightError && OUTAGES.has(error.code);
  if (failed.every(isOutage)) throw first.error;
}
