import { IcewrightError } from '../domain/errors.ts';
import { parseExactJson } from '../domain/exact-json.ts';
import { SNAPSHOT, type SnapshotJson } from './metadata.schema.ts';

/**
 * What writers count in each summary, and nobody reads of snapshots long gone: most of a table's
 * metadata. Totals, marks of runs and offsets of streams stay.
 */
const COUNTED =
  /^(changed-|deleted-|manifests-|entries-|engine-|app-id$|spark\.app|iceberg-version$|partitions)/;
const ADDED_OR_REMOVED = /^(added|removed)-/;
/** Those of them that receipts tell of. */
const TOLD = new Set(['added-records', 'removed-files-size']);

/**
 * Reads one snapshot of a table that has very many, without what takes most of the room.
 * @param where it was told; for the message
 * @throws IcewrightError `CatalogRejected` for what is no snapshot
 */
export function readSlimSnapshot(text: string, where: string): SnapshotJson {
  const read = checkSnapshot(text, where);
  const summary = Object.entries(read.summary).filter(
    ([name]) => !COUNTED.test(name) && (TOLD.has(name) || !ADDED_OR_REMOVED.test(name)),
  );
  return { ...read, summary: Object.fromEntries(summary) };
}

function checkSnapshot(text: string, where: string): SnapshotJson {
  try {
    return SNAPSHOT.parse(parseExactJson(text));
  } catch (cause) {
    const message = `${where} answered with a snapshot that cannot be understood`;
    throw new IcewrightError('CatalogRejected', message, { where }, cause);
  }
}
