/** Runs the commands that make a part; their output goes to the part's log. */
import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { IcewrightError } from '../../src/domain/errors.ts';
import { describeTail, openLog } from '../services/log-file.ts';
import type { Command } from './part.ts';

export interface CommandContext {
  /** As in messages: `temporal 1.5.1`. */
  readonly part: string;
  readonly log: string;
  readonly signal: AbortSignal;
  /** Told the pid of the process that runs, then undefined when it has ended. */
  readonly onChild: (pid: number | undefined) => void;
}

const RESUME =
  'Then run the same command again: what is there already is not fetched or built again';
/** Asked to end with SIGINT, which Go and Maven tidy up after. */
const END_TIMEOUT_MS = 5_000;

/** Rejects with `StackFailed`, `PrerequisiteMissing` (no such program), or the signal's reason. */
export async function runCommand(command: Command, context: CommandContext): Promise<void> {
  const { attempts = 1 } = command;
  for (let attempt = 1; ; attempt += 1) {
    const problem = await runOnce(command, context);
    context.signal.throwIfAborted();
    if (problem === undefined) return;
    if (attempt >= attempts) throw commandFailed(command, context, problem);
  }
}

/** Resolves to undefined when it ended well, else to how it ended. */
async function runOnce(command: Command, context: CommandContext): Promise<string | undefined> {
  context.signal.throwIfAborted();
  const output = openLog(context.log);
  const child = spawn(command.file, command.args, {
    cwd: command.cwd,
    env: { ...process.env, ...command.env },
    stdio: ['ignore', output, output],
  });
  closeSync(output);
  context.onChild(child.pid);
  const endNow = () => void child.kill('SIGKILL');
  const end = () => {
    child.kill('SIGINT');
    setTimeout(endNow, END_TIMEOUT_MS).unref();
  };
  context.signal.addEventListener('abort', end, { once: true });
  process.once('exit', endNow);
  try {
    return await new Promise((settle, fail) => {
      child.once('error', (error) => fail(startFailed(command, context, error)));
      child.once('exit', (code, signal) => {
        settle(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`);
      });
    });
  } finally {
    context.signal.removeEventListener('abort', end);
    process.removeListener('exit', endNow);
    context.onChild(undefined);
  }
}

function commandFailed(
  command: Command,
  { part, log }: CommandContext,
  problem: string,
): IcewrightError {
  const line = describeCommand(command);
  const tail = stripVTControlCharacters(describeTail(log));
  return new IcewrightError(
    'StackFailed',
    `cannot provide ${part}: "${line}" ${problem}. ${tail}\n` +
      `Mend what it says (often the network, a proxy or a full disk). ${RESUME}`,
    { part, command: line, log },
  );
}

function startFailed(command: Command, { part }: CommandContext, error: Error): IcewrightError {
  return new IcewrightError(
    'PrerequisiteMissing',
    `cannot provide ${part}: "${command.file}" cannot be started (${error.message}): install it, ` +
      'or put its folder on PATH',
    { part, command: command.file },
    error,
  );
}

function describeCommand({ file, args }: Command): string {
  return [file, ...args].join(' ');
}
