import type { TableMetadata } from './metadata.ts';

/** A table as it was loaded, and the tag by which the catalog knows whether it changed. */
export interface CachedTable {
  readonly etag: string;
  readonly metadata: TableMetadata;
  readonly metadataLocation: string | null;
  /** Length of the text it was parsed from: the objects take about three times as much. */
  readonly metadataBytes: number;
}

export interface TableCache {
  get(key: string): CachedTable | undefined;
  set(key: string, table: CachedTable): void;
  delete(key: string): void;
}

/** Keeps the tables used last, up to `maxTextBytes` of metadata text. */
export function createTableCache(maxTextBytes: number): TableCache {
  const held = new Map<string, CachedTable>();
  let total = 0;
  const remove = (key: string) => {
    total -= held.get(key)?.metadataBytes ?? 0;
    held.delete(key);
  };
  return {
    get: (key) => {
      const found = held.get(key);
      if (found === undefined) return undefined;
      // A Map keeps the order of insertion: the one used last goes to the end.
      held.delete(key);
      held.set(key, found);
      return found;
    },
    set: (key, table) => {
      remove(key);
      if (table.metadataBytes > maxTextBytes) return;
      held.set(key, table);
      total += table.metadataBytes;
      for (const oldest of held.keys()) {
        if (total <= maxTextBytes) break;
        remove(oldest);
      }
    },
    delete: remove,
  };
}
