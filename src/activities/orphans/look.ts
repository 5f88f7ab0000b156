/** One look under a table's location: metadata, list, metadata again. Changes nothing. */
import { IcewrightError } from '../../domain/errors.ts';
import type { StoredFile } from '../../domain/orphans/files.ts';
import { judgeFile, NO_VERDICTS, type VerdictCounts } from '../../domain/orphans/look.ts';
import { refuseTable } from '../../domain/orphans/preconditions.ts';
import { type TableRef, tableKey } from '../../domain/table.ts';
import type { Reach, TableFiles } from '../table-files.ts';
import { type PlaceDeps, refuseSharedPlaces } from './places.ts';

export interface LookDeps extends PlaceDeps {
  readonly files: TableFiles;
  readonly nowMs: () => number;
}

export interface Look {
  /** True of the table after everything was listed. */
  readonly reach: Reach;
  readonly candidates: readonly StoredFile[];
  readonly counts: VerdictCounts;
  readonly listed: number;
  readonly cutoffMs: number;
  readonly lookedAtMs: number;
}

/** A table that is written all the time is given so many chances to hold still. */
const TRIES = 3;
const METADATA_FILE = /\.metadata\.json(\.gz)?$/;
const UUIDS_AT_ONCE = 8;

/**
 * Rejects with `SafetyRefused` where it cannot be known whose the files are, or that all of them
 * were seen.
 * @param ageMs files younger than this are no candidates
 */
export async function takeLook(deps: LookDeps, table: TableRef, ageMs: number): Promise<Look> {
  const before = await deps.files.version(table);
  const forbidden = refuseTable(before);
  if (forbidden !== null) throw refusal(table, forbidden.because);
  await refuseSharedPlaces(deps, table, before);
  const lookedAtMs = deps.nowMs();
  const cutoffMs = lookedAtMs - ageMs;
  const reach = await readReach(deps, table);
  const seen = await listAll(deps, table, reach, cutoffMs);
  await refuseForeignMetadata(deps, table, reach, seen.strangers);
  const settled = await settle(deps, table, reach, seen);
  return { ...seen, ...settled, cutoffMs, lookedAtMs };
}

async function readReach(deps: LookDeps, table: TableRef): Promise<Reach> {
  const reach = await deps.files.reach(table);
  if (reach.foreignPath === null) return reach;
  throw refusal(
    table,
    `its metadata name ${reach.foreignPath}, which is no address of an S3 store: whether a file ` +
      'listed here is that one cannot be told; rewrite the paths (rewrite_table_path)',
  );
}

interface Seen {
  readonly candidates: readonly StoredFile[];
  /** Metadata files that this table's metadata do not name. */
  readonly strangers: readonly StoredFile[];
  readonly counts: VerdictCounts;
  readonly listed: number;
}

async function listAll(
  { files }: LookDeps,
  table: TableRef,
  reach: Reach,
  cutoffMs: number,
): Promise<Seen> {
  const directory = directoryOf(reach.location);
  const rules = { directory, isReachable: reach.has, cutoffMs };
  const counts = { ...NO_VERDICTS };
  const candidates: StoredFile[] = [];
  const strangers: StoredFile[] = [];
  let needed = 0;
  try {
    for await (const file of files.list(directory)) {
      const verdict = judgeFile(file, rules);
      counts[verdict] += 1;
      if (verdict === 'candidate') candidates.push(file);
      if (verdict === 'reachable' && reach.isNeeded(file.uri)) needed += 1;
      if (verdict !== 'reachable' && METADATA_FILE.test(file.uri)) strangers.push(file);
    }
  } catch (cause) {
    throw unlistable(table, directory, cause);
  }
  if (needed < reach.neededUnderLocation) {
    throw refusal(
      table,
      `the list of ${directory} has ${needed} of ${reach.neededUnderLocation} files that the ` +
        'table needs: it is cut off, or the table is broken; see "icewright health"',
    );
  }
  const listed = Object.values(counts).reduce((sum, one) => sum + one, 0);
  return { candidates, strangers, counts, listed };
}

/** `s3://lake/t/`: always one spelling, and always a closing slash, so that `t_2` is not in it. */
export function directoryOf(location: string): string {
  return `${location.replace(/^s3[an]:/, 's3:').replace(/\/+$/, '')}/`;
}

/** A store that refuses the list will refuse it again; one that does not answer may answer. */
function unlistable(table: TableRef, directory: string, cause: unknown): unknown {
  if (!(cause instanceof IcewrightError)) return cause;
  if (!['CredentialsRejected', 'InvariantBroken'].includes(cause.code)) return cause;
  return refusal(table, `${directory} cannot be listed: ${cause.message}`, cause);
}

/** Somebody else's table, perhaps of another catalog, may keep its metadata here. */
async function refuseForeignMetadata(
  { files }: LookDeps,
  table: TableRef,
  reach: Reach,
  strangers: readonly StoredFile[],
): Promise<void> {
  const queue = strangers.values();
  const worker = async () => {
    for (const { uri, sizeBytes } of queue) {
      const uuid = sizeBytes === 0 ? null : await files.readTableUuid(uri);
      if (uuid === reach.tableUuid) continue;
      const whose = uuid === null ? 'cannot be read' : `is of table ${uuid}`;
      throw refusal(
        table,
        `${uri} ${whose}, and this table is ${reach.tableUuid}: files under ${reach.location} may ` +
          'belong to it; move them away if they are no longer needed',
      );
    }
  };
  await Promise.all(Array.from({ length: UUIDS_AT_ONCE }, worker));
}

/**
 * What was committed while the list was made counts: a candidate that is reachable by now is none.
 * The metadata that are used at last must be the current ones.
 */
export async function settle(
  deps: LookDeps,
  table: TableRef,
  first: Reach,
  { candidates }: Pick<Seen, 'candidates'>,
): Promise<{ readonly reach: Reach; readonly candidates: readonly StoredFile[] }> {
  let reach = first;
  let left = candidates;
  for (let tries = 1; ; tries += 1) {
    const now = await deps.files.version(table);
    if (now.tableUuid !== first.tableUuid || now.location !== first.location) {
      throw refusal(table, 'it was replaced or moved while its files were looked at: plan again');
    }
    if (now.metadataLocation === reach.metadataLocation) return { reach, candidates: left };
    if (tries === TRIES) {
      throw refusal(
        table,
        `it changed ${TRIES} times while its files were looked at: try again when less is written`,
      );
    }
    reach = await readReach(deps, table);
    const { has } = reach;
    left = left.filter((file) => !has(file.uri));
  }
}

export function refusal(table: TableRef, because: string, cause?: unknown): IcewrightError {
  const key = tableKey(table);
  return new IcewrightError('SafetyRefused', `${key}: ${because}`, { table: key }, cause);
}
