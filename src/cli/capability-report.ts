/** What can be done to one table, by which engine, and why not by the others. */
import type { CatalogTraits } from '../domain/catalog-traits.ts';
import { UNKNOWN_TRAITS } from '../domain/catalog-traits.ts';
import {
  type Capability,
  capabilitiesOf,
  type EngineAnswers,
} from '../domain/planner/capability.ts';
import type { TableRef } from '../domain/table.ts';
import { formatDuration } from '../domain/units.ts';
import type { CommandInput } from './command.ts';

export interface CapabilityReport {
  readonly traits: CatalogTraits;
  readonly capabilities: Readonly<Record<Capability, EngineAnswers>>;
}

/** Looks at the table's metadata and asks Trino for its floors; prints and returns what they say. */
export async function tellCapabilities(
  { session, terminal }: Pick<CommandInput, 'session' | 'terminal'>,
  table: TableRef,
): Promise<CapabilityReport> {
  const [catalog, askFloors] = await Promise.all([session.catalog(), session.floors()]);
  const [health, trinoFloors] = await Promise.all([
    catalog.measureTable(table, { nowMs: Date.now(), depth: 'metadata' }),
    askFloors(),
  ]);
  const traits = { ...(health.traits ?? UNKNOWN_TRAITS), trinoFloors };
  const capabilities = capabilitiesOf({ ...health, traits });
  terminal.print();
  terminal.print('engines:');
  terminal.print(`  catalog: ${traitsText(traits)}`);
  for (const [row, answers] of Object.entries(capabilities)) {
    terminal.print(`  ${capabilityLine(row, answers)}`);
  }
  return { traits, capabilities };
}

/** `compact sort: spark; not trino: Trino compacts by bin-pack only: it has no sort` */
export function capabilityLine(row: string, answers: EngineAnswers): string {
  const entries = Object.entries(answers);
  const able = entries.flatMap(([engine, answer]) => (answer === true ? engine : []));
  const against = entries.flatMap(([engine, answer]) =>
    answer === true ? [] : `not ${engine}: ${answer}`,
  );
  return `${row.replaceAll('_', ' ')}: ${[able.join(' or '), ...against].filter(Boolean).join('; ')}`;
}

function traitsText({ sendsEtags, acceptsCommits, trinoFloors }: CatalogTraits): string {
  const floor = (ms: number | null | undefined) => (ms == null ? 'unknown' : formatDuration(ms));
  const etags = sendsEtags === false ? 'sends no ETags: each look reads all' : 'sends ETags';
  const commits = acceptsCommits === false ? 'accepts no commits' : 'accepts commits';
  return (
    `${commits}; ${etags}; Trino's floors: snapshots ` +
    `${floor(trinoFloors?.expireSnapshotsMs)}, files ${floor(trinoFloors?.removeOrphansMs)}`
  );
}
