/** The look at the machine before anything is downloaded: everything missing, with its remedy. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseJdk, readJdk } from '../../stack/preflight/java.mjs';
import { checkPorts } from '../../stack/preflight/ports.mjs';
import { checkDisk, checkMemory, listDiskNeeds } from '../../stack/preflight/space.mjs';
import {
  checkGo,
  checkMaven,
  checkNode,
  checkNpm,
  isAtLeast,
} from '../../stack/preflight/tools.mjs';
import { describeMissing, preflight } from '../../stack/preflight.mjs';

let folder: string;
const servers: Server[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'icewright-preflight-'));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((one) => new Promise((done) => one.close(done))));
  rmSync(folder, { recursive: true, force: true });
});

/** A folder that looks like a JDK of this version. */
function makeJdk(version: string, { runtimeOnly = false } = {}): string {
  const home = join(folder, `jdk-${version}`);
  mkdirSync(join(home, 'bin'), { recursive: true });
  writeFileSync(join(home, 'bin', 'java'), '');
  if (!runtimeOnly) writeFileSync(join(home, 'bin', 'javac'), '');
  writeFileSync(join(home, 'release'), `IMPLEMENTOR="Test"\nJAVA_VERSION="${version}"\n`);
  return home;
}

/** A program on a path of its own that prints one line; an environment with that path alone. */
function makeTool(name: string, line: string): NodeJS.ProcessEnv {
  const path = join(folder, name);
  writeFileSync(path, `#!/bin/sh\necho '${line}'\n`);
  chmodSync(path, 0o755);
  return { PATH: folder };
}

async function listen(): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

describe('JDKs', () => {
  it('are known by their release file, and a runtime alone is none', () => {
    expect(readJdk(makeJdk('17.0.15'))?.major).toBe(17);
    expect(readJdk(makeJdk('1.8.0_452'))?.major).toBe(8);
    expect(readJdk(makeJdk('25'))?.major).toBe(25);
    expect(readJdk(makeJdk('21.0.1', { runtimeOnly: true }))).toBeUndefined();
    expect(readJdk(join(folder, 'none'))).toBeUndefined();
  });

  it('are chosen for each engine among the installed ones', () => {
    const installed = ['11.0.2', '21.0.1', '17.0.15', '26.0.1', '25.0.3'].map((one) =>
      makeJdk(one),
    );
    expect(chooseJdk('spark', {}, installed)).toMatchObject({ jdk: { major: 17 } });
    expect(chooseJdk('trino', {}, installed)).toMatchObject({ jdk: { major: 25 } });
  });

  it('of JAVA_HOME go before installed ones where they fit', () => {
    const environment = { JAVA_HOME: makeJdk('21.0.1') };
    const installed = [makeJdk('17.0.15'), makeJdk('25.0.3')];
    expect(chooseJdk('spark', environment, installed)).toMatchObject({ jdk: { major: 21 } });
    expect(chooseJdk('trino', environment, installed)).toMatchObject({ jdk: { major: 25 } });
  });

  it('named by the engine’s own variable go before all, and must fit', () => {
    const named = makeJdk('21.0.1');
    const environment = { ICEWRIGHT_JAVA_SPARK_HOME: named, JAVA_HOME: makeJdk('17.0.15') };
    expect(chooseJdk('spark', environment, [])).toEqual({ jdk: { home: named, major: 21 } });
    const unfit = chooseJdk('trino', { ICEWRIGHT_JAVA_TRINO_HOME: named }, [makeJdk('25')]);
    expect(unfit).toMatchObject({
      what: `ICEWRIGHT_JAVA_TRINO_HOME=${named} holds a JDK 21; Trino needs a JDK 24 or later`,
    });
  });

  it('that are missing are named with what was found', () => {
    expect(chooseJdk('spark', {}, [makeJdk('25'), makeJdk('11')])).toMatchObject({
      what: 'Spark needs a JDK 17 or 21: found only 11, 25',
      remedy: expect.stringContaining('ICEWRIGHT_JAVA_SPARK_HOME'),
    });
    expect(chooseJdk('trino', {}, [])).toMatchObject({ what: expect.stringContaining('none') });
  });
});

