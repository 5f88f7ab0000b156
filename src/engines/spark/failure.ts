/** What a failed call says: gRPC's status and, from Spark, its error class. */
import { type ServiceError, status } from '@grpc/grpc-js';
import { decodeErrorInfo, decodeStatus } from './wire.ts';

/** A failed call, read once. */
export interface Failure {
  /** gRPC status code. */
  readonly code: number;
  /** The server's text, whole. */
  readonly text: string;
  /** `true`: Spark itself answered (not a proxy, not the network). */
  readonly fromSpark: boolean;
  /**
   * Spark's condition, for example `TABLE_OR_VIEW_NOT_FOUND` or `INVALID_HANDLE.SESSION_CLOSED`.
   */
  readonly errorClass: string | null;
  readonly sqlState: string | null;
  /** Under which Spark keeps the whole chain of causes for a while. */
  readonly errorId: string | null;
  /** Java class of the exception and its parents. */
  readonly classes: readonly string[];
  readonly parameters: Readonly<Record<string, string>>;
}

/** Reads any rejection of a call; what is no gRPC error is thrown on. */
export function readFailure(error: unknown): Failure {
  if (!isServiceError(error)) throw error;
  const metadata = sparkMetadata(error);
  return {
    code: error.code,
    text: error.details || error.message,
    fromSpark: metadata !== null,
    errorClass: metadata?.errorClass ?? classInText(error.details),
    sqlState: metadata?.sqlState ?? null,
    errorId: metadata?.errorId ?? null,
    classes: parseJson(metadata?.classes, []),
    parameters: parseJson(metadata?.messageParameters, {}),
  };
}

/**
 * The connection (or a proxy on it) failed, not the statement. Also when Spark gave the stream to
 * somebody else who attached after us: attaching again gets it back.
 */
export function isLostConnection(failure: Failure): boolean {
  if (failure.errorClass === 'INVALID_CURSOR.DISCONNECTED') return true;
  if (failure.fromSpark) return false;
  return LOST.has(failure.code);
}

/** The server did not accept who we are. */
export function isCredentialsFailure(failure: Failure): boolean {
  return failure.code === status.UNAUTHENTICATED || failure.code === status.PERMISSION_DENIED;
}

const LOST: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.UNKNOWN,
  status.INTERNAL,
  status.DEADLINE_EXCEEDED,
  status.ABORTED,
]);

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'metadata' in error;
}

function sparkMetadata(error: ServiceError): Readonly<Record<string, string>> | null {
  const bytes = error.metadata?.get('grpc-status-details-bin')[0];
  if (!Buffer.isBuffer(bytes)) return null;
  for (const detail of decodeStatus(bytes).details ?? []) {
    if (!detail.type_url.endsWith('/google.rpc.ErrorInfo')) continue;
    return decodeErrorInfo(detail.value).metadata ?? {};
  }
  return null;
}

/**
 * Spark leaves the class out of the metadata when its parameters are long; the text begins with
 * it.
 */
function classInText(text: string | undefined): string | null {
  return /^\[([A-Z][A-Z0-9_.]+)\]/.exec(text ?? '')?.[1] ?? null;
}

function parseJson<T>(text: string | undefined, otherwise: T): T {
  try {
    return text === undefined ? otherwise : (JSON.parse(text) as T);
  } catch {
    return otherwise;
  }
}
