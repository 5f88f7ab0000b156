/** Before: which files there are, how many rows, and a checksum of all others. */
import { beginOracle, isCounted } from '../../domain/erasure/count-oracle.ts';
import { lineSince } from '../../domain/table-facts.ts';
import { baseGone, columnNames, countAt, unproven } from './count.ts';
import { saveFileList } from './file-list.ts';
import { restoreTarget } from './manifests.ts';
import { earlierOfSame } from './same-table.ts';
import { refuseObstacles, type StepContext, type StepResult } from './step-context.ts';
import { saveProgress, type TableProgress } from './work.ts';

const NOTHING = { rows: 0, matched: 0, others: '0' } as const;

export async function survey(
  context: StepContext,
  before: TableProgress | null,
): Promise<StepResult> {
  const { health } = context;
  await refuseObstacles(context);
  const same = await earlierOfSame(context, before);
  const earlier = same === null ? null : await restoreTarget(context, same);
  if (earlier?.doubt !== undefined) return unproven(context, earlier, [], earlier.doubt);
  // An earlier try got further, and nobody wrote since: what it counted stays true.
  if (earlier?.base !== undefined && earlier.base.snapshotId === health.snapshotId) {
    const toDelete = earlier.base.matched;
    return { progress: { ...earlier, toDelete }, receipt: { status: 'noop' } };
  }
  const begun = earlier ?? beginProgress(context);
  // Whose files they are is said before they are: the list is of that table alone.
  if (earlier === null) await saveProgress(context.deps, context, begun);
  await saveFileList(context);
  const isOpen = begun.unproven === true && begun.base !== undefined;
  if (isOpen && lineSince(health, begun.base.snapshotId) === null) {
    return unproven(context, begun, [], baseGone(begun.base));
  }
  const columns = columnNames(context);
  const counted = await countAt(context, health.snapshotId, columns);
  const progress = { ...begun, toDelete: counted.matched };
  // What we have changed since is compared with what was counted before it, and with nothing else.
  if (isOpen) return { progress, receipt: { status: 'done' } };
  const oracle = isCounted(begun.oracle) ? begun.oracle : beginOracle(counted);
  const base = { ...counted, snapshotId: health.snapshotId, columns };
  return { progress: { ...progress, oracle, base, unproven: false }, receipt: { status: 'done' } };
}

function beginProgress({ health }: StepContext): TableProgress {
  return {
    tableUuid: health.tableUuid,
    formatVersion: health.formatVersion,
    snapshotBefore: health.snapshotId,
    snapshotAfter: null,
    head: health.snapshotId,
    oracle: beginOracle(NOTHING),
    matched: 0,
    bytesRewritten: 0,
    snapshotsExpired: 0,
    refs: health.refs.map(({ name, type }) => ({ name, type })),
    clean: [],
  };
}
