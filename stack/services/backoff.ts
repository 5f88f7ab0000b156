/** How long to wait before a service that ended is started again. Pure. */

/** The first restart is quick: what was killed is back within seconds. */
const FIRST_MS = 250;
/** A service that cannot run is tried twice a minute, for as long as the stack is up. */
const CAP_MS = 30_000;
/** One that served this long has recovered: its next end counts as the first. */
export const STABLE_MS = 60_000;

/** `endings` counts the ends in a row, from 1; each waits twice as long as the one before. */
export function restartDelayMs(endings: number): number {
  return Math.min(CAP_MS, FIRST_MS * 2 ** Math.min(Math.max(endings, 1) - 1, 20));
}

/** The ends in a row after another one, `servedMs` after it was last ready. */
export function countEndings(before: number, servedMs: number): number {
  return servedMs >= STABLE_MS ? 1 : before + 1;
}
