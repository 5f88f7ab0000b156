/** A model: one SQL file that produces one table of one layer. */
import type { EngineName, Statement } from '../engine.ts';
import type { TableRef } from '../table.ts';

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
  /**
   * Name of Icewright's own, for example `timestamptz` or `decimal(18,2)`: see `model-types.ts`.
   */
  readonly type: string;
  /** `none`: not personal. `direct`: identifies. `pseudonym`: keyed hash or masked. */
  readonly pii: 'none' | 'direct' | 'pseudonym';
}

/** A promise about the result. Parsed and kept; checked from the issue on that brings branches. */
export type ModelGate =
  | { readonly kind: 'not_null'; readonly columns: readonly string[] }
  | { readonly kind: 'unique'; readonly columns: readonly string[] }
  | {
      readonly kind: 'accepted_values';
      readonly column: string;
      readonly values: readonly string[];
    }
  | {
      readonly kind: 'relationships';
      readonly column: string;
      readonly to: string;
      readonly field: string;
    }
  | { readonly kind: 'row_count_delta'; readonly maxRatio: number }
  | { readonly kind: 'freshness'; readonly column: string; readonly maxAgeMs: number }
  | { readonly kind: 'sql'; readonly sql: string };

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
  /** Kept for a later issue; nothing sorts by it yet. For example `ordered_at desc`. */
  readonly sortOrder: readonly string[];
  readonly gates: readonly ModelGate[];
  readonly properties: Readonly<Record<string, string>>;
  /** `merge` only: result column that is true for a deleted key; never stored. */
  readonly deletedWhen: string | null;
  /**
   * `merge` only: SQL over `t` (target) and `s` (result) that is true where a row must be updated.
   * `null`: where any column outside the key differs.
   */
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

/** Digest of the model that wrote a snapshot; beside `icewright.inputs` in its summary. */
export const MODEL_DIGEST_PROPERTY = 'icewright.model-digest';

/** What a run adds to a model. */
export interface ModelContext {
  readonly runId: string;
  /** Input table → the snapshot to read it at. Every input of the model must be there. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Key of keyed hashes, 32 bytes in hex; only models that hash need it. */
  readonly pseudonymKey?: string | undefined;
}

export interface CompiledModel {
  /** Namespace and table, if they do not exist. Repeating them is harmless. */
  readonly ensure: readonly Statement[];
  /** The one statement that commits. */
  readonly write: Statement;
}
