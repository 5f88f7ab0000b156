/** The stack's secrets: made at the first start, kept for its life, mode 600. */
import { randomBytes } from 'node:crypto';
import { describeHome, readJson, type StackHome, writeJson } from './home.ts';
import { LOOPBACK, type StackPorts } from './ports.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly postgresUser: string;
  readonly postgresPassword: string;
  readonly catalogToken: string;
  readonly sparkToken: string;
  /** 32 bytes in hex: the key of the pseudonyms. A lost key cannot be made again. */
  readonly pseudonymKey: string;
}

/** Databases of the one PostgreSQL server: the ledger, the REST catalog's own, the source shop. */
export const DATABASES = ['icewright', 'catalog', 'shop'] as const;
export type DatabaseName = (typeof DATABASES)[number];

/** The kept credentials; those that are missing (first start, newer version) are made. */
export function ensureCredentials(home: StackHome): Credentials {
  const kept = readJson<Partial<Credentials>>(home.credentials) ?? {};
  const credentials: Credentials = {
    accessKeyId: `icewright${randomBytes(6).toString('hex')}`,
    secretAccessKey: randomBytes(20).toString('hex'),
    postgresUser: 'icewright',
    postgresPassword: randomBytes(16).toString('hex'),
    catalogToken: randomBytes(24).toString('hex'),
    sparkToken: randomBytes(24).toString('hex'),
    pseudonymKey: randomBytes(32).toString('hex'),
    ...kept,
  };
  if (Object.keys(credentials).length !== Object.keys(kept).length) {
    writeJson(home.credentials, credentials);
  }
  return credentials;
}

/** The kept credentials, or undefined before the first start. */
export function readCredentials(home: string): Credentials | undefined {
  return readJson<Credentials>(describeHome(home).credentials);
}

/** An address that clients of PostgreSQL understand, password included. */
export function postgresUrl(
  credentials: Credentials,
  ports: StackPorts,
  database: DatabaseName,
): string {
  const { postgresUser, postgresPassword } = credentials;
  return `postgres://${postgresUser}:${postgresPassword}@${LOOPBACK}:${ports.postgres}/${database}`;
}
