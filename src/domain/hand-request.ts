/** An operation that a person asks for now, before it is checked against the table. */
import type { EngineName } from './engine.ts';
import type { CompactDeletes, CompactStrategy, CompactTuning } from './operation.ts';

export type HandRequest =
  | {
      readonly kind: 'compact';
      readonly strategy: CompactStrategy;
      readonly columns: readonly string[];
      readonly where: string | null;
      /** `null`: the policy's. */
      readonly targetFileSizeBytes: number | null;
      /** `null`: the capability matrix chooses. */
      readonly engine: EngineName | null;
      /** Only these partitions, `day=2026-11-20`: by the names of the current spec's fields. */
      readonly partitions?: readonly PartitionText[];
      /** `true`: well-sized files too. Sort and Z-order always do. */
      readonly rewriteAll?: boolean;
      readonly deletes?: CompactDeletes;
      readonly tuning?: CompactTuning;
    }
  | {
      readonly kind: 'rewrite_deletes';
      readonly where: string | null;
      /** `true`: well-sized delete files too. */
      readonly rewriteAll: boolean;
      readonly engine: EngineName | null;
    }
  | {
      readonly kind: 'expire_snapshots';
      /** `null`: the policy's. */
      readonly olderThanMs: number | null;
      readonly keepLast: number | null;
      /** `true`: schemas and specs that nothing uses any more go, too. */
      readonly cleanExpiredMetadata?: boolean;
    }
  | {
      readonly kind: 'remove_orphans';
      /** `null`: the policy's. */
      readonly olderThanMs: number | null;
      readonly maxFiles: number | null;
      /** Between the two looks; `null`: the default. */
      readonly pauseMs: number | null;
    }
  | {
      readonly kind: 'rewrite_manifests';
      readonly engine: EngineName | null;
      readonly specId?: number;
      readonly sortBy?: readonly string[];
    }
  | {
      readonly kind: 'compute_statistics';
      /** Empty: the policy's; where that names none, all that the engine can. */
      readonly columns: readonly string[];
      readonly engine: EngineName | null;
    }
  | { readonly kind: 'drop_statistics'; readonly engine: EngineName | null }
  | {
      readonly kind: 'set_properties';
      readonly set: Readonly<Record<string, string>>;
      readonly remove: readonly string[];
      /** Properties that change safety or format, and are meant to be. */
      readonly allow: readonly string[];
    };

/** Partition field → its value as `health` prints it; `null`: the partition of no value. */
export type PartitionText = Readonly<Record<string, string | null>>;

/** `compact zorder(customer_id, ts)`: the same wish always gives the same text. */
export function titleOf(request: HandRequest): string {
  switch (request.kind) {
    case 'compact': {
      const columns = request.columns.length > 0 ? `(${request.columns.join(', ')})` : '';
      const count = request.partitions?.length ?? 0;
      const partitions = count === 0 ? '' : ` of ${count} partition${count === 1 ? '' : 's'}`;
      return `compact ${request.strategy}${columns}${partitions}${whereText(request.where)}`;
    }
    case 'rewrite_deletes':
      return `rewrite deletes${whereText(request.where)}`;
    case 'expire_snapshots':
      return 'expire snapshots';
    case 'remove_orphans':
      return 'remove orphans';
    case 'rewrite_manifests':
      return 'rewrite manifests';
    case 'compute_statistics': {
      const { columns } = request;
      return `compute statistics${columns.length > 0 ? ` of ${columns.join(', ')}` : ''}`;
    }
    case 'drop_statistics':
      return 'drop statistics';
    case 'set_properties': {
      const names = [...Object.keys(request.set), ...request.remove.map((name) => `-${name}`)];
      return `set properties ${names.join(', ')}`;
    }
  }
}

/** The predicate may hold personal data, and titles are shown and kept everywhere. */
function whereText(where: string | null): string {
  return where === null ? '' : ' where …';
}
