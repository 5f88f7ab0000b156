/** A model: one SQL file that produces one table of one layer. */
import type { EngineName } from './engine.ts';
import type { TableRef } from './table.ts';

export const LAYERS = ['bronze', 'silver', 'gold'] as const;
export type Layer = (typeof LAYERS)[number];

/**
 * How a model's rows reach its target.
 * `append`: inserted. `merge`: by key, deletes applied. `overwrite_partitions`: the partitions
 * present in the result are replaced. `replace`: the whole content is replaced.
 */
export type Materialization = 'append' | 'merge' | 'overwrite_partitions' | 'replace';

export interface ModelColumn {
  readonly name: string;
  /** Iceberg SQL type as the engine writes it, for example `bigint` or `decimal(18,2)`. */
  readonly type: string;
  /** `none`: not personal. `direct`: identifies. `pseudonym`: keyed hash or masked. */
  readonly pii: 'none' | 'direct' | 'pseudonym';
}

export interface Model {
  /** `<layer>.<file name>`, equal to the target inside the catalog: `silver.orders`. */
  readonly name: string;
  readonly layer: Layer;
  readonly target: TableRef;
  readonly engine: EngineName;
  readonly materialization: Materialization;
  /** Key columns; required for `merge`. */
  readonly key: readonly string[];
  /** Lake tables it reads, as table keys. They make the graph. */
  readonly inputs: readonly string[];
  /** Tables outside the lake it reads, for lineage: `shop.public.change_log`. */
  readonly sources: readonly string[];
  readonly columns: readonly ModelColumn[];
  /** Partition transforms, for example `day(ingested_at)`. */
  readonly partitioning: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
  /** `merge` only: result column that is true for a deleted key; never stored. */
  readonly deletedWhen: string | null;
  /** `merge` only: an update happens only where one of these columns differs or is newer. */
  readonly changedWhen: string | null;
  readonly owner: string | null;
  readonly description: string;
  /** The SELECT, with `{{macro(...)}}` calls still in it. */
  readonly sql: string;
  /** Path relative to the models directory, and the line where the SQL begins. */
  readonly file: string;
  readonly sqlLine: number;
  /** SHA-256 of the file: a changed model is re-run even when its inputs are not. */
  readonly digest: string;
}
