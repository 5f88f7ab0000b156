/** What maintenance would be done and why (`plan`), and doing exactly that (`apply`). */
import { IcewrightError } from '../../domain/errors.ts';
import type { Job } from '../../domain/job.ts';
import type { Plan, TablePlan } from '../../domain/operation.ts';
import { previewText } from '../../domain/planner/expiry-preview.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { tableFromKey, tableKey } from '../../domain/table.ts';
import type { Command, CommandInput, CommandResult } from '../command.ts';
import { tablePlanJson } from '../decision-json.ts';
import { newRunId, performJob } from '../job.ts';
import { decisionLine } from '../receipts.ts';
import { matchTables } from '../tables.ts';

export const plan: Command = {
  name: 'plan',
  summary:
    'Plans the maintenance of tables by their policies; changes nothing but stores the plan.',
  usage: '[pattern]',
  options: {},
  help: {},
  examples: ['icewright plan', 'icewright plan "bronze.*" --json', 'icewright apply <planId>'],
  positionals: { min: 0, max: 1 },
  run: async (input) => {
    const tables = await matchTables(input.session, input.positionals[0] ?? '*');
    const planned = await makePlan(input, tables.map(tableKey));
    for (const table of planned.tables) tellTable(input, table);
    const due = planned.tables.filter(hasWork).length;
    input.terminal.print();
    input.terminal.print(
      due === 0
        ? `nothing to do for ${planned.tables.length} tables`
        : `${due} of ${planned.tables.length} tables have something to do: ` +
            `icewright apply ${planned.planId}`,
    );
    return { json: { ...planned, tables: planned.tables.map(tablePlanJson) } };
  },
};

export const apply: Command = {
  name: 'apply',
  summary: 'Carries a stored plan out, exactly; refuses where a table has moved since.',
  usage: '<planId>',
  options: {},
  help: {},
  examples: ['icewright apply 20261121T020000-4f2a9c --json'],
  positionals: { min: 1, max: 1 },
  run: async (input) => {
    const planId = input.positionals[0] as string;
    const stored = await (await input.session.ledger()).readPlan(planId);
    if (stored === null) {
      throw new IcewrightError('RunNotFound', `plan ${planId} is not known: see "icewright plan"`);
    }
    const due = stored.tables.filter(hasWork);
    if (due.length === 0) input.terminal.print('the plan has nothing to do');
    const results: CommandResult[] = [];
    for (const table of due) results.push(await applyTable(input, stored, table));
    const parts = results.map((result) => result.json as AppliedTable);
    const receipts = parts.flatMap((part) => part.receipts);
    const [only] = parts.length === 1 ? parts : [];
    const json = { runId: planId, table: null, ...only, planId, receipts, tables: parts };
    const worst = results.find((result) => (result.exitCode ?? 0) !== 0);
    return worst?.exitCode === undefined ? { json } : { json, exitCode: worst.exitCode };
  },
};

interface AppliedTable {
  readonly runId: string;
  readonly table: string;
  readonly receipts: readonly Receipt[];
}

async function applyTable(
  { session, terminal }: CommandInput,
  stored: Plan,
  table: TablePlan,
): Promise<CommandResult> {
  const job: Job = {
    runId: newRunId(),
    kind: 'manual',
    dedupeKey: `plan/${stored.planId}`,
    title: `plan ${stored.planId}`,
    requestedBy: session.requestedBy,
    parentRunId: null,
    work: { kind: 'apply_plan', planId: stored.planId },
  };
  return performJob({ session, terminal, table: tableFromKey(table.table), job, wait: true });
}

/** Plans these tables by their policies, and stores the plan. */
export async function makePlan(
  { session }: CommandInput,
  tables: readonly string[],
): Promise<Plan> {
  const { planByPolicy, storePlan } = await import('../../activities/planning/planning.ts');
  const [catalog, ledger, project] = await Promise.all([
    session.catalog(),
    session.ledger(),
    session.project(),
  ]);
  const nowMs = Date.now();
  const deps = { catalog, ledger, project, nowMs: () => nowMs, cores: session.cores };
  const planned = await planByPolicy(deps, tables);
  return storePlan(ledger, { planId: newRunId(), nowMs, tables: planned });
}

function hasWork(table: TablePlan): boolean {
  return table.decisions.some((decision) => decision.action === 'run');
}

function tellTable({ terminal }: CommandInput, table: TablePlan): void {
  terminal.print(terminal.bold(table.table));
  for (const decision of table.decisions) {
    terminal.print(`  ${decisionLine(decision)}`);
    const { nextEligibleAt, preview } = decision;
    if (preview !== undefined && decision.action === 'run') {
      terminal.print(`    ${previewText(preview)}`);
    }
    if (nextEligibleAt !== null) terminal.print(`    not before ${nextEligibleAt}`);
  }
}
