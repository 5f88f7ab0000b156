/** Finds the JDKs: Spark and Trino need different ones, and neither need be the default. */
import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

/** @typedef {{ home: string, major: number }} Jdk */
/** @typedef {{ jdk: Jdk } | { what: string, remedy: string }} JdkChoice */
/**
 * @typedef {object} JdkNeed
 * @property {string} tool
 * @property {string} variable environment variable that names a JDK and goes before every other
 * @property {string} wanted in words
 * @property {string} example
 * @property {(major: number) => number} rank below 0: unfit; else the higher the better
 */

/** @type {Readonly<Record<'spark' | 'trino', JdkNeed>>} */
export const JDK_NEEDS = {
  spark: {
    tool: 'Spark',
    variable: 'ICEWRIGHT_JAVA_SPARK_HOME',
    wanted: 'a JDK 17 or 21',
    example: 'openjdk-17-jdk-headless',
    // Spark 4.1 uses a security API that later JDKs took away.
    rank: (major) => [21, 17].indexOf(major),
  },
  trino: {
    tool: 'Trino',
    variable: 'ICEWRIGHT_JAVA_TRINO_HOME',
    wanted: 'a JDK 24 or later',
    example: 'temurin-25-jdk',
    // The oldest that will do: closest to what this Trino was tested with.
    rank: (major) => (major < 24 ? -1 : 1000 - major),
  },
};

/**
 * The JDK to use: the variable's, else the best of `JAVA_HOME` and the installed ones.
 * @param {'spark' | 'trino'} engine
 * @param {NodeJS.ProcessEnv} [environment]
 * @param {readonly string[]} [installed]
 * @returns {JdkChoice}
 */
export function chooseJdk(engine, environment = process.env, installed = installedJdks()) {
  const need = JDK_NEEDS[engine];
  const named = environment[need.variable];
  if (named) return chooseNamed(need, named);
  const own = environment.JAVA_HOME ? readJdk(environment.JAVA_HOME) : undefined;
  if (own !== undefined && need.rank(own.major) >= 0) return { jdk: own };
  const numbered = Object.keys(environment).filter((name) => /^JAVA_HOME_\d+/.test(name));
  const jdks = [...numbered.map((name) => environment[name] ?? ''), ...installed]
    .map(readJdk)
    .filter((jdk) => jdk !== undefined);
  const best = jdks
    .filter(({ major }) => need.rank(major) >= 0)
    .sort((a, b) => need.rank(b.major) - need.rank(a.major))[0];
  if (best !== undefined) return { jdk: best };
  const majors = [...new Set(jdks.map(({ major }) => major))].sort((a, b) => a - b);
  const found = majors.length === 0 ? 'none was found' : `found only ${majors.join(', ')}`;
  return {
    what: `${need.tool} needs ${need.wanted}: ${found}`,
    remedy: `install one (for example ${need.example}), or set ${need.variable} to its folder`,
  };
}

/**
 * @param {JdkNeed} need
 * @param {string} home
 * @returns {JdkChoice}
 */
function chooseNamed(need, home) {
  const jdk = readJdk(home);
  if (jdk !== undefined && need.rank(jdk.major) >= 0) return { jdk };
  const found = jdk === undefined ? 'no JDK (bin/javac and release)' : `a JDK ${jdk.major}`;
  return {
    what: `${need.variable}=${home} holds ${found}; ${need.tool} needs ${need.wanted}`,
    remedy: `set it to such a JDK's folder, or unset it to have one searched for`,
  };
}

/**
 * The JDK of a folder, without starting it; undefined where there is none (a mere runtime is none).
 * @param {string} home
 * @returns {Jdk | undefined}
 */
export function readJdk(home) {
  try {
    if (!existsSync(join(home, 'bin', 'javac'))) return undefined;
    const release = readFileSync(join(home, 'release'), 'utf8');
    const version = /^JAVA_VERSION="(\d+)(?:\.(\d+))?/m.exec(release);
    if (version === null) return undefined;
    // Java 8 called itself 1.8.
    const major = Number(version[1] === '1' ? version[2] : version[1]);
    return { home, major };
  } catch {
    return undefined;
  }
}

/** Folders where the usual installers put JDKs, without duplicates, in a stable order. */
export function installedJdks() {
  const home = homedir();
  const folders = [
    ...['/usr/lib/jvm', '/usr/java', '/usr/local/java', '/opt', '/opt/java', '/opt/jdk'],
    ...[
      join(home, '.sdkman/candidates/java'),
      join(home, '.jdks'),
      join(home, '.asdf/installs/java'),
    ],
    ...[join(home, '.local/share/mise/installs/java'), '/Library/Java/JavaVirtualMachines'],
  ];
  const mac = 'Contents/Home';
  const inFolders = folders.flatMap((folder) =>
    list(folder).flatMap((name) => [join(folder, name), join(folder, name, mac)]),
  );
  const brew = ['/opt/homebrew/opt', '/usr/local/opt'].flatMap((folder) =>
    list(folder)
      .filter((name) => name.startsWith('openjdk'))
      .map((name) => join(folder, name, 'libexec/openjdk.jdk', mac)),
  );
  const real = [...inFolders, ...brew, ...onPath()].map(resolveJdk);
  return [...new Set(real.filter((one) => one !== undefined))];
}

/** The JDK behind the `javac` on the path. */
function onPath() {
  const javac = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'javac'))
    .find(existsSync);
  if (javac === undefined) return [];
  try {
    return [dirname(dirname(realpathSync(javac)))];
  } catch {
    return [];
  }
}

/** @param {string} folder */
function resolveJdk(folder) {
  try {
    return existsSync(join(folder, 'bin', 'javac')) ? realpathSync(folder) : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} folder */
function list(folder) {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}
