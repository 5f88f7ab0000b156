/** docker-compose.yml describes the embedded stack: same versions, ports, settings, and room. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/config.ts';
import { composeEnvironment } from '../../stack/compose/main.ts';
import { KEY_FILES } from '../../stack/keys.ts';
import pins from '../../stack/pins.json' with { type: 'json' };
import knownPorts from '../../stack/ports.json' with { type: 'json' };
import { DEFAULT_PORTS } from '../../stack/ports.ts';
import { renderTemplate } from '../../stack/services/environment.ts';

interface ComposeService {
  readonly image: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly mem_limit?: string;
}

const ROOT = join(import.meta.dirname, '..', '..');
const text = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8');
const { services } = parse(text, { merge: true }) as {
  readonly services: Readonly<Record<string, ComposeService>>;
};
const all = Object.entries(services);

const ENVIRONMENT = Object.fromEntries(
  composeEnvironment(
    {
      accessKeyId: 'key',
      secretAccessKey: 'secret',
      postgresUser: 'icewright',
      postgresPassword: 'password',
      catalogToken: 'catalog-token',
      sparkToken: 'spark-token',
      pseudonymKey: '0'.repeat(64),
    },
    DEFAULT_PORTS,
    {
      encryptionFile: '/keys-of-home/encryption.keys',
      signingFile: '/keys-of-home/signing.pem',
      subjectHashKey: '1'.repeat(64),
    },
  )
    .trim()
    .split('\n')
    .map((line) => line.split('=') as [string, string]),
);

/** `${NAME}`, `${NAME:-default}` and `${NAME:?message}`, as Compose replaces them. */
function substitute(value: string): string {
  return value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, kind, rest) => {
    const given = ENVIRONMENT[name] ?? (kind === '-' ? rest : undefined);
    if (given === undefined) throw new Error(`compose.env gives no ${name}`);
    return given;
  });
}

function environmentOf(name: string): Record<string, string> {
  const given = Object.entries(services[name]?.environment ?? {});
  return Object.fromEntries(given.map(([key, value]) => [key, substitute(value)]));
}

describe('docker-compose.yml', () => {
  it('runs the pinned images', () => {
    const images = Object.fromEntries(all.map(([name, { image }]) => [name, image]));
    expect(images).toEqual({
      postgres: pins.postgres.image,
      temporal: pins.temporal.image,
      'temporal-ui': pins.temporal.uiImage,
      minio: pins.minio.image,
      bucket: pins.minio.clientImage,
      catalog: pins.catalog.image,
      trino: pins.trino.image,
      spark: pins.spark.image,
      worker: pins.node.image,
      prometheus: pins.prometheus.image,
      grafana: pins.grafana.image,
    });
  });

  it('gives Spark the pinned Iceberg', () => {
    const { line, scala, iceberg } = pins.spark;
    expect(services.spark?.environment?.ICEWRIGHT_SPARK_PACKAGES?.split(',')).toEqual([
      `org.apache.iceberg:iceberg-spark-runtime-${line}_${scala}:${iceberg}`,
      `org.apache.iceberg:iceberg-aws-bundle:${iceberg}`,
    ]);
  });

  it('publishes on loopback only, on the known ports and under their variables', () => {
    const published = all.flatMap(([, { ports = [] }]) => ports);
    const shape = /^127\.0\.0\.1:\$\{(ICEWRIGHT_\w+_PORT):-(\d+)\}:\d+$/;
    expect(published.filter((one) => !shape.test(one))).toEqual([]);
    const found = published.map((one) => shape.exec(one)?.slice(1).join('='));
    for (const { port, variable } of Object.values(knownPorts)) {
      expect(found).toContain(`${variable}=${port}`);
    }
    expect(new Set(found).size).toBe(found.length);
  });

  it('knows whether each service serves, and waits for what each needs', () => {
    const blind = all.filter(([, one]) => one.healthcheck === undefined).map(([name]) => name);
    // It ends when its work is done.
    expect(blind).toEqual(['bucket']);
    for (const [name, { depends_on = {} }] of all) {
      for (const [need, { condition }] of Object.entries(depends_on)) {
        const expected = need === 'bucket' ? 'service_completed_successfully' : 'service_healthy';
        expect(`${name} → ${need}: ${condition}`).toBe(`${name} → ${need}: ${expected}`);
      }
    }
  });

  it('mounts only what is there', () => {
    const mounted = all
      .flatMap(([, { volumes = [] }]) => volumes)
      .filter((one) => one.startsWith('.'))
      .map((one) => one.split(':')[0] ?? '');
    expect(mounted.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  });

  it('fits 8 GiB together', () => {
    const megabytes = all.map(([name, { mem_limit = '' }]) => {
      const [, size, unit] = /^(\d+)([mg])$/.exec(mem_limit) ?? [];
      if (size === undefined) throw new Error(`${name} has no limit`);
      return Number(size) * (unit === 'g' ? 1024 : 1);
    });
    expect(megabytes.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(8 * 1024);
  });

  it('asks for no variable that compose.env does not give, save the optional ones', () => {
    expect(() => substitute(text)).not.toThrow();
  });

  it('gives the settings files of Trino and Spark every value that they ask for', () => {
    const etc = join(ROOT, 'stack', 'trino', 'etc');
    const files = readdirSync(etc, { recursive: true, encoding: 'utf8' });
    for (const file of files.filter((name) => name.endsWith('.properties'))) {
      const template = readFileSync(join(etc, file), 'utf8');
      expect(renderTemplate(template, environmentOf('trino'))).not.toContain('${ENV:');
    }
    const conf = readFileSync(join(ROOT, 'stack', 'spark', 'spark-defaults.conf'), 'utf8');
    expect(renderTemplate(conf, environmentOf('spark'))).not.toContain('${ENV:');
  });

  it('gives the worker a configuration that it accepts', () => {
    const config = readConfig({ ICEWRIGHT_HOME: '/nowhere', ...environmentOf('worker') });
    expect(config.temporal.address).toBe('temporal:7233');
    expect(config.spark.url).toBe('sc://spark:15002/;token=spark-token');
    expect(config.ledgerUrl).toBe('postgres://icewright:password@postgres:5432/icewright');
    expect(config.storage.endpoint).toBe('http://minio:9000');
    expect(config.erasure).toEqual({
      keys: undefined,
      keysFile: `/keys/${KEY_FILES.encryption}`,
      signingKeyFile: `/keys/${KEY_FILES.signing}`,
      trustBy: false,
      subjectHashKey: '1'.repeat(64),
    });
    expect(services.worker?.volumes).toContainEqual(expect.stringMatching(/:\/keys:ro$/));
  });
});
