/** A look as the ledger keeps it. */
import type { StoredFile } from './files.ts';

export interface OrphanLook {
  /** Derived from run and step: a repeated step finds its own. */
  readonly lookId: string;
  readonly table: string;
  readonly tableUuid: string;
  /** `approval`: waits for a person; `deletion`: what a run set out to delete, written before. */
  readonly purpose: 'look' | 'approval' | 'deletion';
  readonly lookedAt: string;
  /** Age that the files had at least. */
  readonly olderThanMs: number;
  /** SHA-256 over {@link lookText}. */
  readonly digest: string;
  readonly files: readonly StoredFile[];
}

/** All that identifies the files, in an order of its own: equal lists give equal texts. */
export function lookText(tableUuid: string, files: readonly StoredFile[]): string {
  const lines = files.map(({ uri, sizeBytes, modifiedAtMs, etag }) =>
    JSON.stringify([uri, sizeBytes, modifiedAtMs, etag]),
  );
  return [tableUuid, ...lines.sort()].join('\n');
}
