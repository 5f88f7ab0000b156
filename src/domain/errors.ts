/**
 * The closed list of failure codes. Everything that fails in Icewright fails with one of these;
 * the code travels over Temporal as `ApplicationFailure.type`, into the ledger and into `--json`.
 */

/** How a failure is treated: may the same step be tried again, and how does a command exit? */
export interface ErrorRule {
  /** `true`: the same step may be repeated as it is. `false`: it would fail the same way. */
  readonly retryable: boolean;
  /** Process exit code: 1 failed, 2 usage or invalid input, 3 refused by a safety rule. */
  readonly exitCode: 1 | 2 | 3;
}

export const ERROR_RULES = {
  UsageInvalid: { retryable: false, exitCode: 2 },
  ConfigInvalid: { retryable: false, exitCode: 2 },
  PolicyInvalid: { retryable: false, exitCode: 2 },
  ModelInvalid: { retryable: false, exitCode: 2 },
  TableNotFound: { retryable: false, exitCode: 2 },
  RunNotFound: { retryable: false, exitCode: 2 },
  OperationUnsupported: { retryable: false, exitCode: 3 },
  SafetyRefused: { retryable: false, exitCode: 3 },
  TableChanged: { retryable: false, exitCode: 3 },
  QueueFull: { retryable: false, exitCode: 3 },
  /** The engine answered: this statement is wrong or failed. Definitive. */
  EngineRejected: { retryable: false, exitCode: 1 },
  /** The engine could not be reached, and no statement was handed to it. */
  EngineUnavailable: { retryable: true, exitCode: 1 },
  /** A statement was handed over and its outcome is not known: reconcile before anything else. */
  EngineOutcomeUnknown: { retryable: true, exitCode: 1 },
  /** Another writer committed first; the work may be done again on the new snapshot. */
  CommitConflict: { retryable: true, exitCode: 1 },
  CredentialsRejected: { retryable: false, exitCode: 1 },
  CatalogUnavailable: { retryable: true, exitCode: 1 },
  CatalogRejected: { retryable: false, exitCode: 1 },
  StorageUnavailable: { retryable: true, exitCode: 1 },
  /** A system outside the lake, from which the data come. */
  SourceUnavailable: { retryable: true, exitCode: 1 },
  LedgerUnavailable: { retryable: true, exitCode: 1 },
  TemporalUnavailable: { retryable: true, exitCode: 1 },
  /** A run whose table's workflow is gone has not ended yet. */
  TableBusy: { retryable: true, exitCode: 1 },
  WorkerUnavailable: { retryable: true, exitCode: 1 },
  StackFailed: { retryable: false, exitCode: 1 },
  PrerequisiteMissing: { retryable: false, exitCode: 2 },
  InvariantBroken: { retryable: false, exitCode: 1 },
  Cancelled: { retryable: false, exitCode: 1 },
  Internal: { retryable: false, exitCode: 1 },
} as const satisfies Record<string, ErrorRule>;

export type ErrorCode = keyof typeof ERROR_RULES;

/** Details must be plain JSON and must never hold personal data or secrets. */
export type ErrorDetails = Readonly<Record<string, unknown>>;

/** The one error class. `message` says what was wrong, where, and what to do next. */
export class IcewrightError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetails;
  override readonly name = 'IcewrightError';

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.details = details;
  }
}

export function isErrorCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERROR_RULES, code);
}

/** Ends every `switch` over a union: a new member that is not handled fails to compile. */
export function assertNever(value: never): never {
  throw new IcewrightError('Internal', `unexpected value: ${JSON.stringify(value)}`);
}
