import { IcewrightError } from '../domain/errors.ts';

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchBucket', 'NoSuchVersion']);
const REFUSED = new Set([
  'AccessDenied',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'ExpiredToken',
  'CredentialsProviderError',
]);

/** Turns what the SDK throws into ours, naming the object and the store. */
export function storageError(cause: unknown, uri: string, where: string): IcewrightError {
  if (cause instanceof IcewrightError) return cause;
  const error = cause as SdkError;
  const name = error.name ?? 'Error';
  const status = error.$metadata?.httpStatusCode;
  const details = { uri, store: where, error: name, ...(status === undefined ? {} : { status }) };
  const why = [error.code, error.message].filter(Boolean).join(' ') || name;
  if (name === 'ObjectTooLarge') {
    return new IcewrightError('SafetyRefused', `${uri} is not read: ${why}`, details, cause);
  }
  if (MISSING.has(name) || status === 404) {
    const message = `${uri} is not there (object store ${where}: ${name})`;
    return new IcewrightError('InvariantBroken', message, { ...details, missing: true }, cause);
  }
  if (REFUSED.has(name) || status === 401 || status === 403) {
    const told = `object store ${where} refused ${uri}: ${name}`;
    const message = `${told}; check the keys and their rights`;
    return new IcewrightError('CredentialsRejected', message, details, cause);
  }
  const message = `object store ${where} cannot be used for ${uri}: ${why}`;
  return new IcewrightError('StorageUnavailable', message, details, cause);
}
