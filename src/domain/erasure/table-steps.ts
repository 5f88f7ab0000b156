/** How a subject is forgotten in one table. */

/** Steps on one table, in the order that is sufficient (design §7). */
export const TABLE_STEPS = [
  /** What there is before: files of every snapshot, counts, the checksum of all other rows. */
  'survey',
  'delete',
  'rewrite',
  'dangling',
  'manifests',
  /** Counts again, while the snapshots before the deletion are still there to count in. */
  'count',
  'expire',
  /** Old metadata, versions of removed objects. */
  'purge',
] as const;
export type TableStep = (typeof TABLE_STEPS)[number];
