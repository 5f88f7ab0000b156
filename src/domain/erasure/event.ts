/** What the chain of proof keeps of each act on a request: who, when, from and to. No free text. */
import type { ErrorCode } from '../errors.ts';
import type { ErasureState } from './request.ts';
import type { RequestAct } from './transitions.ts';

export interface ErasureEvent {
  readonly format: 'icewright.erasure-event/1';
  readonly requestId: string;
  readonly at: string;
  readonly by: string;
  /** The account that did it, where `by` is a name that was given; absent: they are one. */
  readonly account?: string;
  readonly act: 'open' | RequestAct['kind'];
  /** `null`: there was no request before. */
  readonly from: ErasureState | null;
  readonly to: ErasureState;
  /** Why it failed or was refused: the code alone, messages are not for ever. */
  readonly error: ErrorCode | null;
}

/** `format` of a certificate, by which the database tells it from an event. */
export const CERTIFICATE_FORMAT = 'icewright.erasure-certificate/1';
