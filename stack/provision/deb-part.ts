/** A part out of a Debian package, which apt fetches and checks: nothing is installed, no root. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';
import { isComplete, partFolder } from './layout.mjs';
import type { BuildTools, Part } from './part.ts';
import { PINS } from './pins.ts';

/** Prometheus and its tool for rules, side by side. */
export const PROMETHEUS_PROGRAMS = ['prometheus', 'promtool'] as const;

export function prometheusPart(cache: string): Part {
  const { version, package: name } = PINS.prometheus;
  const folder = partFolder('prometheus', cache);
  return {
    title: `prometheus ${version}`,
    verb: 'fetching',
    folder,
    isUsable: () => isComplete('prometheus', folder),
    build: async (draft, tools) => {
      // Whichever revision of the package is current: the program's own version is the pinned one.
      await download(`${name}=${version}*`, draft, tools);
      await unpack(draft, tools);
    },
  };
}

/** With the machine's package lists; where there are none or old ones, with lists of our own. */
async function download(wanted: string, draft: string, { run }: BuildTools): Promise<void> {
  const fetchWith = (options: readonly string[]) =>
    run({ file: 'apt-get', args: ['--quiet', ...options, 'download', wanted], cwd: draft });
  try {
    await fetchWith([]);
  } catch (error) {
    if (!(error instanceof IcewrightError) || error.code !== 'StackFailed') throw error;
    const own = await ownLists(draft);
    await run({ file: 'apt-get', args: ['--quiet', ...own, 'update'], cwd: draft });
    await fetchWith(own);
  }
}

async function ownLists(draft: string): Promise<readonly string[]> {
  const folders = { 'Dir::State::Lists': 'lists', 'Dir::Cache': 'cache' };
  await mkdir(join(draft, 'lists', 'partial'), { recursive: true });
  await mkdir(join(draft, 'cache', 'archives', 'partial'), { recursive: true });
  return Object.entries(folders).flatMap(([name, path]) => ['-o', `${name}=${join(draft, path)}`]);
}

async function unpack(draft: string, { run }: BuildTools): Promise<void> {
  const archive = (await readdir(draft)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new IcewrightError('StackFailed', 'apt-get left no package');
  await run({ file: 'dpkg-deb', args: ['--extract', archive, 'tree'], cwd: draft });
  for (const program of PROMETHEUS_PROGRAMS) {
    await rename(join(draft, 'tree', 'usr', 'bin', program), join(draft, program));
  }
  for (const left of [archive, 'tree', 'lists', 'cache']) {
    await rm(join(draft, left), { recursive: true, force: true });
  }
}