describe('tools', () => {
  it('have versions that are compared number by number', () => {
    expect(isAtLeast('1.24', '1.24')).toBe(true);
    expect(isAtLeast('1.9.9', '1.24')).toBe(false);
    expect(isAtLeast('2', '1.24.3')).toBe(true);
    expect(isAtLeast('1', '1.0.1')).toBe(false);
  });

  it('are found when they are there and new enough', () => {
    expect(checkGo(makeTool('go', 'go version go1.26.8 linux/amd64'))).toEqual([]);
    expect(checkMaven(makeTool('mvn', 'Apache Maven 3.8.7 (abc)'))).toEqual([]);
    expect(checkNpm({ npm_config_user_agent: 'npm/11.19.1 node/v20.20.2 linux x64' })).toEqual([]);
    expect(checkNpm(makeTool('npm', '10.8.2'))).toEqual([]);
    expect(checkNode()).toEqual([]);
  });

  it('are named when they are too old', () => {
    const go = checkGo(makeTool('go', 'go version go1.19.8 linux/amd64'));
    expect(go).toMatchObject([{ what: 'Go 1.19.8 is too old: 1.24 or later is needed' }]);
    expect(checkNode('18.19.0')).toMatchObject([{ what: 'Node 18.19.0 is too old' }]);
  });

  it('are named when they are missing, with what they are for', () => {
    const environment = { PATH: folder };
    const missing = [...checkGo(environment), ...checkMaven(environment), ...checkNpm(environment)];
    expect(missing.map(({ what }) => what.split(' ')[0])).toEqual(['Go', 'Maven', 'npm']);
    for (const { what, remedy } of missing) {
      expect(what).toContain('was not found; it ');
      expect(remedy).not.toBe('');
    }
  });
});

describe('room', () => {
  const state = {
    projectDir: '/project',
    stackHome: '/project/.icewright',
    cache: '/cache/icewright',
    environment: { GOPATH: '/go', XDG_CACHE_HOME: '/cache' },
  };

  it('is asked for what is still missing, where it will lie', () => {
    const warm = listDiskNeeds({ ...state, installed: true, missing: [] });
    expect(warm.map(({ path }) => path)).toEqual(['/project/.icewright']);
    const cold = listDiskNeeds({
      ...state,
      installed: false,
      missing: ['minio', 'trino', 'spark'],
    });
    const paths = cold.map(({ path }) => path);
    expect(paths).toContain('/go/pkg/mod');
    expect(paths).toContain('/cache/go-build');
    expect(paths).toContain('/cache/icewright');
    const sum = (needs: typeof cold) => needs.reduce((all, { bytes }) => all + bytes, 0);
    expect(sum(cold)).toBeGreaterThan(sum(warm));
  });

  it('is added up for each file system', () => {
    const needs = [
      { what: 'one', path: '/a/one', bytes: 3e9 },
      { what: 'two', path: '/a/two', bytes: 3e9 },
      { what: 'three', path: '/b/three', bytes: 3e9 },
    ];
    const look = (path: string) => ({ id: path.slice(0, 2), freeBytes: 5e9 });
    const [problem, ...others] = checkDisk(needs, look);
    expect(others).toEqual([]);
    expect(problem?.what).toBe(
      'too little disk: 6.0 GB needed, 5.0 GB free (one 3.0 GB in /a/one, two 3.0 GB in /a/two)',
    );
    expect(checkDisk(needs, () => ({ id: 'x', freeBytes: 9e9 }))).toEqual([]);
  });

  it('in memory is asked for too', () => {
    const [problem] = checkMemory({ availableBytes: 1e9, totalBytes: 2e9 });
    expect(problem?.what).toBe(
      'too little memory: the stack needs 4.0 GB, 1.0 GB of 2.0 GB are free',
    );
    expect(checkMemory({ availableBytes: 16e9, totalBytes: 16e9 })).toEqual([]);
  });
});

