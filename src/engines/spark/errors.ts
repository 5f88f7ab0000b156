/** A failed statement → the house's error, with a text fit for people and free of values. */
import { type ErrorCode, IcewrightError } from '../../domain/errors.ts';
import type { Failure } from './failure.ts';
import { isCredentialsFailure } from './failure.ts';
import type { ChainedError, ErrorChain } from './messages.ts';

/** What the statement's failure is reported with. */
export interface FailureContext {
  readonly address: string;
  readonly sessionId: string;
  readonly operationId: string;
  /** Values that must not be seen: the statement's parameters by name. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** Longest message: a line that a terminal and a workflow history can carry. */
const MESSAGE_LIMIT = 600;

/** Spark's definitive answer to a statement. `chain`: its causes, when they could be had. */
export function statementError(
  failure: Failure,
  chain: ErrorChain | null,
  context: FailureContext,
): IcewrightError {
  const links = linksOf(failure, chain);
  const telling = links.findLast((link) => link.errorClass !== null) ?? links[links.length - 1];
  const code = codeOf(failure, links);
  const details = {
    errorClass: failure.errorClass ?? telling?.errorClass ?? null,
    sqlState: failure.sqlState ?? telling?.sqlState ?? null,
    operationId: context.operationId,
    sessionId: context.sessionId,
    // Spark has answered: whatever became of its commit, nothing of it runs any more.
    ended: true,
  };
  const line = telling === undefined ? failure.text : withoutData(telling);
  const text = firstLine(hideValues(line, context.secrets));
  return new IcewrightError(
    code,
    `${PREFIX[code] ?? 'Spark refused the statement'}: ${text}`,
    details,
  );
}

const PREFIX: Partial<Record<ErrorCode, string>> = {
  Cancelled: 'the statement was cancelled in Spark',
  CommitConflict: 'another writer committed to the table first',
  EngineOutcomeUnknown: 'Spark cannot tell whether the commit took place; reload the table first',
};

/** A failure before anything was handed over: is Spark away, or does it not know us? */
export function unavailableError(failure: Failure, address: string): IcewrightError {
  const details = { address, grpcCode: failure.code };
  if (isCredentialsFailure(failure)) {
    const message = `Spark Connect at ${address} refused our credentials; check the token of its URL`;
    return new IcewrightError('CredentialsRejected', message, details);
  }
  return new IcewrightError(
    'EngineUnavailable',
    `Spark Connect at ${address} cannot be reached (${firstLine(failure.text)}); ` +
      'check that it runs and that its URL is right',
    details,
  );
}

/** A statement was handed over and lost from sight. `why` continues "…because". */
export function unknownOutcome(
  why: string,
  context: FailureContext,
  details: Readonly<Record<string, unknown>> = {},
): IcewrightError {
  return new IcewrightError(
    'EngineOutcomeUnknown',
    `the outcome of Spark operation ${context.operationId} is not known: ${why}; ` +
      'reload the table and look for its commit before running it again',
    { ...details, operationId: context.operationId, sessionId: context.sessionId },
  );
}

/** One exception of the chain, outermost first. */
interface Link {
  readonly classes: readonly string[];
  readonly text: string;
  readonly errorClass: string | null;
  readonly sqlState: string | null;
  readonly parameters: Readonly<Record<string, string>>;
}

function linksOf(failure: Failure, chain: ErrorChain | null): readonly Link[] {
  const errors = chain?.errors ?? [];
  const links: Link[] = [];
  let next: number | undefined = chain?.root_error_idx ?? 0;
  while (next !== undefined && links.length < errors.length) {
    const error: ChainedError | undefined = errors[next];
    if (error === undefined) break;
    links.push({
      classes: error.error_type_hierarchy ?? [],
      text: error.message ?? '',
      errorClass: error.spark_throwable?.error_class || null,
      sqlState: error.spark_throwable?.sql_state || null,
      parameters: error.spark_throwable?.message_parameters ?? {},
    });
    next = error.cause_idx;
  }
  return links.length > 0 ? links : [failure];
}

const TABLE_MISSING = /^(TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND)(\.|$)/;

function codeOf(failure: Failure, links: readonly Link[]): ErrorCode {
  const thrown = links.flatMap((link) => link.classes.slice(0, 1)).join(' ');
  const text = links.map((link) => link.text).join('\n');
  if (/CommitStateUnknownException/.test(thrown + text)) return 'EngineOutcomeUnknown';
  if (isLostPost(links)) return 'EngineOutcomeUnknown';
  if (/SparkContext was shut down|stopped SparkContext/.test(text)) return 'EngineOutcomeUnknown';
  if (/^OPERATION_CANCELED/.test(failure.errorClass ?? '')) return 'Cancelled';
  if (isCredentialsFailure(failure)) return 'CredentialsRejected';
  if (/CommitFailedException/.test(thrown + text)) return 'CommitConflict';
  if (isValidationConflict(links)) return 'CommitConflict';
  if (links.some((link) => TABLE_MISSING.test(link.errorClass ?? ''))) return 'TableNotFound';
  if (/NoSuchTableException/.test(thrown)) return 'TableNotFound';
  return 'EngineRejected';
}

/**
 * The connection to the catalog broke while something was posted. Iceberg does not call that an
 * unknown commit, but it is one.
 */
function isLostPost(links: readonly Link[]): boolean {
  return links.some(
    ({ classes, text }) =>
      classes[0] === 'org.apache.iceberg.exceptions.RESTException' && /\bPOST\b/.test(text),
  );
}

/** Iceberg's own words when a concurrent commit takes away the ground of ours. */
const CONFLICT =
  /conflict|missing (data|required) files|new (position |equality )?delete|Cannot commit|has changed|are deleted/i;

function isValidationConflict(links: readonly Link[]): boolean {
  return links.some(
    (link) =>
      link.classes[0] === 'org.apache.iceberg.exceptions.ValidationException' &&
      CONFLICT.test(link.text),
  );
}

/** Message parameters that name things of the query, not values of rows. */
const HARMLESS = /type|config|suggest|function|operator|name|mode|class|hint/i;

/**
 * SQLSTATE classes 22 and 23 (data exceptions, constraints) quote values of rows, which may be
 * personal data: they are replaced by the name that the value has in Spark's message.
 */
function withoutData(link: Link): string {
  if (!/^2[23]/.test(link.sqlState ?? '')) return link.text;
  const values = Object.entries(link.parameters).filter(([name]) => !HARMLESS.test(name));
  return hideValues(link.text, Object.fromEntries(values), (name) => `<${name}>`);
}

/** Replaces values wherever they stand; short ones only where they stand alone. */
export function hideValues(
  text: string,
  values: Readonly<Record<string, string>>,
  show: (name: string) => string = (name) => `:${name}`,
): string {
  const found = Object.entries(values).filter(([, value]) => value !== '');
  found.sort(([, left], [, right]) => right.length - left.length);
  return found.reduce((hidden, [name, value]) => {
    const literal = value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    const alone = value.length < 4 ? `(?<![\\w])${literal}(?![\\w])` : literal;
    return hidden.replace(new RegExp(alone, 'g'), () => show(name));
  }, text);
}

/** The first line that says something, without the plan and the trace that follow it. */
export function firstLine(text: string): string {
  const line = text.split('\n').find((part) => part.trim() !== '') ?? 'no message';
  const plain = line.replace(/;\s*line \d+ pos \d+;?\s*$/, (place) => place.replace(/;?\s*$/, ''));
  return plain.length > MESSAGE_LIMIT ? `${plain.slice(0, MESSAGE_LIMIT)}…` : plain.trim();
}
