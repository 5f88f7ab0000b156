/** How many receipts a policy needs to be judged by. */
import type { CadencePolicy } from './policy.ts';

/** Of each operation and ending, whatever the policy. */
const AT_LEAST = 20;
/** Runs in vain beyond the first that counts: 1.5 to this power is past any sensible pause. */
const NOOPS_BEYOND = 10;

/** Receipts of each operation and ending, so that its breaker and back-off can be reached at all. */
export function receiptsOfEach({ breakerFailures, noopBackoffAfter }: CadencePolicy): number {
  return Math.max(AT_LEAST, breakerFailures, noopBackoffAfter + NOOPS_BEYOND);
}
