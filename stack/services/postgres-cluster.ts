/** Makes PostgreSQL's data folder, once, with its databases. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chown, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IcewrightError } from '../../src/domain/errors.ts';
import { DATABASES } from '../credentials.ts';
import { serviceEnvironment } from './environment.ts';
import type { PostgresPrograms, ServerUser } from './postgres-user.ts';
import type { Launch, StackContext } from './service.ts';

const OUTPUT_MAX = 4_000;

/**
 * Leaves a complete data folder at `folder`: it is made aside and moved there at the end, so that
 * one that was interrupted is never taken for whole. Rejects with `StackFailed`.
 */
export async function ensureCluster(
  folder: string,
  programs: PostgresPrograms,
  user: ServerUser,
  context: StackContext,
): Promise<void> {
  if (existsSync(folder)) return;
  const draft = `${folder}.draft`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  const { postgresUser, postgresPassword } = context.credentials;
  const passwordFile = join(context.home.data, 'postgres.password');
  await writeFile(passwordFile, postgresPassword, { mode: 0o600 });
  if (user.owner !== undefined) {
    await chown(draft, user.owner.uid, user.owner.gid);
    await chown(passwordFile, user.owner.uid, user.owner.gid);
  }
  const env = serviceEnvironment({ LC_ALL: 'C' });
  const cwd = context.home.data;
  try {
    const init = [
      '-D',
      draft,
      '-U',
      postgresUser,
      `--pwfile=${passwordFile}`,
      '-A',
      'scram-sha-256',
    ];
    // The built-in locale sorts alike on every machine.
    const locale = ['--encoding=UTF8', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    await complete(user.launch(programs.initdb, [...init, ...locale, '--locale=C'], env, cwd));
    // Single-user mode takes SQL on stdin: no server, no driver and no password needed.
    const single = user.launch(programs.postgres, ['--single', '-D', draft, 'postgres'], env, cwd);
    await complete(single, DATABASES.map((name) => `CREATE DATABASE ${name}\n`).join(''));
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rename(draft, folder);
}

async function complete(launch: Launch, input = ''): Promise<void> {
  const { file, args, ...options } = launch;
  const child = spawn(file, [...args], { ...options, stdio: 'pipe' });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_MAX);
    });
  }
  child.stdin.on('error', () => {}).end(input);
  const code = await new Promise<number | null>((settle, fail) => {
    child.once('error', fail);
    child.once('close', settle);
  });
  if (code !== 0 || /^(FATAL|ERROR|PANIC):/m.test(output)) {
    throw new IcewrightError('StackFailed', `making PostgreSQL's data failed:\n${output.trim()}`);
  }
}
