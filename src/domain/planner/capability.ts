/** What each engine can do to which table: a stated yes, or the reason why not. */
import type { EngineName } from '../engine.ts';
import type { CompactStrategy, OperationKind } from '../operation.ts';

/** The rows of the matrix. */
export type Capability = `compact ${CompactStrategy}` | Exclude<OperationKind, 'compact'>;

type FormatVersion = 1 | 2 | 3;
type Cells = Readonly<Record<FormatVersion, true | string>>;

const YES: Cells = { 1: true, 2: true, 3: true };

function never(because: string): Cells {
  return { 1: because, 2: because, 3: because };
}

const TRINO_V3 = 'Trino 476 refuses this operation on tables of format version 3';

/** Seen on Spark 4.1 with Iceberg 1.12, and on Trino 476. */
export const CAPABILITIES: Readonly<Record<Capability, Readonly<Record<EngineName, Cells>>>> = {
  'compact binpack': { spark: YES, trino: { 1: true, 2: true, 3: TRINO_V3 } },
  'compact sort': { spark: YES, trino: never('Trino compacts by bin-pack only: it has no sort') },
  'compact zorder': {
    spark: YES,
    trino: never('Trino compacts by bin-pack only: it has no Z-order'),
  },
  rewrite_deletes: {
    spark: YES,
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
  set_properties: { spark: YES, trino: never('Trino sets only the properties that it knows') },
};

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
  formatVersion: number,
): true | string {
  if (formatVersion !== 1 && formatVersion !== 2 && formatVersion !== 3) {
    return `nothing is known of tables of format version ${formatVersion}`;
  }
  return CAPABILITIES[capability][engine][formatVersion];
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
  formatVersion: number,
): Route {
  const able = PREFERENCE.filter((engine) => canRun(capability, engine, formatVersion) === true);
  if (wish === 'auto') {
    const engine = able[0];
    if (engine !== undefined) {
      return { kind: 'routed', engine, because: `${engine} is the first engine that can` };
    }
    const why = PREFERENCE.map((one) => `${one}: ${canRun(capability, one, formatVersion)}`);
    return { kind: 'refused', engine: null, because: why.join('; '), instead: [] };
  }
  const answer = canRun(capability, wish, formatVersion);
  if (answer === true) return { kind: 'routed', engine: wish, because: `${wish} is asked for` };
  const hint = able.length > 0 ? `; ${able.join(' or ')} can` : '; no engine can';
  return { kind: 'refused', engine: wish, because: `${answer}${hint}`, instead: able };
}
