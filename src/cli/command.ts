/** What a command is: its words, its options and what it does. */
import type { ParseArgsOptionsConfig } from 'node:util';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

export type Values = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export interface CommandInput {
  readonly values: Values;
  readonly positionals: readonly string[];
  readonly terminal: Terminal;
  readonly session: Session;
}

export interface Command {
  /** `compact`, `runs list`. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name: `<table> [options]`. */
  readonly usage: string;
  readonly options: ParseArgsOptionsConfig;
  /** Option name → what it means, with unit and default. */
  readonly help: Readonly<Record<string, string>>;
  readonly examples: readonly string[];
  /** How many positionals it takes. */
  readonly positionals: { readonly min: number; readonly max: number };
  /** Returns the result, which `--json` prints, and the exit code when it is not 0. */
  run(input: CommandInput): Promise<CommandResult>;
}

export interface CommandResult {
  readonly json: unknown;
  readonly exitCode?: 0 | 1 | 2 | 3;
}

/** Options that every command takes. */
export const COMMON_OPTIONS = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;

export const COMMON_HELP: Readonly<Record<string, string>> = {
  json: 'print one JSON document on stdout, prose on stderr',
  help: 'show this text',
};

export function stringValue(values: Values, name: string): string | null {
  const value = values[name];
  return typeof value === 'string' ? value : null;
}
