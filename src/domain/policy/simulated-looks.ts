/** When the nights and sweeps of policies would have looked at tables. */
import { addDays, instantOf, localDateOf, weekdayOf } from './local-time.ts';
import type { NightlyPolicy, Policy, SweepPolicy } from './policy.ts';
import { windowAt } from './window.ts';

export interface Look {
  readonly atMs: number;
  /** Of the night or sweep. */
  readonly name: string;
  /** Identity of the window that it falls into: budgets are counted by it. */
  readonly night: string;
  /** `null`: a nightly, which has no budget. */
  readonly sweep: SweepPolicy | null;
}

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** In order of time. Paused ones do not look; nor do nights that do no maintenance. */
export function looksOf(policies: readonly Policy[], span: Span): readonly Look[] {
  const looks = policies.flatMap((policy): readonly Look[] => {
    if (policy.kind !== 'sweep' && policy.kind !== 'nightly') return [];
    if (policy.paused) return [];
    return policy.kind === 'sweep' ? sweepLooks(policy, span) : nightLooks(policy, span);
  });
  return looks.sort((a, b) => a.atMs - b.atMs || (a.name < b.name ? -1 : 1));
}

/** Nights whose times the simulation cannot tell: their expression is more than one time of day. */
export function untoldNights(policies: readonly Policy[]): readonly string[] {
  return policies.flatMap((policy) =>
    policy.kind === 'nightly' && policy.maintenance && timeOf(policy) === null ? [policy.name] : [],
  );
}

function sweepLooks(policy: SweepPolicy, { fromMs, toMs }: Span): readonly Look[] {
  const { name, everyMs, window } = policy;
  const looks: Look[] = [];
  // On the grid of its interval, from window to window.
  let atMs = Math.ceil(fromMs / everyMs) * everyMs;
  while (atMs < toMs) {
    const state = windowAt(window, atMs);
    if (state.kind === 'open') {
      looks.push({ atMs, name, night: state.night, sweep: policy });
      atMs += everyMs;
    } else if (state.nextMs === null) break;
    else atMs = Math.ceil(state.nextMs / everyMs) * everyMs;
  }
  return looks;
}

function nightLooks(policy: NightlyPolicy, { fromMs, toMs }: Span): readonly Look[] {
  const fixed = timeOf(policy);
  if (!policy.maintenance || fixed === null) return [];
  const { zone, name } = policy;
  const looks: Look[] = [];
  const last = localDateOf(zone, toMs);
  for (let date = localDateOf(zone, fromMs); date <= last; date = addDays(date, 1)) {
    if (fixed.days !== null && !fixed.days.includes(weekdayOf(date))) continue;
    const { atMs } = instantOf(zone, date, fixed.time);
    if (atMs >= fromMs && atMs < toMs) looks.push({ atMs, name, night: date, sweep: null });
  }
  return looks;
}

function timeOf({ cron }: NightlyPolicy) {
  const fixed = /^(\d{1,2}) (\d{1,2}) \* \* (\*|[0-6](?:,[0-6])*)$/.exec(cron.trim());
  if (fixed === null) return null;
  const [, minute = '', hour = '', days = '*'] = fixed;
  return {
    time: `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`,
    days: days === '*' ? null : days.split(',').map(Number),
  };
}
