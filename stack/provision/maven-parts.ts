/** Parts that Maven brings into its own repository: class paths, and Trino's server to unpack. */
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';
import { isComplete, PART_FILES, partFolder, pomPath, readClasspath } from './layout.mjs';
import type { BuildTools, Part } from './part.ts';
import { mavenProperties, PINS } from './pins.ts';

export interface MavenOptions {
  readonly cache: string;
  /** The JDK that Maven itself runs on. */
  readonly javaHome: string;
}

type MavenPartName = 'spark' | 'catalog' | 'trino';

/** The jars stay in Maven's repository; the part is the list of them. */
export function classpathPart(name: 'spark' | 'catalog', options: MavenOptions): Part {
  return {
    ...describe(name, options.cache),
    title: `${name} ${PINS[name].version}`,
    build: async (draft, tools) => {
      await resolveClasspath(name, draft, options, tools);
    },
  };
}

/** The server with the pinned plugins only: it starts several times faster than with all. */
export function trinoPart(options: MavenOptions): Part {
  return {
    ...describe('trino', options.cache),
    title: `trino ${PINS.trino.version}`,
    build: async (draft, tools) => {
      const archive = await resolveClasspath('trino', draft, options, tools);
      const server = join(draft, PART_FILES.trino);
      await mkdir(server);
      // Jars of kept plugins are hard links into others: all is unpacked, then the rest removed.
      const args = ['-xzf', archive, '-C', server, '--strip-components=1'];
      await tools.run({ file: 'tar', args, cwd: draft });
      await keepOnly(join(server, 'plugin'), PINS.trino.plugins);
    },
  };
}

function describe(name: MavenPartName, cache: string) {
  const folder = partFolder(name, cache);
  return {
    verb: 'fetching' as const,
    folder,
    isUsable: () => isComplete(name, folder),
  };
}

/** Resolves to what the part's POM asks for, joined by `:`; the list is left in the draft too. */
async function resolveClasspath(
  name: MavenPartName,
  draft: string,
  { javaHome }: MavenOptions,
  { run }: BuildTools,
): Promise<string> {
  // A copy, so that Maven takes no settings from the checkout and writes nothing into it.
  await copyFile(pomPath(name), join(draft, 'pom.xml'));
  const list = join(draft, 'classpath.txt');
  const plugin = `org.apache.maven.plugins:maven-dependency-plugin:${PINS.mavenDependencyPlugin.version}`;
  const properties = Object.entries(mavenProperties(PINS)[name]);
  await run({
    file: 'mvn',
    args: [
      // Asks again for what was once not found: Maven would remember that for a day.
      ...['--batch-mode', '--quiet', '--update-snapshots', '-Dstyle.color=never'],
      `${plugin}:build-classpath`,
      ...[`-Dmdep.outputFile=${list}`, ...properties.map(([key, value]) => `-D${key}=${value}`)],
    ],
    cwd: draft,
    env: { JAVA_HOME: javaHome },
    // Maven takes up a download where it broke off.
    attempts: 2,
  });
  return readClasspath(list);
}

async function keepOnly(folder: string, kept: readonly string[]): Promise<void> {
  const there = await readdir(folder);
  const absent = kept.filter((name) => !there.includes(name));
  if (absent.length > 0) {
    const names = absent.join(', ');
    const problem = `this Trino has no plugin ${names}, which stack/pins.json names: correct it`;
    throw new IcewrightError('StackFailed', problem);
  }
  for (const name of there.filter((one) => !kept.includes(one))) {
    await rm(join(folder, name), { recursive: true });
  }
}
