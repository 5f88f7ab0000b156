import { COMMON_HELP, type Command } from './command.ts';
import { COMMANDS, loadCommand } from './registry.ts';
import { alignColumns } from './terminal.ts';

/** All commands, a line each. */
export async function overview(): Promise<string> {
  const commands = await Promise.all(Object.keys(COMMANDS).map(loadCommand));
  const rows = commands.map(({ name, summary }) => [`  ${name}`, summary]);
  const lines = alignColumns(['', ''], rows).slice(1);
  return [
    'icewright: keeps an Apache Iceberg lakehouse fresh, healthy and lawful',
    '',
    ...lines,
    '',
    'Each command has --help with examples, and --json.',
    'Exit codes: 0 done, 1 failed, 2 usage or invalid input, 3 refused by a safety rule.',
    '',
  ].join('\n');
}

export function commandHelp(command: Command): string {
  const help = { ...command.help, ...COMMON_HELP };
  const rows = Object.entries(help).map(([name, text]) => {
    const takes = command.options[name]?.type === 'string' ? ` <${name}>` : '';
    return [`  --${name}${takes}`, text];
  });
  return [
    `icewright ${command.name} ${command.usage}`.trim(),
    '',
    command.summary,
    '',
    'Options:',
    ...alignColumns(['', ''], rows).slice(1),
    '',
    'Examples:',
    ...command.examples.map((example) => `  ${example}`),
    '',
  ].join('\n');
}
