/**
 * The macros of a model's SQL, and keyed hashes.
 * `{{input('silver.orders')}}` the input, read at its pinned snapshot
 * `{{target}}` the model's own table
 * `{{keyed_hash('lower(email)')}}` HMAC-SHA256 of an expression, as 64 hexadecimal digits
 */
import { IcewrightError } from '../errors.ts';

export type MacroName = 'input' | 'target' | 'keyed_hash';

export interface MacroCall {
  readonly name: MacroName;
  /** `null` for `target`. */
  readonly argument: string | null;
  /** Place in the SQL, in UTF-16 units. */
  readonly start: number;
  readonly end: number;
}

export interface MacroFault {
  readonly offset: number;
  readonly message: string;
}

export interface ParsedMacros {
  readonly calls: readonly MacroCall[];
  readonly faults: readonly MacroFault[];
}

const CALL = /^\s*([a-z_]+)\s*(?:\(\s*'((?:[^']|'')*)'\s*\))?\s*$/;
const TAKES_ARGUMENT: Readonly<Record<MacroName, boolean>> = {
  input: true,
  target: false,
  keyed_hash: true,
};
const USAGE = "write {{input('namespace.table')}}, {{target}} or {{keyed_hash('expression')}}";

/** Finds every macro; what is between braces and is none is a fault. */
export function parseMacros(sql: string): ParsedMacros {
  const calls: MacroCall[] = [];
  const faults: MacroFault[] = [];
  for (let start = sql.indexOf('{{'); start >= 0; ) {
    const close = sql.indexOf('}}', start);
    if (close < 0) {
      faults.push({ offset: start, message: 'this {{ has no }}' });
      break;
    }
    const call = readCall(sql.slice(start + 2, close));
    if (call === null) faults.push({ offset: start, message: `not a macro: ${USAGE}` });
    else calls.push({ ...call, start, end: close + 2 });
    start = sql.indexOf('{{', close);
  }
  return { calls, faults };
}

function readCall(text: string): Pick<MacroCall, 'name' | 'argument'> | null {
  const found = CALL.exec(text);
  const name = (Object.keys(TAKES_ARGUMENT) as MacroName[]).find((one) => one === found?.[1]);
  if (found === null || name === undefined) return null;
  const argument = found[2]?.replaceAll("''", "'") ?? null;
  return (argument !== null) === TAKES_ARGUMENT[name] ? { name, argument } : null;
}

/** How one engine writes each macro. */
export interface MacroRenderer {
  readonly input: (table: string) => string;
  readonly target: () => string;
  readonly keyedHash: (expression: string) => string;
}

/**
 * Throws `ModelInvalid` for a faulty macro: models from disk were checked when they were loaded.
 */
export function renderMacros(sql: string, renderer: MacroRenderer): string {
  const { calls, faults } = parseMacros(sql);
  const [fault] = faults;
  if (fault !== undefined) throw new IcewrightError('ModelInvalid', fault.message);
  let rendered = '';
  let from = 0;
  for (const call of calls) {
    rendered += sql.slice(from, call.start) + renderCall(call, renderer);
    from = call.end;
  }
  return rendered + sql.slice(from);
}

function renderCall({ name, argument }: MacroCall, renderer: MacroRenderer): string {
  if (name === 'target') return renderer.target();
  const given = argument as string;
  return name === 'input' ? renderer.input(given) : renderer.keyedHash(given);
}

/** Block size of SHA-256 in bytes (FIPS 180-4), to which HMAC pads its key (RFC 2104). */
const BLOCK_BYTES = 64;

export interface HmacPads {
  readonly hmac_inner_pad: string;
  readonly hmac_outer_pad: string;
}

/**
 * The two padded keys of HMAC-SHA256, in hex: an engine without HMAC but with SHA-256 computes
 * `sha256(outer ‖ sha256(inner ‖ message))`.
 * @param keyHex 16 to 64 bytes; throws `ConfigInvalid` otherwise
 */
export function hmacPads(keyHex: string): HmacPads {
  const bytes = keyHex.length / 2;
  if (!/^([0-9a-f]{2})+$/i.test(keyHex) || bytes < 16 || bytes > BLOCK_BYTES) {
    throw new IcewrightError(
      'ConfigInvalid',
      `the key of keyed hashes must be 16 to ${BLOCK_BYTES} bytes in hexadecimal digits`,
    );
  }
  const padded = keyHex.padEnd(BLOCK_BYTES * 2, '0');
  return { hmac_inner_pad: xorEach(padded, 0x36), hmac_outer_pad: xorEach(padded, 0x5c) };
}

function xorEach(hex: string, mask: number): string {
  return hex.replace(/../g, (byte) =>
    (Number.parseInt(byte, 16) ^ mask).toString(16).padStart(2, '0'),
  );
}
