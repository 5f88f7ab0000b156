import type { TableRef } from '../../domain/table.ts';

/** Moves main back. The only thing that this house writes to a catalog past an engine. */
export interface Rollback {
  /**
   * One atomic step of the catalog: main goes to `to` if the table is still `tableUuid` and main is
   * still at `from`. `false`: it is not, and nothing was changed. Rejects with
   * `CatalogUnavailable` (whether it took effect is then not known), `CredentialsRejected`,
   * `CatalogRejected`, `TableNotFound`.
   */
  rollBack(table: TableRef, move: MainMove): Promise<boolean>;
}

export interface MainMove {
  readonly tableUuid: string;
  readonly from: string;
  readonly to: string;
}
