/** An operation that a person asks for now, before it is checked against the table. */
import type { EngineName } from './engine.ts';
import type { CompactStrategy } from './operation.ts';

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
    }
  | {
      readonly kind: 'expire_snapshots';
      /** `null`: the policy's. */
      readonly olderThanMs: number | null;
      readonly keepLast: number | null;
    }
  | { readonly kind: 'rewrite_manifests'; readonly engine: EngineName | null };

/** `compact zorder(customer_id, ts)`: the same wish always gives the same text. */
export function titleOf(request: HandRequest): string {
  switch (request.kind) {
    case 'compact': {
      const columns = request.columns.length > 0 ? `(${request.columns.join(', ')})` : '';
      // The predicate may hold personal data, and titles are shown and kept everywhere.
      const where = request.where === null ? '' : ' where …';
      return `compact ${request.strategy}${columns}${where}`;
    }
    case 'expire_snapshots':
      return 'expire snapshots';
    case 'rewrite_manifests':
      return 'rewrite manifests';
  }
}