describe('ports', () => {
  /** Ports that are free here, whatever else this machine runs. */
  async function freePorts(): Promise<NodeJS.ProcessEnv> {
    const { PORT_VARIABLES, findFreePorts } = await import('../../stack/ports.ts');
    const ports = Object.entries(await findFreePorts());
    const variables = PORT_VARIABLES as Readonly<Record<string, string>>;
    return Object.fromEntries(ports.map(([name, port]) => [variables[name] ?? '', String(port)]));
  }

  it('that are free are no problem', async () => {
    expect(await checkPorts(folder, await freePorts())).toEqual([]);
  });

  it('that are taken are named with holder and variable, all of them', async () => {
    const [trino, s3] = [await listen(), await listen()];
    const environment = {
      ...(await freePorts()),
      ICEWRIGHT_TRINO_PORT: String(trino),
      ICEWRIGHT_S3_PORT: String(s3),
    };
    const problems = await checkPorts(folder, environment);
    const whats = problems.map(({ what }) => what);
    expect(whats).toEqual([
      expect.stringContaining(`port ${trino} (trino) is taken by `),
      expect.stringContaining(`port ${s3} (s3) is taken by `),
    ]);
    if (process.platform === 'linux') expect(whats[0]).toContain(`pid ${process.pid} (`);
    expect(problems[0]?.remedy).toContain('ICEWRIGHT_TRINO_PORT');
  });

  it('that our own running stack holds are fine, until it is dead', async () => {
    const port = await listen();
    const environment = { ...(await freePorts()), ICEWRIGHT_SPARK_PORT: String(port) };
    const sleeper = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    mkdirSync(join(folder, 'run'));
    const state = { services: [{ name: 'spark', process: { pid: sleeper.pid } }] };
    writeFileSync(join(folder, 'run', 'state.json'), JSON.stringify(state));
    writeFileSync(join(folder, 'run', 'stack.json'), JSON.stringify({ ports: { spark: port } }));
    expect(await checkPorts(folder, environment)).toEqual([]);
    sleeper.kill('SIGKILL');
    await once(sleeper, 'exit');
    expect(await checkPorts(folder, environment)).toHaveLength(1);
  });

  it('that are no numbers or given twice are named', async () => {
    const free = await freePorts();
    const environment = {
      ...free,
      ICEWRIGHT_SPARK_PORT: '80a',
      ICEWRIGHT_S3_PORT: free.ICEWRIGHT_TRINO_PORT,
    };
    expect((await checkPorts(folder, environment)).map(({ what }) => what)).toEqual([
      'ICEWRIGHT_SPARK_PORT=80a is not a port',
      `port ${free.ICEWRIGHT_TRINO_PORT} is given twice: ICEWRIGHT_TRINO_PORT and ICEWRIGHT_S3_PORT`,
    ]);
  });
});

describe('preflight', () => {
  it('names everything at once, and nothing is created', async () => {
    const environment = {
      PATH: dirname(process.execPath),
      XDG_CACHE_HOME: join(folder, 'cache'),
      ICEWRIGHT_JAVA_SPARK_HOME: makeJdk('25.0.3'),
      ICEWRIGHT_JAVA_TRINO_HOME: makeJdk('17.0.15'),
    };
    const missing = await preflight({ ports: false, environment });
    const message = describeMissing(missing);
    for (const part of ['Spark needs', 'Trino needs', 'Go was not', 'Maven was not']) {
      expect(message).toContain(part);
    }
    expect(missing.every(({ remedy }) => remedy !== '')).toBe(true);
    expect(() => execFileSync('ls', [join(folder, 'cache')], { stdio: 'ignore' })).toThrow();
  });

  it('runs as a command of its own, also through a link, and exits 2', async () => {
    const link = join(folder, 'preflight.mjs');
    symlinkSync(join(import.meta.dirname, '..', '..', 'stack', 'preflight.mjs'), link);
    const child = spawn(process.execPath, [link], {
      env: { PATH: folder, ICEWRIGHT_JAVA_SPARK_HOME: folder, XDG_CACHE_HOME: folder },
    });
    let told = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      told += text;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(2);
    expect(told).toContain('This machine is not ready yet:');
    expect(told).toContain(`ICEWRIGHT_JAVA_SPARK_HOME=${folder}`);
  });
});
