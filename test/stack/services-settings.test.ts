import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { openValues, sealValues } from '../../src/proof/keyring.ts';
import { openKeys } from '../../src/proof/keys.ts';
import { ensureCredentials } from '../../stack/credentials.ts';
import { createHome, resolveHome, type StackHome } from '../../stack/home.ts';
import { ensureKeys } from '../../stack/keys.ts';
import { DEFAULT_PORTS } from '../../stack/ports.ts';
import { countEndings, restartDelayMs, STABLE_MS } from '../../stack/services/backoff.ts';
import { renderTemplate } from '../../stack/services/environment.ts';
import { parseConf } from '../../stack/services/spark.ts';
import { buildSettings, writeSettings } from '../../stack/settings.ts';
import { describeStack } from '../../stack/status.ts';
import { temporaryHome } from './services-fixture.ts';

let home: StackHome;

beforeEach(() => {
  home = temporaryHome();
  createHome(home);
});

afterEach(() => rmSync(home.root, { recursive: true, force: true }));

const modeOf = (path: string) => (statSync(path).mode & 0o777).toString(8);

describe('credentials', () => {
  it('are made once, differ between homes, and are for the owner only', () => {
    const first = ensureCredentials(home);
    expect(ensureCredentials(home)).toEqual(first);
    expect(modeOf(home.credentials)).toBe('600');
    expect(modeOf(home.run)).toBe('700');
    expect(first.pseudonymKey).toMatch(/^[0-9a-f]{64}$/);
    const other = temporaryHome();
    mkdirSync(other.root, { recursive: true });
    const values = Object.entries(ensureCredentials(other)).filter(
      ([key]) => key !== 'postgresUser',
    );
    for (const [key, value] of values) expect(first).not.toHaveProperty(key, value);
    rmSync(other.root, { recursive: true, force: true });
  });

  it('keep what is there when a newer version needs one more', () => {
    writeFileSync(home.credentials, JSON.stringify({ catalogToken: 'kept' }));
    const completed = ensureCredentials(home);
    expect(completed.catalogToken).toBe('kept');
    expect(completed.sparkToken).not.toBe('');
    expect(ensureCredentials(home)).toEqual(completed);
  });
});

describe('the keys of erasure', () => {
  it('are made once, differ between homes, and are for the owner only', () => {
    const first = ensureKeys(home);
    const texts = () => readdirSync(home.keys).map((name) => readKey(home, name));
    const before = texts();
    expect(before).toHaveLength(3);
    expect(ensureKeys(home)).toEqual(first);
    expect(texts()).toEqual(before);
    expect(modeOf(home.keys)).toBe('700');
    for (const name of readdirSync(home.keys)) expect(modeOf(join(home.keys, name))).toBe('600');
    const other = temporaryHome();
    ensureKeys(other);
    for (const name of readdirSync(other.keys)) expect(before).not.toContain(readKey(other, name));
    rmSync(other.root, { recursive: true, force: true });
  });

  it('are not among what `stack status` prints', () => {
    ensureCredentials(home);
    const { subjectHashKey } = ensureKeys(home);
    writeFileSync(home.config, JSON.stringify({ ports: DEFAULT_PORTS }));
    const printed = JSON.stringify(describeStack(home));
    expect(printed).toContain('accessKeyId');
    expect(printed).not.toContain(subjectHashKey);
    expect(printed).not.toMatch(/PRIVATE|keys/);
  });
});

const readKey = (of: StackHome, name: string) => readFileSync(join(of.keys, name), 'utf8');

describe('settings', () => {
  it('are a configuration that the command line and the worker accept', () => {
    const credentials = ensureCredentials(home);
    const ports = { ...DEFAULT_PORTS, trino: 18080 };
    writeSettings(home, buildSettings(ports, credentials, ensureKeys(home)));
    expect(modeOf(home.settings)).toBe('600');
    const config = readConfig({ ICEWRIGHT_HOME: home.root });
    expect(config.trino.url).toBe('http://127.0.0.1:18080');
    expect(config.spark.url).toBe(`sc://127.0.0.1:15002/;token=${credentials.sparkToken}`);
    expect(config.catalog).toMatchObject({ name: 'lake', token: credentials.catalogToken });
    expect(config.storage.secretAccessKey).toBe(credentials.secretAccessKey);
    expect(config.pseudonymKey).toBe(credentials.pseudonymKey);
    const keys = openKeys(config.erasure);
    expect(keys.publicKeys().size).toBe(1);
    const sealed = sealValues(keys.keyring(), 'e1', { customer_id: ['42'] });
    expect(openValues(keys.keyring(), 'e1', sealed)).toEqual({ customer_id: ['42'] });
    expect(keys.hasher().hash('customer', 'customer_id', '42')).toMatch(/^[0-9a-f]{64}$/);
  });

  it('lie where ICEWRIGHT_HOME says', () => {
    expect(resolveHome({ ICEWRIGHT_HOME: home.root })).toBe(home.root);
    expect(resolveHome({})).toBe(resolveHome({ ICEWRIGHT_HOME: '' }));
    expect(resolveHome({})).toMatch(/[/\\]\.icewright$/);
    expect(home.settings).toBe(join(home.root, 'settings.json'));
  });
});

describe('settings templates', () => {
  it('are filled in completely or not at all', () => {
    expect(renderTemplate(`a=\${ENV:ONE},\${ENV:TWO}`, { ONE: '1', TWO: '$&' })).toBe('a=1,$&');
    expect(() => renderTemplate(`a=\${ENV:ONE}`, {})).toThrow(/asks for ONE/);
  });

  it('of Spark are read like its own file', () => {
    expect(parseConf('# note\n\nspark.a   1\n spark.b  two words \n')).toEqual([
      ['spark.a', '1'],
      ['spark.b', 'two words'],
    ]);
  });
});

describe('restarts', () => {
  it('wait twice as long each time, up to a cap', () => {
    expect([1, 2, 3, 4].map(restartDelayMs)).toEqual([250, 500, 1000, 2000]);
    expect(restartDelayMs(1000)).toBe(30_000);
  });

  it('start over after a service has served for long', () => {
    expect(countEndings(5, STABLE_MS - 1)).toBe(6);
    expect(countEndings(5, STABLE_MS)).toBe(1);
  });
});
