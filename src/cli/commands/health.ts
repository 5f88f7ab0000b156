/** What the catalog's metadata says of tables; no engine is asked. */
import type { TableHealth } from '../../domain/health.ts';
import { formatBytes, formatDuration } from '../../domain/units.ts';
import type { Command } from '../command.ts';
import { matchTables } from '../tables.ts';

export const health: Command = {
  name: 'health',
  summary: 'Measures tables from their metadata and manifests, without an engine.',
  usage: '[table or pattern]',
  options: {},
  help: {},
  examples: [
    'icewright health',
    'icewright health "bronze.*"',
    'icewright health gold.daily_revenue --json',
  ],
  positionals: { min: 0, max: 1 },
  run: async ({ positionals, session, terminal }) => {
    const tables = await matchTables(session, positionals[0] ?? '*');
    const catalog = await session.catalog();
    const nowMs = Date.now();
    const measured: TableHealth[] = [];
    for (const table of tables) {
      terminal.progress(`measuring ${measured.length + 1}/${tables.length} …`);
      measured.push(await catalog.measureTable(table, { nowMs, depth: 'files' }));
    }
    terminal.progress('');
    terminal.table(
      ['table', '>records', '>files', '>small', '>deletes', '>bytes', '>snapshots', '>last commit'],
      measured.map((one) => [
        one.table,
        one.records.toLocaleString('en'),
        String(one.dataFiles),
        String(one.smallFiles ?? '?'),
        String(one.deleteFiles),
        formatBytes(one.totalBytes),
        String(one.snapshots.length),
        one.lastCommitAgeMs === null ? 'never' : `${formatDuration(one.lastCommitAgeMs)} ago`,
      ]),
    );
    const json = {
      measuredAt: new Date(nowMs).toISOString(),
      engineQueries: 0,
      tables: measured.map(jsonOf),
    };
    return { json };
  },
};

/** As the contract has it: snapshots are counted here, not listed. */
function jsonOf(one: TableHealth) {
  const { snapshots, partitionHealth: _perPartition, properties: _properties, ...rest } = one;
  return { ...rest, snapshots: snapshots.length };
}
