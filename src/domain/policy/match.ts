/** Which tables a policy speaks of, and which of two policies speaks more precisely. */
import { LAYERS, type Layer } from '../model/model.ts';
import { nameInCatalog, type TableRef, tableKey } from '../table.ts';

export type TableSelector =
  /** `lake.bronze.raw_orders`, or `bronze.raw_orders` in any catalog. */
  | { readonly kind: 'exact'; readonly text: string }
  /** `*` stands for part of one name, `**` for anything; `*` alone means every table. */
  | { readonly kind: 'glob'; readonly text: string }
  /** `/^silver\..*_v2$/`, tried on both forms of the name; not anchored by itself. */
  | { readonly kind: 'regex'; readonly text: string }
  | { readonly kind: 'layer'; readonly text: Layer }
  /** One of the words in the table property `icewright.tags`, which commas separate. */
  | { readonly kind: 'tag'; readonly text: string };

/** Properties of a table, as its metadata have them. */
export type TableProperties = Readonly<Record<string, string>>;

/** Table property that holds the tags of a table: `pii, hourly`. */
export const TAGS_PROPERTY = 'icewright.tags';

/** Small letters, digits, dashes, dots and underscores. */
export const TAG_PATTERN = /^[a-z0-9][a-z0-9._-]{0,62}$/;

const NAMES_LIMIT = 400;

/**
 * Reads one entry of `tables`. Answers a sentence when the entry cannot be one.
 * @param text an exact name, a glob, or a regular expression between slashes
 */
export function parseSelector(text: string): TableSelector | string {
  if (text.length > NAMES_LIMIT) return `a table pattern has at most ${NAMES_LIMIT} characters`;
  if (text.startsWith('/')) return parseRegex(text);
  if (/^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)+$/.test(text)) return { kind: 'exact', text };
  if (text.includes('*') && /^[\w*-]+(\.[\w*-]+)*$/.test(text)) return { kind: 'glob', text };
  return `"${text}" names no table: write bronze.raw_orders, bronze.*, /regex/, {layer: bronze} or {tag: pii}`;
}

function parseRegex(text: string): TableSelector | string {
  if (text.length < 3 || !text.endsWith('/')) return `"${text}" has no closing slash`;
  const body = text.slice(1, -1);
  // Repetition of a repetition takes exponential time on some names.
  if (/[+*}]\)?[+*{]/.test(body)) return `"${text}" repeats a repetition: simplify it`;
  try {
    new RegExp(body);
  } catch (error) {
    return `"${text}" is not a regular expression: ${(error as Error).message}`;
  }
  return { kind: 'regex', text };
}

/** @param properties of the table; none: no tag matches */
export function selects(
  selector: TableSelector,
  table: TableRef,
  properties: TableProperties = {},
): boolean {
  const names = [tableKey(table), nameInCatalog(table)];
  switch (selector.kind) {
    case 'exact':
      return names.includes(selector.text);
    case 'layer':
      return layerOf(table) === selector.text;
    case 'tag':
      return tagsOf(properties).includes(selector.text);
    case 'regex': {
      const pattern = new RegExp(selector.text.slice(1, -1));
      return names.some((name) => pattern.test(name));
    }
    case 'glob': {
      const pattern = globPattern(selector.text);
      return names.some((name) => pattern.test(name));
    }
  }
}

/** In small letters; an empty list where the property is missing. */
export function tagsOf(properties: TableProperties): readonly string[] {
  const words = (properties[TAGS_PROPERTY] ?? '').split(',');
  return words.map((word) => word.trim().toLowerCase()).filter((word) => word !== '');
}

/** A table belongs to the layer that its namespace's first level names; `null`: to none. */
export function layerOf(table: TableRef): Layer | null {
  const first = table.namespace.split('.')[0];
  return LAYERS.find((layer) => layer === first) ?? null;
}

function globPattern(glob: string): RegExp {
  if (glob === '*') return /^.*$/;
  const body = glob
    .split('**')
    .map((part) => part.split('*').map(escapeLiteral).join('[^.]*'))
    .join('.*');
  return new RegExp(`^${body}$`);
}

function escapeLiteral(text: string): string {
  return text.replace(/[.\\+?^${}()|[\]-]/g, '\\$&');
}

/**
 * How precisely a selector names a table: everything < layer < regex < glob < tag < exact; among
 * globs the one with more literal characters. A tag is the table's own word: only its name is
 * more precise. Of two equals the policy whose name sorts last wins.
 */
export function specificity(selector: TableSelector): number {
  switch (selector.kind) {
    case 'exact':
      return 10_000;
    case 'glob': {
      const literal = selector.text.replaceAll('*', '').replaceAll('.', '').length;
      return literal === 0 ? 0 : 3_000 + literal;
    }
    case 'tag':
      return 9_000;
    case 'regex':
      return 2_000;
    case 'layer':
      return 1_000;
  }
}
