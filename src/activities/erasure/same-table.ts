/** Under a table's name there may be another table than the one whose files were listed. */
import { IcewrightError } from '../../domain/errors.ts';
import { mapAtOnce } from '../at-once.ts';
import { ASKED_AT_ONCE, listedFiles, versionsAt } from './file-list.ts';
import type { StepContext } from './step-context.ts';
import type { TableProgress } from './work.ts';

const PAGE = 1_000;

/**
 * Rejects with `SafetyRefused` for another one: none of the listed files is needed by it, and all
 * of them may be needed by the one that was renamed.
 */
export function refuseOtherTable(table: string, tableUuid: string, progress: TableProgress): void {
  if (tableUuid === progress.tableUuid) return;
  const message =
    `${table} is another table (${tableUuid}) than the one that was begun with ` +
    `(${progress.tableUuid}): give that one its name back, or remove all of its files, every ` +
    'version of them; nothing is deleted meanwhile';
  throw new IcewrightError('SafetyRefused', message, { table });
}

/**
 * What this table was begun with; `null`: nothing, or another table of the name, of whose files no
 * version is left. Rejects with `SafetyRefused` while there is one.
 */
export async function earlierOfSame(
  context: StepContext,
  progress: TableProgress | null,
): Promise<TableProgress | null> {
  const { deps, batchId, table, health } = context;
  if (progress === null || progress.tableUuid === health.tableUuid) return progress;
  let page: { readonly path: string; readonly pathHash: string }[] = [];
  const settle = async () => {
    const left = await mapAtOnce(page, ASKED_AT_ONCE, ({ path }) => versionsAt(deps, path));
    if (left.some((ids) => ids.length > 0)) refuseOtherTable(table, health.tableUuid, progress);
    const hashes = page.map(({ pathHash }) => pathHash);
    await deps.erasures.markRemoved(batchId, hashes, new Date(deps.nowMs()).toISOString());
    page = [];
  };
  for await (const { path, pathHash } of listedFiles(deps, { batchId, table, removed: false })) {
    if (path !== null) page.push({ path, pathHash });
    if (page.length === PAGE) await settle();
  }
  await settle();
  return null;
}
