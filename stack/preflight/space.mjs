/** Room on disk and in memory, for what is still to be fetched, built and started. */
// As one object: a Node too old to have statfs must still get as far as being told so.
import fs from 'node:fs';
import { freemem, homedir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

/** @typedef {import('./tools.mjs').Problem} Problem */
/** @typedef {{ what: string, path: string, bytes: number }} DiskNeed */

const MB = 1_000_000;

/** Measured on Linux x64 from empty caches, and rounded up by a tenth or more. */
const NEED_MB = {
  /** 760 in the project, 300 in npm's own cache. */
  packages: 1_200,
  /** A first night takes 140. */
  stackData: 1_000,
  temporal: 250,
  minio: 150,
  goModules: 3_200,
  goBuild: 2_500,
  /** Unpacked with all its plugins, of which a half stays. */
  trino: 1_100,
  trinoArchive: 900,
  jars: 700,
};

/** The services' heaps and their overhead: about 2.5 GB were used, this leaves room to work. */
const MEMORY_BYTES = 4_000 * MB;

/**
 * What is needed where, for the parts that are missing.
 * @param {{ projectDir: string, stackHome: string, cache: string, installed: boolean,
 *   missing: readonly string[], environment: NodeJS.ProcessEnv }} state
 * @returns {readonly DiskNeed[]}
 */
export function listDiskNeeds({ projectDir, stackHome, cache, installed, missing, environment }) {
  /** @type {(what: string, path: string, megabytes: number) => DiskNeed} */
  const need = (what, path, megabytes) => ({ what, path, bytes: megabytes * MB });
  const home = homedir();
  const needs = [need('the stack’s data', stackHome, NEED_MB.stackData)];
  if (!installed) needs.push(need('packages', projectDir, NEED_MB.packages));
  const go = missing.filter((part) => part === 'temporal' || part === 'minio');
  if (go.length > 0) {
    const goPath = environment.GOPATH || join(home, 'go');
    const modules = environment.GOMODCACHE || join(goPath, 'pkg', 'mod');
    const build =
      environment.GOCACHE || join(environment.XDG_CACHE_HOME || join(home, '.cache'), 'go-build');
    needs.push(need('built servers', cache, NEED_MB.temporal + NEED_MB.minio));
    needs.push(need('Go modules', modules, NEED_MB.goModules));
    needs.push(need('Go’s build cache', build, NEED_MB.goBuild));
  }
  const maven = join(home, '.m2');
  if (missing.includes('trino')) {
    needs.push(need('Trino', cache, NEED_MB.trino));
    needs.push(need('Trino’s archive', maven, NEED_MB.trinoArchive));
  }
  if (missing.includes('spark') || missing.includes('catalog')) {
    needs.push(need('jars', maven, NEED_MB.jars));
  }
  return needs;
}

/**
 * Adds up the needs of each file system, and names those that have too little room.
 * @param {readonly DiskNeed[]} needs
 * @param {(path: string) => { id: string, freeBytes: number }} [look]
 * @returns {Problem[]}
 */
export function checkDisk(needs, look = lookAtDisk) {
  /** @type {Map<string, { freeBytes: number, needs: DiskNeed[] }>} */
  const disks = new Map();
  for (const need of needs) {
    const { id, freeBytes } = look(need.path);
    const disk = disks.get(id) ?? { freeBytes, needs: [] };
    disk.needs.push(need);
    disks.set(id, disk);
  }
  return [...disks.values()].flatMap((disk) => {
    const wanted = disk.needs.reduce((sum, { bytes }) => sum + bytes, 0);
    if (wanted <= disk.freeBytes) return [];
    const list = disk.needs.map(({ what, path, bytes }) => `${what} ${gb(bytes)} in ${path}`);
    return [
      {
        what: `too little disk: ${gb(wanted)} needed, ${gb(disk.freeBytes)} free (${list.join(', ')})`,
        remedy: 'make room, or move the caches with XDG_CACHE_HOME, GOPATH and ICEWRIGHT_HOME',
      },
    ];
  });
}

/**
 * @param {{ availableBytes: number, totalBytes: number }} [memory]
 * @returns {Problem[]}
 */
export function checkMemory({ availableBytes, totalBytes } = lookAtMemory()) {
  if (availableBytes >= MEMORY_BYTES) return [];
  return [
    {
      what:
        `too little memory: the stack needs ${gb(MEMORY_BYTES)}, ${gb(availableBytes)} ` +
        `of ${gb(totalBytes)} are free`,
      remedy: 'end other programs, or take a larger machine',
    },
  ];
}

/** The file system of a path that need not exist yet. @param {string} path */
function lookAtDisk(path) {
  let folder = path;
  while (!fs.existsSync(folder) && dirname(folder) !== folder) folder = dirname(folder);
  const { bavail, bsize } = fs.statfsSync(folder);
  return { id: String(fs.statSync(folder).dev), freeBytes: bavail * bsize };
}

function lookAtMemory() {
  // macOS calls almost nothing free, and gives way when asked.
  if (process.platform !== 'linux') return { availableBytes: totalmem(), totalBytes: totalmem() };
  // Knows the caches that the system would give up, and a container's own limit.
  const availableBytes = process.availableMemory?.() ?? freemem();
  const limit = process.constrainedMemory?.() ?? 0;
  return { availableBytes, totalBytes: limit > 0 ? Math.min(limit, totalmem()) : totalmem() };
}

/** @param {number} bytes */
function gb(bytes) {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
