/** settings.json: what the command line and the worker need to find the stack's services. */
import { type Credentials, postgresUrl } from './credentials.ts';
import { readJson, type StackHome, writeJson } from './home.ts';
import type { StackKeys } from './keys.ts';
import { LOOPBACK, type StackPorts } from './ports.ts';

/** Environment variables by name; `src/config.ts` reads them below the process's own. */
export type Settings = Readonly<Record<string, string>>;

/** The one catalog, bucket and region of the embedded stack. */
export const CATALOG_NAME = 'lake';
export const BUCKET = 'lake';
export const REGION = 'us-east-1';
export const WAREHOUSE = `s3://${BUCKET}/`;
export const TEMPORAL_NAMESPACE = 'default';
export const TRINO_USER = 'icewright';

export function buildSettings(
  ports: StackPorts,
  credentials: Credentials,
  keys: StackKeys,
): Settings {
  return {
    ICEWRIGHT_TEMPORAL_ADDRESS: `${LOOPBACK}:${ports.temporal}`,
    ICEWRIGHT_TEMPORAL_NAMESPACE: TEMPORAL_NAMESPACE,
    ICEWRIGHT_TEMPORAL_UI_URL: `http://${LOOPBACK}:${ports.temporalUi}`,
    ICEWRIGHT_SPARK_URL: `sc://${LOOPBACK}:${ports.spark}/;token=${credentials.sparkToken}`,
    ICEWRIGHT_TRINO_URL: `http://${LOOPBACK}:${ports.trino}`,
    ICEWRIGHT_TRINO_USER: TRINO_USER,
    ICEWRIGHT_CATALOG_NAME: CATALOG_NAME,
    ICEWRIGHT_CATALOG_URL: `http://${LOOPBACK}:${ports.catalog}`,
    ICEWRIGHT_CATALOG_TOKEN: credentials.catalogToken,
    ICEWRIGHT_CATALOG_WAREHOUSE: WAREHOUSE,
    ICEWRIGHT_S3_ENDPOINT: `http://${LOOPBACK}:${ports.s3}`,
    ICEWRIGHT_S3_REGION: REGION,
    ICEWRIGHT_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    ICEWRIGHT_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ICEWRIGHT_S3_PATH_STYLE: 'true',
    ICEWRIGHT_LEDGER_URL: postgresUrl(credentials, ports, 'icewright'),
    ICEWRIGHT_SHOP_URL: postgresUrl(credentials, ports, 'shop'),
    ICEWRIGHT_SOURCE_SHOP_URL: postgresUrl(credentials, ports, 'shop'),
    ICEWRIGHT_HTTP_ADDRESS: `${LOOPBACK}:${ports.http}`,
    ICEWRIGHT_PSEUDONYM_KEY: credentials.pseudonymKey,
    ICEWRIGHT_ERASURE_KEYS_FILE: keys.encryptionFile,
    ICEWRIGHT_SIGNING_KEY_FILE: keys.signingFile,
    ICEWRIGHT_SUBJECT_HASH_KEY: keys.subjectHashKey,
    // All people of the demonstration are one account.
    ICEWRIGHT_ERASURE_TRUST_BY: 'true',
  };
}

/** Writes the file with mode 600; an equal file is left as it is. */
export function writeSettings(home: StackHome, settings: Settings): void {
  const kept = readJson<Settings>(home.settings);
  if (JSON.stringify(kept) !== JSON.stringify(settings)) writeJson(home.settings, settings);
}
