/** Provisioning as a whole: what is there afterwards, what a second call does, how it fails. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ensureParts, ensureTemporal } from '../../stack/provision/parts.ts';
import { PINS } from '../../stack/provision/pins.ts';
import { identifyProcess } from '../../stack/services/process-identity.ts';
import {
  MAVEN_RESOLVES,
  openWorkshop,
  packTrino,
  readPids,
  type Workshop,
} from './provision-fixture.ts';

let workshop: Workshop;

beforeEach(async () => {
  workshop = openWorkshop();
  await packTrino(workshop.root);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(workshop.root, { recursive: true, force: true });
});

const silent = () => {};

describe('ensureParts', () => {
  it('yields every part, at the pinned versions', async () => {
    const parts = await ensureParts(silent);
    const read = (path: string) => readFileSync(path, 'utf8');
    expect(read(parts.temporal)).toBe(`program ${PINS.temporal.module}@v${PINS.temporal.version}`);
    expect(read(parts.minio)).toBe(`program ${PINS.minio.module}@v${PINS.minio.version}`);
    const jars = ['one.jar', 'two.jar'].map((jar) => join(workshop.root, jar)).join(':');
    expect([parts.sparkClasspath, parts.catalogClasspath]).toEqual([jars, jars]);
    expect(parts.javaForSpark).toBe(join(workshop.root, 'jdk-17'));
    expect(parts.javaForTrino).toBe(join(workshop.root, 'jdk-25'));
  });

  it('keeps only the pinned plugins of Trino, with the jars they share with others', async () => {
    const { trinoHome } = await ensureParts(silent);
    expect(readdirSync(join(trinoHome, 'plugin')).sort()).toEqual([...PINS.trino.plugins].sort());
    for (const plugin of PINS.trino.plugins) {
      expect(readFileSync(join(trinoHome, 'plugin', plugin, 'shared.jar'), 'utf8')).toBe('jar\n');
    }
  });

  it('starts no process and says nothing when all is there', async () => {
    const first = await ensureParts(silent);
    const started = [workshop.count('go'), workshop.count('mvn')];
    vi.stubEnv('PATH', '/nowhere');
    const told: string[] = [];
    expect(await ensureParts((line) => told.push(line))).toEqual(first);
    expect([workshop.count('go'), workshop.count('mvn')]).toEqual(started);
    expect(told).toEqual([]);
  });

  it('makes again what was removed, and only that', async () => {
    const { minio } = await ensureParts(silent);
    rmSync(minio);
    await ensureParts(silent);
    expect(existsSync(minio)).toBe(true);
    expect([workshop.count('go'), workshop.count('mvn')]).toEqual([3, 3]);
  });

  it('asks Maven again when its repository was cleared', async () => {
    await ensureParts(silent);
    rmSync(join(workshop.root, 'one.jar'));
    workshop.play('mvn', `: > "${workshop.root}/one.jar"\n${MAVEN_RESOLVES}`);
    const { sparkClasspath } = await ensureParts(silent);
    expect(sparkClasspath.split(':').every(existsSync)).toBe(true);
  });

  it('tells of each part when it begins and when it is ready', async () => {
    const told: string[] = [];
    await ensureParts((line) => told.push(line));
    expect(told).toContain(`building temporal ${PINS.temporal.version}`);
    expect(told).toContain(`fetching trino ${PINS.trino.version}`);
    expect(told.filter((line) => / is ready \(0:\d\d\)$/.test(line))).toHaveLength(6);
  });
});

describe('a failure', () => {
  it('names the part, the command, the end of its output, its log and what to do', async () => {
    workshop.play('go', 'echo "proxy says: no route" >&2; exit 3');
    const error = await ensureTemporal(silent).catch((caught) => caught);
    expect(error).toMatchObject({ code: 'StackFailed' });
    const { message } = error as Error;
    const { module, version } = PINS.temporal;
    expect(message).toContain(`cannot provide temporal ${version}`);
    expect(message).toContain(
      `go install -ldflags=-s -w ${module}@v${version}" ended with exit code 3`,
    );
    expect(message).toContain('proxy says: no route');
    expect(message).toContain(join(workshop.cache, 'logs', 'temporal-'));
    expect(message).toContain('run the same command again');
  });

  it('leaves nothing half-made, and the next call succeeds', async () => {
    workshop.play('mvn', 'exit 1');
    await expect(ensureParts(silent)).rejects.toMatchObject({ code: 'StackFailed' });
    const left = readdirSync(workshop.cache).filter((name) =>
      /draft|^(spark|catalog|trino)/.test(name),
    );
    expect(left).toEqual([]);
    expect(readdirSync(join(workshop.cache, 'locks'))).toEqual([]);
    workshop.play('mvn', MAVEN_RESOLVES);
    await expect(ensureParts(silent)).resolves.toBeDefined();
  });

  it('ends what the other parts are doing', async () => {
    workshop.play('go', 'exec sleep 600');
    workshop.play('mvn', 'exit 1');
    const error = await ensureParts(silent).catch((caught) => caught);
    expect((error as Error).message).toContain('mvn');
    for (const pid of readPids(workshop.root, 'go')) expect(identifyProcess(pid)).toBeUndefined();
  });

  it('takes a Maven that is killed in the middle as a download to be taken up again', async () => {
    const once = `if [ ! -e "${workshop.root}/died" ]; then : > "${workshop.root}/died"; kill -9 $$; fi`;
    workshop.play('mvn', `${once}\n${MAVEN_RESOLVES}`);
    await expect(ensureParts(silent)).resolves.toBeDefined();
    expect(workshop.count('mvn')).toBe(4);
  });

  it('says how it ended when it is killed each time', async () => {
    workshop.play('mvn', 'kill -9 $$');
    await expect(ensureParts(silent)).rejects.toThrow(/ended with SIGKILL/);
  });

  it('names the program that is not there', async () => {
    vi.stubEnv('PATH', '/nowhere');
    await expect(ensureTemporal(silent)).rejects.toMatchObject({
      code: 'PrerequisiteMissing',
      message: expect.stringContaining('"go" cannot be started'),
    });
  });

  it('names the JDK that is missing before it starts anything', async () => {
    vi.stubEnv('ICEWRIGHT_JAVA_TRINO_HOME', join(workshop.root, 'jdk-17'));
    await expect(ensureParts(silent)).rejects.toMatchObject({
      code: 'PrerequisiteMissing',
      message: expect.stringContaining('ICEWRIGHT_JAVA_TRINO_HOME'),
    });
    expect([workshop.count('go'), workshop.count('mvn')]).toEqual([0, 0]);
  });

  it('does not take an archive without a pinned plugin for Trino', async () => {
    await packTrino(workshop.root, ['tpch']);
    await expect(ensureParts(silent)).rejects.toThrow(/no plugin .*iceberg/);
  });
});
