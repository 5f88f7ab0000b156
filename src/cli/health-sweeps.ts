/** The catalog's sweeps, as the worker makes them: their last report, their interval, one now. */
import { describeInterval } from '../domain/health/clock.ts';
import type { HealthStatus, SweepReport } from '../workflows/messages.ts';
import type { CommandResult } from './command.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

export async function showLast(session: Session, terminal: Terminal): Promise<CommandResult> {
  const { readHealth } = await import('../temporal/health.ts');
  const status = await readHealth(await session.temporal(), session.config.catalog.name);
  tellStatus(terminal, status);
  return { json: status };
}

/** @param intervalMs ten seconds to a day */
export async function changeInterval(
  session: Session,
  terminal: Terminal,
  intervalMs: number,
): Promise<CommandResult> {
  const { setHealthInterval } = await import('../temporal/health.ts');
  const client = await session.temporal();
  const status = await setHealthInterval(client, session.config.catalog.name, intervalMs);
  terminal.print(
    `${status.catalog} is swept ${describeInterval(status.intervalMs)}, next at ${status.nextDueAt}`,
  );
  return { json: status };
}

export async function sweepAtOnce(session: Session, terminal: Terminal): Promise<CommandResult> {
  const { readHealth, sweepNow } = await import('../temporal/health.ts');
  const client = await session.temporal();
  const { name } = session.config.catalog;
  await sweepNow(client, name, (status) =>
    terminal.progress(status === null ? 'waiting for a worker …' : `sweeping ${name} …`),
  );
  terminal.progress('');
  const status = await readHealth(client, name);
  tellStatus(terminal, status);
  return { json: status };
}

function tellStatus(terminal: Terminal, status: HealthStatus): void {
  const { catalog, intervalMs, nextDueAt, sweeping, missed, last } = status;
  const state = sweeping ? 'a sweep is going on' : `next at ${nextDueAt}`;
  const late = missed === 0 ? '' : `; ${missed} due times so far were made up for by a later sweep`;
  terminal.print(`${catalog} is swept ${describeInterval(intervalMs)}, ${state}${late}`);
  if (last !== null) tellSweep(terminal, last);
}

function tellSweep(terminal: Terminal, sweep: SweepReport): void {
  const { listed, measured, unchanged, failed, findings, full } = sweep;
  terminal.print(
    `sweep ${sweep.sweep} ended at ${sweep.finishedAt}${full ? ', everything read anew' : ''}: ` +
      `${listed} tables, ${measured} measured, ${unchanged} unchanged, ${failed} failed; ` +
      `${findings} findings`,
  );
  for (const error of sweep.errors) terminal.print(terminal.red(`  not done: ${error}`));
  for (const table of sweep.failing) terminal.print(`  cannot be measured: ${table}`);
  if (sweep.worst.length === 0) return;
  terminal.table(
    ['worst', '>score', 'findings'],
    sweep.worst.map((one) => [one.table, String(one.score ?? '?'), one.findings.join(', ')]),
  );
}
