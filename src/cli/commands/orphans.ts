/** Removal of files under a table's location that nothing reaches: `orphans`. */
import type { HandRequest } from '../../domain/hand-request.ts';
import { ORPHAN_AGE_FLOOR_MS } from '../../domain/orphans/look.ts';
import { tableKey } from '../../domain/table.ts';
import { formatBytes, parseDuration } from '../../domain/units.ts';
import { type Command, type CommandInput, stringValue, type Values } from '../command.ts';
import { bad, operate, readWhole } from './by-hand.ts';

type OrphansRequest = Extract<HandRequest, { kind: 'remove_orphans' }>;

export const orphans: Command = {
  name: 'orphans',
  summary: 'Removes files under a table’s location that nothing reaches, by an exact list.',
  usage: '<table> [options]',
  options: {
    'older-than': { type: 'string' },
    'max-files': { type: 'string' },
    pause: { type: 'string' },
    'dry-run': { type: 'boolean' },
    wait: { type: 'boolean' },
  },
  help: {
    'older-than': 'only files older than this, such as 7d; at least 72h (default: the policy)',
    'max-files': 'more than this are refused until you apply the plan (default: the policy)',
    pause: 'between the two looks that must both find a file, 1s to 1h (default: 10s)',
    'dry-run': 'look once and list what was found; change nothing',
    wait: 'return when the run has ended, with its receipts (default: when it is queued)',
  },
  examples: [
    'icewright orphans bronze.raw_orders --dry-run',
    'icewright orphans bronze.raw_orders --older-than 7d --wait --json',
  ],
  positionals: { min: 1, max: 1 },
  run: async (input) => {
    const request = readRequest(input.values);
    return input.values['dry-run'] === true ? dryRun(input, request) : operate(input, request);
  },
};

/** Paths shown to a person; `--json` has all. */
const SHOWN_MAX = 10;

async function dryRun({ session, terminal, positionals }: CommandInput, request: OrphansRequest) {
  const { previewOrphans } = await import('../../activities/orphans/preview.ts');
  const [catalog, ledger, project, files] = await Promise.all([
    session.catalog(),
    session.ledger(),
    session.project(),
    session.files(),
  ]);
  const table = tableKey(session.table(positionals[0] as string));
  const deps = { catalog, ledger, project, files, nowMs: Date.now };
  const { counts, candidates, bytes, maxFiles, refused } = await previewOrphans(
    deps,
    table,
    request,
  );
  const { listed, reachable, young, unknownAge, olderThanBecause } = counts;
  if (refused !== null) terminal.print(`remove orphans: refuse: ${refused}`);
  terminal.print(
    `${candidates.length} candidates (${formatBytes(bytes)}) of ${listed} files; ${reachable} ` +
      `reachable, ${young} too young, ${unknownAge} of unknown age; older than ${olderThanBecause}`,
  );
  for (const { uri, sizeBytes } of candidates.slice(0, SHOWN_MAX)) {
    terminal.print(`  ${uri} (${formatBytes(sizeBytes)})`);
  }
  const more = candidates.length - SHOWN_MAX;
  if (more > 0) terminal.print(`  and ${more} more: --json lists them all`);
  const json = {
    ...{ runId: null, table, receipts: [] },
    orphans: { ...counts, bytes, maxFiles, refused, files: candidates },
  };
  return refused === null ? { json } : ({ json, exitCode: 3 } as const);
}

function readRequest(values: Values): OrphansRequest {
  const age = stringValue(values, 'older-than');
  const pause = stringValue(values, 'pause');
  const olderThanMs = age === null ? null : parseDuration(age);
  if (age !== null && olderThanMs !== null && olderThanMs < ORPHAN_AGE_FLOOR_MS) {
    const floor = `${ORPHAN_AGE_FLOOR_MS / 3_600_000}h`;
    throw bad('older-than', age, `at least ${floor}, the floor: a younger file may still commit`);
  }
  const pauseMs = pause === null ? null : parseDuration(pause);
  if (pause !== null && pauseMs !== null && !(pauseMs >= 1_000 && pauseMs <= 3_600_000)) {
    throw bad('pause', pause, '1s to 1h');
  }
  const maxFiles = readWhole(values, 'max-files', 0, 100_000_000);
  return { kind: 'remove_orphans', olderThanMs, maxFiles, pauseMs };
}
