/**
 * Encrypts what Temporal stores of our arguments, results, failures, memos and summaries, for
 * predicates and texts of engines may hold a person's data. Ids, types, queues and search
 * attributes stay readable, and hold none.
 */
import { fileURLToPath } from 'node:url';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { IcewrightError } from '../domain/errors.ts';
import type { Keyring } from '../proof/keyring.ts';
import { findKeyring, type KeySources } from '../proof/keys.ts';

export type PayloadKeys = Pick<KeySources, 'keys' | 'keysFile'>;

export const FAILURE_CONVERTER = fileURLToPath(new URL('./failure-converter.ts', import.meta.url));

const PROTO = proto.temporal.api.common.v1.Payload;
/** The name that Temporal's own examples use; its tools recognise it. */
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const CONTEXT = 'temporal payload';

/** For clients and workers alike; `null`: no keys are configured, payloads stay in clear. */
export function openDataConverter(keys: PayloadKeys | undefined): DataConverter | null {
  const keyring = keys === undefined ? null : findKeyring(keys);
  if (keyring === null) return null;
  return {
    payloadCodecs: [createPayloadCodec(keyring)],
    failureConverterPath: FAILURE_CONVERTER,
  };
}

/** Reads what is not encrypted as it is: histories from before there were keys go on. */
export function createPayloadCodec(keyring: Keyring): PayloadCodec {
  return {
    encode: async (payloads) => payloads.map((one) => encrypt(keyring, one)),
    decode: async (payloads) => payloads.map((one) => decrypt(keyring, one)),
  };
}

function encrypt(keyring: Keyring, payload: Payload): Payload {
  const plain = PROTO.encode(payload).finish();
  const { keyId, bytes } = keyring.encrypt('payload', plain, CONTEXT);
  return {
    metadata: {
      encoding: Buffer.from(ENCODING),
      'encryption-cipher': Buffer.from('AES-256-GCM'),
      [KEY_ID]: Buffer.from(keyId),
    },
    data: bytes,
  };
}

function decrypt(keyring: Keyring, payload: Payload): Payload {
  if (textOf(payload.metadata?.encoding) !== ENCODING) return payload;
  const keyId = textOf(payload.metadata?.[KEY_ID]);
  if (keyId === null || !payload.data) {
    throw new IcewrightError('Internal', 'an encrypted payload does not name its key');
  }
  return PROTO.decode(keyring.decrypt('payload', { keyId, bytes: payload.data }, CONTEXT));
}

function textOf(bytes: Uint8Array | null | undefined): string | null {
  return bytes ? Buffer.from(bytes).toString('utf8') : null;
}
