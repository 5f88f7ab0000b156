/** What each engine can do to which table: a stated yes, or the reason why not. */
import type { CatalogTraits } from '../catalog-traits.ts';
import type { EngineName } from '../engine.ts';
import type { TableHealth } from '../health/health.ts';
import type { CompactStrategy, OperationKind } from '../operation.ts';
import { formatDuration } from '../units.ts';

/** The rows of the matrix. */
export type Capability = `compact ${CompactStrategy}` | Exclude<OperationKind, 'compact'>;

type FormatVersion = 1 | 2 | 3;
type Cells = Readonly<Record<FormatVersion, true | string>>;

const YES: Cells = { 1: true, 2: true, 3: true };

function never(because: string): Cells {
  return { 1: because, 2: because, 3: because };
}

const TRINO_V3 = 'Trino 476 refuses this operation on tables of format version 3';

/** Seen on Spark 4.1 with Iceberg 1.12, and on Trino 476: `test/live/capability.test.ts`. */
export const CAPABILITIES: Readonly<Record<Capability, Readonly<Record<EngineName, Cells>>>> = {
  'compact binpack': { spark: YES, trino: { 1: true, 2: true, 3: TRINO_V3 } },
  'compact sort': { spark: YES, trino: never('Trino compacts by bin-pack only: it has no sort') },
  'compact zorder': {
    spark: YES,
    trino: never('Trino compacts by bin-pack only: it has no Z-order'),
  },
  rewrite_deletes: {
    spark: { 1: 'tables of format version 1 have no delete files', 2: true, 3: true },
    trino: never('Trino has no procedure that rewrites position delete files'),
  },
  rewrite_manifests: { spark: YES, trino: YES },
  expire_snapshots: {
    spark: YES,
    trino: never('Trino expires by age only: it cannot expire exactly the snapshots of a plan'),
  },
  remove_orphans: {
    spark: YES,
    trino: never('Trino has no dry run: nobody could see what it is about to delete'),
  },
  compute_statistics: { spark: YES, trino: YES },
  drop_statistics: {
    spark: never('Spark has no statement that drops statistics'),
    trino: YES,
  },
  set_properties: {
    spark: YES,
    trino: never('Trino removes no table property, and sets only those that its catalog allows'),
  },
};

/** What else than its format version decides of a table what can be done to it. */
export type Circumstance = 'read_only' | 'gc_disabled' | 'deletion_vectors' | 'partitioned';
type Limits = Readonly<Partial<Record<Capability, Readonly<Partial<Record<EngineName, string>>>>>>;

const GC_DISABLED =
  'gc.enabled is false: its files may belong to other branches or tables (Nessie sets it), and ' +
  'Spark refuses; use the garbage collection of the catalog';
const READ_ONLY = 'the catalog accepts no commits to tables: it can be read, not maintained';

/** The matrix' third dimension: cells that a yes of {@link CAPABILITIES} loses. */
export const LIMITS: Readonly<Record<Circumstance, Limits>> = {
  read_only: Object.fromEntries(
    Object.keys(CAPABILITIES).map((row) => [row, { spark: READ_ONLY, trino: READ_ONLY }]),
  ),
  gc_disabled: {
    expire_snapshots: { spark: GC_DISABLED },
    remove_orphans: { spark: GC_DISABLED },
  },
  deletion_vectors: {
    compute_statistics: { trino: 'Trino 476 cannot read a table that has deletion vectors' },
  },
  // Seen: 3 manifests of 20 partitions became 46.
  partitioned: {
    rewrite_manifests: {
      trino: 'Trino 476 writes a manifest for each partition: there may be more than before',
    },
  },
};

/** What of a table the matrix looks at. */
export type RoutedTable = Pick<TableHealth, 'formatVersion'> &
  Partial<
    Pick<TableHealth, 'properties' | 'deleteFiles' | 'detail' | 'traits' | 'partitionFields'>
  >;

/** The circumstances of a table, in the order in which they are told. */
export function circumstancesOf(table: RoutedTable): readonly Circumstance[] {
  const found: Circumstance[] = [];
  if (table.traits?.acceptsCommits === false) found.push('read_only');
  if (table.properties?.['gc.enabled']?.toLowerCase() === 'false') found.push('gc_disabled');
  // Without the manifests it is not known what kind of delete files there are: then any counts.
  const vectors = table.detail?.deletes.vectors ?? table.deleteFiles ?? 0;
  if (table.formatVersion === 3 && vectors > 0) found.push('deletion_vectors');
  const fields = table.partitionFields ?? [];
  if (fields.some((field) => field.transform !== 'void')) found.push('partitioned');
  return found;
}

