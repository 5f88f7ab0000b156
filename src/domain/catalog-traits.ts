/** What the connected catalog, and the engines' view of it, allow: found out, never configured. */

export interface CatalogTraits {
  /** `false`: nothing tells that a table is unchanged, each look reads all. `null`: not seen yet. */
  readonly sendsEtags: boolean | null;
  /** `false`: the catalog lists its endpoints, and committing to a table is not among them. */
  readonly acceptsCommits: boolean | null;
  /** `null`: Trino was not asked, or did not answer. */
  readonly trinoFloors: RetentionFloors | null;
}

/** Ages below which Trino refuses, by the configuration of its catalog; `null`: it tells none. */
export interface RetentionFloors {
  readonly expireSnapshotsMs: number | null;
  readonly removeOrphansMs: number | null;
}

export const UNKNOWN_TRAITS: CatalogTraits = {
  sendsEtags: null,
  acceptsCommits: null,
  trinoFloors: null,
};
