import type { QueryError } from 'trino-client';
import { type ErrorCode, IcewrightError } from '../../domain/errors.ts';

/** A failure as Trino tells it; the driver's type leaves out the chain of causes. */
export interface TrinoFailure {
  readonly type?: string | undefined;
  readonly message?: string | null | undefined;
  readonly cause?: TrinoFailure | null | undefined;
}

export type TrinoError = Pick<QueryError, 'message' | 'errorCode' | 'errorName' | 'errorType'> & {
  readonly failureInfo?: TrinoFailure | null | undefined;
};

/** Error names whose meaning for a caller is more than "rejected". */
const CODES: Readonly<Record<string, ErrorCode>> = {
  USER_CANCELED: 'Cancelled',
  ICEBERG_COMMIT_ERROR: 'CommitConflict',
  TRANSACTION_CONFLICT: 'CommitConflict',
  TABLE_NOT_FOUND: 'TableNotFound',
  // The client was away too long: the work may have been committed before Trino gave it up.
  ABANDONED_QUERY: 'EngineOutcomeUnknown',
  SERVER_SHUTTING_DOWN: 'EngineOutcomeUnknown',
  SERVER_STARTING_UP: 'EngineUnavailable',
};

const NEXT_STEP: Partial<Record<ErrorCode, string>> = {
  CommitConflict: 'another writer committed first; plan again on the new snapshot',
  EngineOutcomeUnknown: 'reload the table and look for the run before doing it again',
  EngineUnavailable: 'try again when the server has started',
};

/** Longest part of Trino's own message that is kept; stack traces are not. */
const MAX_MESSAGE = 600;

/** Turns the error of a Trino answer into ours; Trino's names go into the details. */
export function statementError(error: TrinoError, queryId: string): IcewrightError {
  const code = codeOf(error);
  const told = hideValues(error).slice(0, MAX_MESSAGE);
  const next = NEXT_STEP[code];
  const hint = next === undefined ? '' : `; ${next}`;
  return new IcewrightError(code, `Trino: ${told} (${error.errorName}, query ${queryId})${hint}`, {
    engine: 'trino',
    queryId,
    errorName: error.errorName,
    errorType: error.errorType,
    errorCode: error.errorCode,
    // The query has failed: whatever became of its commit, nothing of it runs any more.
    ended: true,
  });
}

/** Errors about data quote the data: values that stand in quotes are left out. */
const ABOUT_DATA = /^(INVALID_CAST|INVALID_FUNCTION|NUMERIC_VALUE|DIVISION|JDBC|INVALID_LITERAL)/;

function hideValues({ errorName, message }: TrinoError): string {
  if (!ABOUT_DATA.test(errorName)) return message;
  return message.replace(/'[^']*'|"[^"]*"/g, '<value>');
}

function codeOf(error: TrinoError): ErrorCode {
  // Trino reports a lost answer of the catalog under the same name as a conflict: only the chain
  // of causes tells the two apart, and the first must never be taken for the second.
  if (hasCause(error.failureInfo, 'CommitStateUnknownException')) return 'EngineOutcomeUnknown';
  // The connection to the catalog broke while something was posted: that may have been a commit.
  if (hasCause(error.failureInfo, 'RESTException', /\bPOST\b/)) return 'EngineOutcomeUnknown';
  return CODES[error.errorName] ?? 'EngineRejected';
}

function hasCause(
  failure: TrinoFailure | null | undefined,
  name: string,
  text: RegExp = /^/,
): boolean {
  let current = failure;
  // A chain is finite in Java, but this one came over a network.
  for (let depth = 0; current && depth < 32; depth += 1) {
    if (current.type?.endsWith(name) && text.test(current.message ?? '')) return true;
    current = current.cause;
  }
  return false;
}