/** `auto` tries them in this order: Spark knows every operation. */
const PREFERENCE: readonly EngineName[] = ['spark', 'trino'];

/** The row of the matrix for an operation. `strategy` matters to `compact` alone. */
export function capabilityOf(kind: OperationKind, strategy: CompactStrategy): Capability {
  switch (kind) {
    case 'compact':
      return `compact ${strategy}`;
    default:
      return kind;
  }
}

/** `true`, or the sentence that says why the engine cannot. */
export function canRun(
  capability: Capability,
  engine: EngineName,
  table: RoutedTable,
): true | string {
  const { formatVersion } = table;
  if (formatVersion !== 1 && formatVersion !== 2 && formatVersion !== 3) {
    return `nothing is known of tables of format version ${formatVersion}`;
  }
  const cell = CAPABILITIES[capability][engine][formatVersion];
  if (cell !== true) return cell + floorText(capability, engine, table.traits);
  const limit = circumstancesOf(table).map((one) => LIMITS[one][capability]?.[engine]);
  return limit.find((because) => because !== undefined) ?? true;
}

/** By age Trino takes nothing younger than its catalog's floor, whatever is asked. */
function floorText(
  capability: Capability,
  engine: EngineName,
  traits: CatalogTraits | undefined,
): string {
  if (engine !== 'trino') return '';
  const floors = traits?.trinoFloors;
  const floorMs =
    capability === 'expire_snapshots'
      ? floors?.expireSnapshotsMs
      : capability === 'remove_orphans'
        ? floors?.removeOrphansMs
        : null;
  return floorMs == null ? '' : `, and nothing younger than ${formatDuration(floorMs)}`;
}

export type EngineAnswers = Readonly<Record<EngineName, true | string>>;

/** The whole matrix for one table: every operation and every engine, with the reasons. */
export function capabilitiesOf(table: RoutedTable): Readonly<Record<Capability, EngineAnswers>> {
  const rows = Object.keys(CAPABILITIES) as Capability[];
  const answers = (row: Capability): EngineAnswers => ({
    spark: canRun(row, 'spark', table),
    trino: canRun(row, 'trino', table),
  });
  return Object.fromEntries(rows.map((row) => [row, answers(row)])) as Readonly<
    Record<Capability, EngineAnswers>
  >;
}

export type Route =
  | { readonly kind: 'routed'; readonly engine: EngineName; readonly because: string }
  | {
      readonly kind: 'refused';
      readonly engine: EngineName | null;
      readonly because: string;
      /** Engines that could run it instead. */
      readonly instead: readonly EngineName[];
    };

/**
 * Chooses the engine. A named engine that cannot is refused, never silently replaced.
 * @param wish what the policy or the command asks for
 */
export function route(
  capability: Capability,
  wish: EngineName | 'auto',
  table: RoutedTable,
): Route {
  const answers = PREFERENCE.map((engine) => ({
    engine,
    answer: canRun(capability, engine, table),
  }));
  const able = answers.flatMap(({ engine, answer }) => (answer === true ? engine : []));
  const against = answers.flatMap(({ engine, answer }) =>
    answer === true ? [] : `${engine}: ${answer}`,
  );
  if (wish === 'auto') {
    const engine = able[0];
    if (engine === undefined) {
      // Where every engine has the same reason it is told once.
      const reasons = new Set(answers.map(({ answer }) => answer));
      const because = reasons.size === 1 ? String(answers[0]?.answer) : against.join('; ');
      return { kind: 'refused', engine: null, because, instead: [] };
    }
    const only = able.length === 1 && engine !== PREFERENCE[0];
    const because = only
      ? `${engine} can (${against.join('; ')})`
      : `${engine} is the first engine that can`;
    return { kind: 'routed', engine, because };
  }
  const answer = canRun(capability, wish, table);
  if (answer === true) return { kind: 'routed', engine: wish, because: `${wish} is asked for` };
  const hint = able.length > 0 ? `; ${able.join(' or ')} can` : '; no engine can';
  return { kind: 'refused', engine: wish, because: `${answer}${hint}`, instead: able };
}
