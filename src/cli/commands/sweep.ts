/** Maintenance without anybody asking: what the last sweeps did, and one now. */
import { describeInterval } from '../../domain/health/clock.ts';
import { formatBytes, formatDuration } from '../../domain/units.ts';
import type { MaintenanceStatus, MaintenanceSweepReport } from '../../workflows/sweep-messages.ts';
import type { Command } from '../command.ts';
import type { Terminal } from '../terminal.ts';

export const sweepStatus: Command = {
  name: 'sweep status',
  summary: 'Shows what the last maintenance sweeps looked at, chose, left and spent.',
  usage: '',
  options: {},
  help: {},
  examples: ['icewright sweep status', 'icewright sweep status --json'],
  positionals: { min: 0, max: 0 },
  run: async ({ session, terminal }) => {
    const { readSweeps } = await import('../../temporal/sweeps.ts');
    const status = await readSweeps(await session.temporal(), session.config.catalog.name);
    tellStatus(terminal, status);
    return { json: status };
  },
};

export const sweepNow: Command = {
  name: 'sweep now',
  summary:
    'Sweeps at once, under one sweep policy or each, also outside its window; within its budget.',
  usage: '[policy]',
  options: {},
  help: {},
  examples: ['icewright sweep now', 'icewright sweep now upkeep --json'],
  positionals: { min: 0, max: 1 },
  run: async ({ session, terminal, positionals }) => {
    const { maintainNow } = await import('../../temporal/sweeps.ts');
    const { name } = session.config.catalog;
    const client = await session.temporal();
    const reports = await maintainNow(client, name, positionals[0] ?? null, (status) =>
      terminal.progress(status === null ? 'waiting for a worker …' : progressOf(status)),
    );
    terminal.progress('');
    for (const report of reports) tellReport(terminal, report);
    const failed = reports.some((one) => one.failed > 0 || one.errors.length > 0);
    return failed ? { json: { reports }, exitCode: 1 } : { json: { reports } };
  },
};

function progressOf({ now, catalog }: MaintenanceStatus): string {
  if (now === null) return `sweeping ${catalog} …`;
  const done = now.phase === 'running' ? ` ${now.ended}/${now.selected} tables` : '';
  return `${now.policy}: ${now.phase}${done} …`;
}

function tellStatus(terminal: Terminal, status: MaintenanceStatus): void {
  if (status.now !== null) terminal.print(progressOf(status));
  const { unreadable } = status;
  if (unreadable !== null) {
    terminal.print(terminal.red(`the policies cannot be read: ${unreadable.message}`));
  }
  for (const { policy, everyMs, nextAt, because, last } of status.policies) {
    const when = nextAt === null ? 'it waits for a person' : `next at ${nextAt}`;
    const why = because === '' ? '' : ` (${because})`;
    terminal.print(`${terminal.bold(policy)} ${describeInterval(everyMs)}, ${when}${why}`);
    if (last !== null) tellReport(terminal, last);
  }
}

function tellReport(terminal: Terminal, report: MaintenanceSweepReport): void {
  const { listed, quiet, planned, due, selected, done, failed, left } = report;
  terminal.print(
    `sweep ${report.sweepId} of ${report.policy} ended at ${report.finishedAt}: ${listed} tables, ` +
      `${quiet} as they were, ${planned} planned, ${due} with something to do; ` +
      `${selected} chosen, ${done} done, ${failed} failed`,
  );
  for (const [reason, count] of Object.entries(left)) {
    terminal.print(`  ${count} left: ${reason.replaceAll('_', ' ')}`);
  }
  terminal.print(`  spent ${spentLine(report)}`);
  for (const table of report.failing) terminal.print(terminal.red(`  failed: ${table}`));
  for (const error of report.errors) terminal.print(terminal.red(`  not done: ${error}`));
}

/** `1.2 GB (of 50 GB), 31 s (of 1 h), 4 tables`; what was spent before in the window counts. */
function spentLine({ spent, spentBefore, budget }: MaintenanceSweepReport): string {
  const part = (
    name: 'bytes' | 'engineSeconds' | 'tables',
    told: (value: number) => string,
  ): string => {
    const limit = budget[name];
    const before = spentBefore[name];
    const earlier = before > 0 ? `, ${told(before)} before it in this window` : '';
    return `${told(spent[name])}${limit === null ? '' : ` (of ${told(limit)}${earlier})`}`;
  };
  return [
    part('bytes', formatBytes),
    part('engineSeconds', (seconds) => formatDuration(seconds * 1000)),
    part('tables', (count) => `${count} tables`),
  ].join(', ');
}
