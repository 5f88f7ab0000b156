/** The command line: finds the command, reads its options, runs it, tells its result and errors. */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { ERROR_RULES, IcewrightError } from '../domain/errors.ts';
import { COMMON_OPTIONS, type Command, type CommandResult } from './command.ts';
import { commandHelp, overview } from './help.ts';
import { COMMANDS, loadCommand } from './registry.ts';
import { openSession } from './session.ts';
import { createTerminal } from './terminal.ts';

/** Runs one command line and returns its exit code. Writes to stdout and stderr. */
export async function main(argv: readonly string[]): Promise<number> {
  const json = argv.includes('--json');
  try {
    const found = findCommand(argv);
    if (found === null) {
      if (argv[0] === '--version') {
        const version = ownVersion();
        process.stdout.write(json ? `${JSON.stringify({ version })}\n` : `${version}\n`);
        return 0;
      }
      const asked = argv.filter((word) => !word.startsWith('-'));
      if (asked.length > 0 && asked[0] !== 'help') throw unknownCommand(asked);
      process.stdout.write(await overview());
      return argv.length === 0 ? 2 : 0;
    }
    const command = await loadCommand(found.name);
    return await runCommand(command, found.rest, json);
  } catch (error) {
    return tellError(error, json);
  }
}

async function runCommand(command: Command, argv: readonly string[], json: boolean) {
  const { values, positionals } = readOptions(command, argv);
  if (values.help === true) {
    process.stdout.write(commandHelp(command));
    return 0;
  }
  const { min, max } = command.positionals;
  if (positionals.length < min || positionals.length > max) {
    throw usage(command, positionals.length < min ? 'something is missing' : 'too many words');
  }
  const session = openSession();
  let result: CommandResult;
  try {
    result = await command.run({ values, positionals, terminal: createTerminal(json), session });
  } finally {
    await session.close();
  }
  if (json) process.stdout.write(`${JSON.stringify(result.json)}\n`);
  return result.exitCode ?? 0;
}

function readOptions(command: Command, argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: { ...command.options, ...COMMON_OPTIONS },
      allowPositionals: true,
      strict: true,
    });
  } catch (error) {
    throw usage(command, (error as Error).message.split('. ')[0] ?? 'bad options');
  }
}

function usage(command: Command, what: string): IcewrightError {
  return new IcewrightError(
    'UsageInvalid',
    `${what}\n  usage: icewright ${command.name} ${command.usage}\n` +
      `  more:  icewright ${command.name} --help`,
  );
}

/** The longest name that the words begin with; options may stand anywhere behind it. */
function findCommand(argv: readonly string[]): { name: string; rest: readonly string[] } | null {
  const two = argv.slice(0, 2).join(' ');
  if (argv.length >= 2 && two in COMMANDS) return { name: two, rest: argv.slice(2) };
  const one = argv[0] ?? '';
  return one in COMMANDS ? { name: one, rest: argv.slice(1) } : null;
}

function ownVersion(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function unknownCommand(words: readonly string[]): IcewrightError {
  const first = words[0] ?? '';
  const near = Object.keys(COMMANDS).filter((name) => name.split(' ')[0] === first);
  const hint = near.length > 0 ? `: there is ${near.join(', ')}` : ': see "icewright help"';
  return new IcewrightError('UsageInvalid', `no command "${words.slice(0, 2).join(' ')}"${hint}`);
}

/** The one place where an error becomes text and an exit code. */
function tellError(error: unknown, json: boolean): number {
  const known =
    error instanceof IcewrightError
      ? error
      : new IcewrightError('Internal', error instanceof Error ? error.message : String(error));
  const { code, message, details } = known;
  if (json) process.stdout.write(`${JSON.stringify({ error: { code, message, details } })}\n`);
  process.stderr.write(`icewright: ${message}\n`);
  const debug = process.env.ICEWRIGHT_DEBUG !== undefined;
  if (debug && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  return ERROR_RULES[code].exitCode;
}

if (import.meta.main) {
  // `icewright runs list | head` closes the pipe: that is no error of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  process.exitCode = await main(process.argv.slice(2));
}
