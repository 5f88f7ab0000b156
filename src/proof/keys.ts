/** The keys of erasure, read when they are first needed: whoever never erases needs none. */
import { readFileSync } from 'node:fs';
import type { Sealer, SubjectHasher } from '../activities/erasure-ports.ts';
import { IcewrightError } from '../domain/errors.ts';
import { type Keyring, readKeyring } from './keyring.ts';
import { type PublicKeys, readSigningKeys, type SigningKeys } from './sign.ts';
import { createSubjectHasher } from './subject-hash.ts';

/** As the configuration has them; `undefined`: not set. */
export interface KeySources {
  /** `id:hex,id:hex` */
  readonly keys: string | undefined;
  /** A file of the same; its keys come after those of `keys`. */
  readonly keysFile: string | undefined;
  /** PEM, Ed25519. */
  readonly signingKeyFile: string | undefined;
  /** 32 bytes in hex. */
  readonly subjectHashKey: string | undefined;
}

/** Every call throws `ConfigInvalid` when its key is not configured or cannot be read. */
export interface ErasureKeys {
  keyring(): Keyring;
  sealer(): Sealer;
  /** Whose signatures are believed. */
  publicKeys(): PublicKeys;
  hasher(): SubjectHasher;
}

export function openKeys(sources: KeySources): ErasureKeys {
  const signing = once(() => readSigning(sources));
  return {
    keyring: once(() => {
      const keyring = findKeyring(sources);
      if (keyring !== null) return keyring;
      throw notConfigured('ICEWRIGHT_ERASURE_KEYS or ICEWRIGHT_ERASURE_KEYS_FILE', 'encryption');
    }),
    sealer: () => {
      const { sealer } = signing();
      if (sealer !== null) return sealer;
      const why = 'it holds public keys only, which verify and do not sign';
      throw new IcewrightError('ConfigInvalid', `${sources.signingKeyFile}: ${why}`);
    },
    publicKeys: () => signing().publicKeys,
    hasher: once(() => {
      const { subjectHashKey } = sources;
      if (subjectHashKey !== undefined) return createSubjectHasher(subjectHashKey);
      throw notConfigured('ICEWRIGHT_SUBJECT_HASH_KEY', 'hash');
    }),
  };
}

/** `null`: none is configured. Throws `ConfigInvalid`. */
export function findKeyring({
  keys,
  keysFile,
}: Pick<KeySources, 'keys' | 'keysFile'>): Keyring | null {
  if (keys === undefined && keysFile === undefined) return null;
  const fromFile = keysFile === undefined ? '' : readKeyFile(keysFile);
  const origins = [
    ...(keys === undefined ? [] : ['ICEWRIGHT_ERASURE_KEYS']),
    ...(keysFile === undefined ? [] : [keysFile]),
  ];
  return readKeyring(`${keys ?? ''}\n${fromFile}`, origins.join(' and '));
}

function readSigning({ signingKeyFile }: KeySources): SigningKeys {
  if (signingKeyFile === undefined) throw notConfigured('ICEWRIGHT_SIGNING_KEY_FILE', 'signing');
  return readSigningKeys(readKeyFile(signingKeyFile), signingKeyFile);
}

/** A key file's text. @throws IcewrightError `ConfigInvalid` */
export function readKeyFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    throw new IcewrightError('ConfigInvalid', `the key file ${path} cannot be read (${why})`);
  }
}

function notConfigured(variable: string, kind: string): IcewrightError {
  return new IcewrightError(
    'ConfigInvalid',
    `erasure needs a ${kind} key and none is configured: set ${variable}`,
    { variable },
  );
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
