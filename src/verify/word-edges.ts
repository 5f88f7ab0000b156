/**
 * Whether a text that was found in a longer one stands for itself there, or is a part of another
 * word: `ann@example.org` in `joann@example.org` is somebody else. In doubt it stands for itself.
 */
import type { Form } from './needles.ts';

export interface Place {
  readonly form: Form;
  /** Of base64: see `Needle.lead`. */
  readonly lead: number;
  readonly start: number;
  readonly end: number;
}

/** What of a text's own ends may be the end of a word. */
export interface Edges {
  readonly opensWord: boolean;
  readonly closesWord: boolean;
  /** Other marks belong to the name of a mailbox than to a word. */
  readonly isMail: boolean;
}

/** Letters of scripts that part words by spaces; in others, texts stand beside each other. */
const WORD = '[\\p{Script=Latin}\\p{Script=Greek}\\p{Script=Cyrillic}\\p{N}]';
const ENDS_WORD = new RegExp(`${WORD}$`, 'u');
const BEGINS_WORD = new RegExp(`^${WORD}`, 'u');
/** Characters of the surroundings that are looked at; escapes take up to six bytes each. */
const AROUND_BYTES = 24;

export function edgesOf(text: string): Edges {
  return {
    opensWord: BEGINS_WORD.test(text),
    closesWord: ENDS_WORD.test(text),
    isMail: /^[^\s@]+@[^\s@]+$/.test(text),
  };
}

export function standsAlone(bytes: Uint8Array, place: Place, edges: Edges): boolean {
  const { before, after } = around(bytes, place);
  return !goesOnBefore(before, edges) && !goesOnAfter(after, edges);
}

function goesOnBefore(before: string, { opensWord, isMail }: Edges): boolean {
  if (isMail) return /[a-z0-9]$|[a-z0-9][._+-]$/i.test(before);
  return opensWord && ENDS_WORD.test(before);
}

function goesOnAfter(after: string, { closesWord, isMail }: Edges): boolean {
  if (isMail) return /^[a-z0-9]|^[.-][a-z0-9]/i.test(after);
  return closesWord && BEGINS_WORD.test(after);
}

interface Around {
  readonly before: string;
  readonly after: string;
}

function around(bytes: Uint8Array, place: Place): Around {
  const { start, end } = place;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const before = view.subarray(Math.max(0, start - AROUND_BYTES), start);
  const after = view.subarray(end, end + AROUND_BYTES);
  switch (place.form) {
    case 'utf8':
    case 'json':
    case 'percent':
      return { before: unescapeText(utf8Tail(before)), after: unescapeText(after.toString()) };
    case 'utf16le':
    case 'utf16be':
      return { before: utf16(before, place.form, true), after: utf16(after, place.form, false) };
    case 'hex':
      return { before: hexTail(before), after: hexHead(after) };
    case 'base64':
      return base64Around(view, place);
    case 'binary':
      return { before: '', after: '' };
  }
}

/** Without the rest of a character that was cut at the start. */
function utf8Tail(bytes: Buffer): string {
  const cut = bytes.findIndex((byte) => (byte & 0xc0) !== 0x80);
  return cut < 0 ? '' : bytes.subarray(cut).toString('utf8');
}

/** `%3D`, `\n` and `\u003d` are marks or spaces, not the letters that they are written with. */
function unescapeText(text: string): string {
  const code = (digits: string) => String.fromCharCode(Number.parseInt(digits, 16));
  return text
    .replace(/%([0-9a-f]{2})/gi, (_, digits: string) => code(digits))
    .replace(/\\u([0-9a-f]{4})/gi, (_, digits: string) => code(digits))
    .replace(/\\[nrtbf]/g, ' ');
}

function utf16(bytes: Buffer, form: Form, before: boolean): string {
  const even = bytes.length - (bytes.length % 2);
  const units = Buffer.from(before ? bytes.subarray(bytes.length - even) : bytes.subarray(0, even));
  const text = (form === 'utf16be' ? units.swap16() : units).toString('utf16le');
  // Bytes that are no text make letters of faraway scripts.
  return text.replace(/[^\0-\u024f]/g, '\0');
}

function hexTail(bytes: Buffer): string {
  const digits = /(?:[0-9a-f]{2})*$/i.exec(bytes.toString('latin1'))?.[0] ?? '';
  return utf8Tail(Buffer.from(digits, 'hex'));
}

function hexHead(bytes: Buffer): string {
  const digits = /^(?:[0-9a-f]{2})*/i.exec(bytes.toString('latin1'))?.[0] ?? '';
  return Buffer.from(digits, 'hex').toString('utf8');
}

/** Decodes whole groups of four digits on both sides. */
function base64Around(view: Buffer, { start, end, lead }: Place): Around {
  const group = start - lead;
  if (group < 0) return { before: '', after: '' };
  const ahead = view.subarray(Math.max(0, group - AROUND_BYTES), group).toString('latin1');
  const groups = Buffer.from(/(?:[\w+/-]{4})*$/.exec(ahead)?.[0] ?? '', 'base64');
  const rest = view.subarray(group, end + AROUND_BYTES).toString('latin1');
  const bytes = Buffer.from(/^[\w+/-]*/.exec(rest)?.[0] ?? '', 'base64');
  const from = Math.floor((lead * 6) / 8);
  const to = Math.ceil(((end - group) * 6) / 8);
  return {
    before: utf8Tail(Buffer.concat([groups, bytes.subarray(0, from)])),
    after: bytes.subarray(to).toString('utf8'),
  };
}
