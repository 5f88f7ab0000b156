/** Histories are recorded from stacks that encrypt, and replayed by those without their keys. */
import type { DataConverter, Payload } from '@temporalio/common';

interface PayloadJson {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data?: string;
}

/** A history as JSON with every payload in clear, wherever it stands. */
export async function decryptHistory(json: unknown, keys: DataConverter | null): Promise<unknown> {
  if (Array.isArray(json)) return Promise.all(json.map((one) => decryptHistory(one, keys)));
  if (typeof json !== 'object' || json === null) return json;
  if (isPayload(json)) return payloadToJson(await decrypt(payloadOf(json), keys));
  const members = Object.entries(json).map(async ([name, value]) => [
    name,
    await decryptHistory(value, keys),
  ]);
  return Object.fromEntries(await Promise.all(members));
}

async function decrypt(payload: Payload, keys: DataConverter | null): Promise<Payload> {
  let [clear] = [payload];
  for (const codec of keys?.payloadCodecs ?? []) [clear = payload] = await codec.decode([clear]);
  return clear;
}

function isPayload(value: object): value is PayloadJson {
  const { metadata } = value as Partial<PayloadJson>;
  return typeof metadata?.encoding === 'string';
}

function payloadOf({ metadata, data }: PayloadJson): Payload {
  const entries = Object.entries(metadata).map(([name, text]) => [name, bytesOf(text)]);
  return { metadata: Object.fromEntries(entries), data: bytesOf(data ?? '') };
}

function payloadToJson({ metadata, data }: Payload): PayloadJson {
  const entries = Object.entries(metadata ?? {}).map(([name, bytes]) => [name, textOf(bytes)]);
  return { metadata: Object.fromEntries(entries), data: textOf(data) };
}

function bytesOf(base64: string): Uint8Array {
  return Buffer.from(base64, 'base64');
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString('base64');
}
