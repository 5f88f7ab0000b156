/** What planning needs from outside, and reads of a table besides its policy. */
import { type RetentionFloors, UNKNOWN_TRAITS } from '../../domain/catalog-traits.ts';
import type { EngineCores } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import { type TableRef, tableKey } from '../../domain/table.ts';
import { type Consumers, consumersOf } from '../../domain/watermark.ts';
import type { Ledger } from '../ledger-port.ts';
import type { Catalog, Project } from '../ports.ts';

export interface PlanningDeps {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly project: Project;
  readonly nowMs: () => number;
  /** What Trino's catalog refuses by age; absent: it is not asked. `null`: it did not answer. */
  readonly floors?: (() => Promise<RetentionFloors | null>) | undefined;
  /** How many tasks each engine runs at once; absent: not known, their own defaults stay. */
  readonly cores?: () => Promise<EngineCores>;
}

/** Trino's floors are asked once, and known of every table. */
export async function withFloors(
  { floors }: PlanningDeps,
  health: TableHealth,
): Promise<TableHealth> {
  if (floors === undefined) return health;
  const traits = { ...(health.traits ?? UNKNOWN_TRAITS), trinoFloors: await floors() };
  return { ...health, traits };
}

/** Which snapshots of `key` the models that read it have consumed. */
export async function readConsumers(
  deps: Pick<PlanningDeps, 'catalog' | 'project'>,
  key: string,
  nowMs: number,
): Promise<Consumers> {
  const readers = (await deps.project.models()).filter((model) => model.inputs.includes(key));
  const targets = await Promise.all(
    readers.map(({ target }) => measureIfThere(deps.catalog, target, { nowMs, depth: 'metadata' })),
  );
  const { consumed, unreadable } = consumersOf(
    key,
    targets.filter((target) => target !== null),
  );
  const missing = readers.filter((_reader, at) => targets[at] === null);
  const lost = await stillListed(
    deps,
    missing.map(({ target }) => tableKey(target)).filter((target) => target !== key),
  );
  return { consumed, unreadable: [...unreadable, ...lost] };
}

/**
 * Tables that were not found, but are there: a catalog also answers "not found" where a metadata
 * file is lost. The others were dropped, or are not made yet.
 */
async function stillListed(
  { catalog }: Pick<PlanningDeps, 'catalog'>,
  missing: readonly string[],
): Promise<readonly string[]> {
  if (missing.length === 0) return [];
  const listed = new Set((await catalog.listTables()).map(tableKey));
  return missing.filter((key) => listed.has(key));
}

/** `null`: there is no such table. */
export async function measureIfThere(
  catalog: Catalog,
  table: TableRef,
  options: Parameters<Catalog['measureTable']>[1],
): Promise<TableHealth | null> {
  try {
    return await catalog.measureTable(table, options);
  } catch (error) {
    if (error instanceof IcewrightError && error.code === 'TableNotFound') return null;
    throw error;
  }
}
