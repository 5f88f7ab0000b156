/** Iceberg's REST catalog servlet behind our launcher, its tables' pointers in PostgreSQL. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { IcewrightError } from '../../src/domain/errors.ts';
import { PROJECT_DIR, writePrivate } from '../home.ts';
import { LOOPBACK } from '../ports.ts';
import { CATALOG_NAME } from '../settings.ts';
import { javaTool, serviceEnvironment } from './environment.ts';
import { probeHttp } from './probe.ts';
import type { Service, StackContext } from './service.ts';

/** Half of `max_connections` would do for hundreds of clients; the catalog's default is 2. */
const JDBC_CONNECTIONS = 8;

export function buildCatalog(context: StackContext): Service {
  const { home, ports, parts, versions } = context;
  const url = `http://${LOOPBACK}:${ports.catalog}`;
  return {
    name: 'catalog',
    version: versions.catalog,
    endpoint: url,
    ports: ['catalog'],
    needs: ['postgres', 'minio'],
    readyTimeoutMs: 120_000,
    stop: { signal: 'SIGTERM', timeoutMs: 5_000, rank: 2 },
    prepare: async () => {
      const classes = await compileLauncher(context);
      const properties = join(home.run, 'catalog.properties');
      writePrivate(properties, catalogProperties(context));
      return {
        file: javaTool(parts.javaForSpark, 'java'),
        args: [
          ...[
            '-Xmx256m',
            '-XX:+UseSerialGC',
            '-XX:TieredStopAtLevel=4',
            '-XX:+ExitOnOutOfMemoryError',
          ],
          '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
          ...['-cp', `${classes}:${parts.catalogClasspath}`, 'Launcher', properties],
        ],
        env: serviceEnvironment({ AWS_EC2_METADATA_DISABLED: 'true' }),
        cwd: home.run,
      };
    },
    probe: () => probeHttp(`${url}/health`),
  };
}

/** Compiled once per source and class path: starting from source costs seconds each time. */
async function compileLauncher({ home, parts }: StackContext): Promise<string> {
  const source = join(PROJECT_DIR, 'stack', 'catalog', 'Launcher.java');
  const digest = createHash('sha256')
    .update(await readFile(source))
    .update(parts.catalogClasspath)
    .digest('hex');
  const target = join(home.run, 'catalog-classes', digest.slice(0, 16));
  if (existsSync(target)) return target;
  const draft = `${target}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true });
  const javac = javaTool(parts.javaForSpark, 'javac');
  const args = ['-proc:none', '-d', draft, '-cp', parts.catalogClasspath, source];
  try {
    await promisify(execFile)(javac, args, { env: serviceEnvironment() });
  } catch (error) {
    const told = (error as { stderr?: string }).stderr ?? String(error);
    throw new IcewrightError('StackFailed', `cannot compile ${source} with ${javac}:\n${told}`);
  }
  await rename(draft, target);
  return target;
}

function catalogProperties({ ports, credentials, settings }: StackContext): string {
  const properties = {
    'listen.host': LOOPBACK,
    'listen.port': ports.catalog,
    'listen.token': credentials.catalogToken,
    'catalog.name': CATALOG_NAME,
    'catalog-impl': 'org.apache.iceberg.jdbc.JdbcCatalog',
    uri: `jdbc:postgresql://${LOOPBACK}:${ports.postgres}/catalog`,
    'jdbc.user': credentials.postgresUser,
    'jdbc.password': credentials.postgresPassword,
    'jdbc.schema-version': 'V1',
    clients: JDBC_CONNECTIONS,
    warehouse: settings.ICEWRIGHT_CATALOG_WAREHOUSE,
    'io-impl': 'org.apache.iceberg.aws.s3.S3FileIO',
    's3.endpoint': settings.ICEWRIGHT_S3_ENDPOINT,
    's3.path-style-access': true,
    's3.access-key-id': credentials.accessKeyId,
    's3.secret-access-key': credentials.secretAccessKey,
    'client.region': settings.ICEWRIGHT_S3_REGION,
  };
  return `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join('\n')}\n`;
}
