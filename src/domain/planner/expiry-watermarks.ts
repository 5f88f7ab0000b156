/** After an expiry: whoever starts again must still find its watermark by walking the parents. */
import type { TableHealth } from '../health/health.ts';
import type { InvariantCheck } from '../receipt.ts';
import { ancestry } from '../watermark.ts';
import { watermarksIn } from './expiry.ts';

/** The watermarks that are found from the heads of all branches, sorted: `main: <watermark>`. */
export function watermarksInChain(health: TableHealth): readonly string[] {
  const branches = health.refs.filter((ref) => ref.type === 'branch');
  const heads = new Map([
    ['main', health.snapshotId],
    ...branches.map((ref) => [ref.name, ref.snapshotId] as const),
  ]);
  const found = [...heads].flatMap(([name, head]) =>
    ancestry(health.snapshots, head).flatMap((one) =>
      watermarksIn(one).map((watermark) => `${name}: ${watermark}`),
    ),
  );
  return [...new Set(found)].sort();
}

/** @param before what {@link watermarksInChain} told before the expiry */
export function checkWatermarks(before: readonly string[], after: TableHealth): InvariantCheck {
  const name = 'watermarks_in_chain';
  const now = new Set(watermarksInChain(after));
  const lost = before.filter((one) => !now.has(one));
  return lost.length === 0 ? { name, ok: true } : { name, ok: false, detail: lost.join(', ') };
}
