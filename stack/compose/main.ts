/**
 * Beside `docker compose`: what the containers and the command line must agree on.
 *
 *   prepare    makes the credentials, compose.env and settings.json (mode 600) in the home folder
 *   seed       opens the shop in the containers' PostgreSQL
 *
 * The home folder is `ICEWRIGHT_HOME`, by default `.icewright-compose` in the checkout: beside the
 * embedded stack's, with credentials of its own.
 */
import { dirname, join } from 'node:path';
import { type Credentials, ensureCredentials, postgresUrl } from '../credentials.ts';
import { createHome, describeHome, PROJECT_DIR, resolveHome, writePrivate } from '../home.ts';
import { ensureKeys, type StackKeys } from '../keys.ts';
import { PORT_NAMES, PORT_VARIABLES, readPorts, type StackPorts } from '../ports.ts';
import { buildSettings, writeSettings } from '../settings.ts';
import { seedShop } from '../shop/seed.ts';

/** The embedded stack's shop has the same. */
const SHOP_SEED = 1;

const home = describeHome(
  process.env.ICEWRIGHT_HOME ? resolveHome() : join(PROJECT_DIR, '.icewright-compose'),
);

/** What docker-compose.yml asks for, as `NAME=value` lines. */
export function composeEnvironment(
  credentials: Credentials,
  ports: StackPorts,
  keys: StackKeys,
): string {
  const variables = {
    ICEWRIGHT_POSTGRES_USER: credentials.postgresUser,
    ICEWRIGHT_POSTGRES_PASSWORD: credentials.postgresPassword,
    ICEWRIGHT_S3_ACCESS_KEY_ID: credentials.accessKeyId,
    ICEWRIGHT_S3_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ICEWRIGHT_CATALOG_TOKEN: credentials.catalogToken,
    ICEWRIGHT_SPARK_TOKEN: credentials.sparkToken,
    ICEWRIGHT_PSEUDONYM_KEY: credentials.pseudonymKey,
    ICEWRIGHT_KEYS_FOLDER: dirname(keys.signingFile),
    ICEWRIGHT_SUBJECT_HASH_KEY: keys.subjectHashKey,
    ...Object.fromEntries(PORT_NAMES.map((name) => [PORT_VARIABLES[name], String(ports[name])])),
  };
  const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}`);
  return `${lines.join('\n')}\n`;
}

function prepare(): void {
  createHome(home);
  const credentials = ensureCredentials(home);
  const ports = readPorts();
  const keys = ensureKeys(home);
  const path = join(home.root, 'compose.env');
  writePrivate(path, composeEnvironment(credentials, ports, keys));
  writeSettings(home, buildSettings(ports, credentials, keys));
  process.stdout.write(`docker compose --env-file ${path} up --detach --wait\n`);
}

async function seed(): Promise<void> {
  const url = postgresUrl(ensureCredentials(home), readPorts(), 'shop');
  const { seeded } = await seedShop(url, { seed: SHOP_SEED });
  process.stdout.write(seeded ? 'the shop is open\n' : 'the shop was open already\n');
}

if (import.meta.main) {
  const verb = process.argv[2];
  if (verb === 'prepare') prepare();
  else if (verb === 'seed') await seed();
  else {
    process.stderr.write('usage: stack/compose/main.ts prepare|seed\n');
    process.exitCode = 2;
  }
}
