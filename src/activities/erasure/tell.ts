/** What requests wait for or have failed with, as their rows tell it. */
import type { ErasureRequest } from '../../domain/erasure/request.ts';
import { hasEnded } from '../../domain/erasure/transitions.ts';
import { type ErrorCode, isErrorCode } from '../../domain/errors.ts';
import { act, requestsOf } from './batches.ts';
import type { ErasureDeps } from './deps.ts';
import { readRequest } from './find.ts';

type WaitingFor = { readonly code: string; readonly message: string } | null;

function errorOf(waitingFor: WaitingFor): ErasureRequest['error'] {
  const code: ErrorCode = isErrorCode(waitingFor?.code) ? waitingFor.code : 'Internal';
  return waitingFor === null ? null : { code, message: waitingFor.message };
}

export async function noteBatch(
  deps: ErasureDeps,
  batchId: string,
  waitingFor: WaitingFor,
): Promise<void> {
  const error = errorOf(waitingFor);
  for (const { requestId, state } of await requestsOf(deps, batchId)) {
    if (state !== 'forgetting' && state !== 'verifying') continue;
    await act(deps, requestId, { kind: 'amend', patch: { error } });
  }
}

/** What a request by itself waits for; it is told by its row. */
export async function noteRequest(
  deps: ErasureDeps,
  requestId: string,
  waitingFor: WaitingFor,
): Promise<void> {
  const { state } = await readRequest(deps, requestId);
  if (hasEnded({ state })) return;
  await act(deps, requestId, { kind: 'amend', patch: { error: errorOf(waitingFor) } });
}

/** What was done is not what was meant to be done: repeating it would hide that. */
export async function failBatch(
  deps: ErasureDeps,
  batchId: string,
  told: NonNullable<WaitingFor>,
): Promise<void> {
  const error = errorOf(told);
  for (const { requestId, state } of await requestsOf(deps, batchId)) {
    if (state === 'forgetting' || state === 'verifying') {
      await act(deps, requestId, { kind: 'move', to: 'failed', patch: { error } });
    }
    await deps.wake(requestId);
  }
}
