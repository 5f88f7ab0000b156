import { IcewrightError } from '../../errors.ts';
import type { HandRequest } from '../../hand-request.ts';
import type { Decision, Operation } from '../../operation.ts';
import { planExpiry } from '../expiry.ts';
import { previewExpiry } from '../expiry-preview.ts';
import { expiryReasons, refusalReason } from '../reasons.ts';
import { type HandPlanInput, refuse, send, skip } from './decision.ts';

type ExpireRequest = Extract<HandRequest, { kind: 'expire_snapshots' }>;

export function expireByHand(input: HandPlanInput, request: ExpireRequest): Decision {
  const { health, policy, pinned, consumers, nowMs } = input;
  const olderThanMs = request.olderThanMs ?? policy.settings.expire.olderThanMs;
  const keepLast = request.keepLast ?? policy.settings.expire.keepLast;
  if (!(olderThanMs >= 0)) throw new IcewrightError('UsageInvalid', '--older-than is negative');
  if (!(Number.isInteger(keepLast) && keepLast >= 1)) {
    throw new IcewrightError('UsageInvalid', '--keep-last must be a whole number of at least 1');
  }
  const expiry = planExpiry({ health, olderThanMs, keepLast, pinned, consumers, nowMs });
  if (expiry.kind === 'refuse') {
    return refuse('expire_snapshots', null, [refusalReason(expiry.metric, expiry.because)]);
  }
  const { snapshotIds } = expiry;
  const clean = request.cleanExpiredMetadata === true ? { cleanExpiredMetadata: true } : {};
  const operation: Operation = { kind: 'expire_snapshots', snapshotIds, ...clean };
  const reasons = expiryReasons(expiry);
  if (snapshotIds.length === 0) return skip('expire_snapshots', reasons);
  const preview = previewExpiry(health, snapshotIds);
  return { ...send(health, operation, 'auto', reasons, null), preview };
}
