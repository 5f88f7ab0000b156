/**
 * A cache of its own, and Go, Maven and apt played by small scripts first on PATH: provisioning
 * itself is the real one, and so are its processes; only network and compilers are not there.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import { PROJECT_DIR } from '../../stack/home.ts';
import { PINS } from '../../stack/provision/pins.ts';

export type Tool = 'go' | 'mvn' | 'apt-get' | 'dpkg-deb';

export interface Workshop {
  /** `$XDG_CACHE_HOME/icewright`. */
  readonly cache: string;
  readonly root: string;
  /** Replaces what the tool does; a shell script's body. */
  play(tool: Tool, body: string): void;
  /** How often the tool was started. */
  count(tool: Tool): number;
  /** Another process that provides Temporal or everything from the same cache. */
  start(what: 'ensureParts' | 'ensureTemporal'): ChildProcess;
}

/** Makes the program that `go install` would, named after its module's last element. */
export const GO_BUILDS = `
  for last; do :; done
  name=$(basename "\${last%@*}")
  printf 'program %s' "$last" > "$GOBIN/$name"
  chmod +x "$GOBIN/$name"`;

/** Writes the list that the dependency plugin would; for Trino the archive that it names. */
export const MAVEN_RESOLVES = `
  for argument; do
    case "$argument" in
      -Dmdep.outputFile=*) list="\${argument#*=}" ;;
      -Dtrino.version=*) trino=yes ;;
    esac
  done
  if [ "$trino" = yes ]; then printf '%s' "$ROOT/trino.tar.gz" > "$list"
  else printf '%s:%s' "$ROOT/one.jar" "$ROOT/two.jar" > "$list"; fi`;

/** Leaves a package where it is started. */
export const APT_FETCHES = `
  for last; do :; done
  printf '%s' "$last" > package.deb`;

/** Unpacks the programs that the package is for, as `dpkg-deb --extract package tree`. */
const DPKG_UNPACKS = `
  mkdir -p "$3/usr/bin"
  for name in prometheus promtool; do cp "$2" "$3/usr/bin/$name"; done`;

/** Points the environment of this test file at the workshop; undone by `vi.unstubAllEnvs`. */
export function openWorkshop(): Workshop {
  const root = mkdtempSync(join(tmpdir(), 'icewright-provision-'));
  const tools = join(root, 'tools');
  mkdirSync(tools);
  for (const jar of ['one.jar', 'two.jar']) writeFileSync(join(root, jar), '');
  const environment = {
    ROOT: root,
    PATH: `${tools}:/usr/bin:/bin`,
    XDG_CACHE_HOME: root,
    ICEWRIGHT_JAVA_SPARK_HOME: makeJdk(root, 17),
    ICEWRIGHT_JAVA_TRINO_HOME: makeJdk(root, 25),
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  const workshop: Workshop = {
    cache: join(root, 'icewright'),
    root,
    play: (tool, body) => {
      const path = join(tools, tool);
      writeFileSync(path, `#!/bin/sh\necho "$$" >> "${root}/${tool}.pids"\n${body}\n`);
      chmodSync(path, 0o755);
    },
    count: (tool) => readPids(root, tool).length,
    start: (what) => startProvision(root, what),
  };
  workshop.play('go', GO_BUILDS);
  workshop.play('mvn', MAVEN_RESOLVES);
  workshop.play('apt-get', APT_FETCHES);
  workshop.play('dpkg-deb', DPKG_UNPACKS);
  return workshop;
}

/** The pids under which the tool was started, oldest first. */
export function readPids(root: string, tool: Tool): readonly number[] {
  const file = join(root, `${tool}.pids`);
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : [];
}

/** A server archive whose kept plugins hold hard links into one that is not kept. */
export async function packTrino(
  root: string,
  names: readonly string[] = PINS.trino.plugins,
): Promise<void> {
  const plugins = names.map((name) => `s/plugin/${name}`);
  const script = [
    `cd "${root}" && mkdir -p s/bin s/lib s/plugin/aaa-unwanted ${plugins.join(' ')}`,
    `echo jar > s/plugin/aaa-unwanted/shared.jar`,
    ...plugins.map((plugin) => `ln s/plugin/aaa-unwanted/shared.jar ${plugin}/shared.jar`),
    'tar -czf trino.tar.gz s && rm -r s',
  ].join('\n');
  const child = spawn('sh', ['-e', '-c', script], { stdio: 'inherit' });
  await new Promise((ended) => child.once('exit', ended));
}

/** Resolves when `condition` holds; the test's own limit ends a wait that never does. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}

function startProvision(root: string, what: string): ChildProcess {
  const module = join(PROJECT_DIR, 'stack', 'provision', 'parts.ts');
  const script = `
    import { ${what} } from ${JSON.stringify(module)};
    try {
      const parts = await ${what}((line) => console.log(line));
      console.log('result ' + JSON.stringify(parts));
    } catch (error) {
      console.log('failed ' + error.code + ' ' + error.message);
      process.exitCode = 1;
    }`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env },
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: root,
  });
}

function makeJdk(root: string, major: number): string {
  const home = join(root, `jdk-${major}`);
  mkdirSync(join(home, 'bin'), { recursive: true });
  for (const tool of ['java', 'javac']) writeFileSync(join(home, 'bin', tool), '', { mode: 0o755 });
  writeFileSync(join(home, 'release'), `JAVA_VERSION="${major}.0.1"\n`);
  return home;
}
