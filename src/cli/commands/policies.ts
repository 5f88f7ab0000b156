/** The policy files: checked, compared with what is in force, and put in force. */
import type { PolicyVersion } from '../../activities/ledger-port.ts';
import { readConfig } from '../../config.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy/policy.ts';
import { desiredSchedules } from '../../domain/policy/schedules.ts';
import { type Fault, faultsError, formatFault } from '../../project/faults.ts';
import { loadPolicies, parsePolicies, requirePolicies } from '../../project/policies.ts';
import { versionOf } from '../../project/policy-documents.ts';
import { type Command, type CommandInput, stringValue } from '../command.ts';
import { tellDiff } from '../policy-report.ts';
import { matchTables } from '../tables.ts';

export const policiesCheck: Command = {
  name: 'policies check',
  summary: 'Checks the policy files of a folder; each fault with file, line and column.',
  usage: '[folder]',
  options: {},
  help: {},
  examples: ['icewright policies check', 'icewright policies check ./policies --json'],
  positionals: { min: 0, max: 1 },
  run: async ({ positionals, terminal }) => {
    const { policies, faults } = await loadPolicies(positionals[0] ?? readConfig().policiesDir);
    if (faults.length > 0) throw faulty(faults);
    terminal.print(`${policies.length} policies, no faults`);
    return { json: { policies: policies.map(({ kind, name, file }) => ({ kind, name, file })) } };
  },
};

function faulty(faults: readonly Fault[]): IcewrightError {
  const lines = faults.map(formatFault).join('\n');
  return new IcewrightError('PolicyInvalid', `the policies have faults\n${lines}`, { faults });
}

export const policiesApply: Command = {
  name: 'policies apply',
  summary:
    'Checks the policies, records them as in force; schedules and sweeps go by them from now on.',
  usage: '',
  options: {},
  help: {},
  examples: ['icewright policies apply', 'icewright policies apply --json'],
  positionals: { min: 0, max: 0 },
  run: async ({ session, terminal }) => {
    const { policiesDir } = session.config;
    const policies = await requirePolicies(policiesDir);
    const nowMs = Date.now();
    const version = await versionOf(policiesDir, session.requestedBy, nowMs);
    const { reconcileSchedules } = await import('../../temporal/schedules.ts');
    const wanted = desiredSchedules(policies, nowMs);
    const client = await session.temporal();
    const done = await reconcileSchedules(client, wanted);
    if (policies.some((policy) => policy.kind === 'sweep')) {
      const { startSweeps } = await import('../../temporal/sweeps.ts');
      await startSweeps(client, session.config.catalog.name);
    }
    const changed = await (await session.ledger()).recordPolicies(version);
    const count = done.create.length + done.update.length + done.delete.length;
    const said = changed ? 'are in force from now on' : 'were in force already';
    terminal.print(`${policies.length} policies ${said}; ${count} schedules changed`);
    const schedules = {
      created: done.create.map((one) => one.scheduleId),
      updated: done.update.map((one) => one.scheduleId),
      removed: done.delete,
    };
    return { json: { digest: version.digest, changed, schedules } };
  },
};

export const policiesDiff: Command = {
  name: 'policies diff',
  summary: 'Shows what an edit changes for every table: settings and decisions. Changes nothing.',
  usage: '[folder] [options]',
  options: { against: { type: 'string' }, tables: { type: 'string' } },
  help: {
    against: 'the folder to compare with (default: the policies in force, as last recorded)',
    tables: 'only tables that match, for example "bronze.*" (default: all)',
  },
  examples: [
    'icewright policies diff',
    'icewright policies diff ./edited',
    'icewright policies diff ./edited --against ./policies --tables "bronze.*" --json',
  ],
  positionals: { min: 0, max: 1 },
  run: async (input) => {
    const { session, positionals, values } = input;
    const folder = positionals[0] ?? session.config.policiesDir;
    const after = await requirePolicies(folder);
    const before = await policiesBefore(input);
    const tables = await matchTables(session, stringValue(values, 'tables') ?? '*');
    const [{ diffTables }, { diffSchedulesOf }] = await Promise.all([
      import('../../activities/planning/policy-diff.ts'),
      import('../../domain/policy/diff.ts'),
    ]);
    const nowMs = Date.now();
    const [catalog, ledger, project] = await Promise.all([
      session.catalog(),
      session.ledger(),
      session.project(),
    ]);
    const deps = { catalog, ledger, project, nowMs: () => nowMs };
    const changed = await diffTables(deps, { before: before.policies, after }, tables);
    const schedules = diffSchedulesOf(before.policies, after);
    const diff = { before: before.what, after: folder, tables: changed, schedules };
    tellDiff(input.terminal, diff, tables.length);
    return { json: diff };
  },
};

interface Before {
  readonly policies: readonly Policy[];
  /** For people. */
  readonly what: string;
}

/** The folder that is named; else what was last recorded; else the folder that workers read. */
async function policiesBefore({ values, positionals, session }: CommandInput): Promise<Before> {
  const named = stringValue(values, 'against');
  if (named !== null) return { policies: await requirePolicies(named), what: named };
  const version = await (await session.ledger()).appliedPolicies();
  if (version !== null) return recorded(version);
  const { policiesDir } = session.config;
  if (positionals[0] === undefined) {
    const message =
      'no policies were recorded yet: start a worker, say "icewright policies apply", or name a ' +
      'folder with --against';
    throw new IcewrightError('UsageInvalid', message);
  }
  return { policies: await requirePolicies(policiesDir), what: policiesDir };
}

function recorded(version: PolicyVersion): Before {
  const what = `in force since ${version.appliedAt} (${version.appliedBy})`;
  const { policies, faults } = parsePolicies(version.documents, 'recorded');
  if (faults.length > 0) throw faultsError('PolicyInvalid', faults);
  return { policies, what };
}
