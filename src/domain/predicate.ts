/** A look at a predicate that a person typed, before an engine sees it. */
import { IcewrightError } from './errors.ts';

const WORDS = new Set(
  (
    'and or not in is null between like ilike rlike escape true false case when then else end ' +
    'as cast date time timestamp interval year month day hour minute second to with zone ' +
    'distinct from exists any all some unknown array row decimal bigint int integer double ' +
    'varchar string boolean current_date current_timestamp'
  ).split(' '),
);

/** Strings and quoted names, comments, names with dots, brackets, and any other character. */
const TOKEN = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|--|\/\*|[A-Za-z_]\w*(?:\.\w+)*|\d[\w.]*|\S/g;

const LENGTH_LIMIT = 4_000;

/**
 * Names in a predicate that could be columns: lower case, without functions and keywords.
 * Throws `UsageInvalid` for what can be no single predicate: a semicolon, a comment, an open
 * quote or bracket.
 */
export function namesInPredicate(where: string): readonly string[] {
  if (where.trim() === '') throw invalid(where, 'it is empty');
  if (where.length > LENGTH_LIMIT) throw invalid(where, `it exceeds ${LENGTH_LIMIT} characters`);
  const tokens = where.match(TOKEN) ?? [];
  checkShape(where, tokens);
  const names = tokens.flatMap((token, index) => nameAt(tokens, index, token));
  return [...new Set(names)];
}

function nameAt(tokens: readonly string[], index: number, token: string): readonly string[] {
  if (token.startsWith('`')) return [token.slice(1, -1).toLowerCase()];
  if (!/^[A-Za-z_]/.test(token) || tokens[index + 1] === '(') return [];
  const name = token.toLowerCase();
  return WORDS.has(name) ? [] : [name];
}

function checkShape(where: string, tokens: readonly string[]): void {
  let depth = 0;
  for (const token of tokens) {
    if (token === ';') throw invalid(where, 'it holds a semicolon');
    if (token === '--' || token === '/*') throw invalid(where, 'it holds a comment');
    if (token === "'" || token === '"' || token === '`') throw invalid(where, 'a quote stays open');
    if (token === '(') depth += 1;
    if (token === ')') depth -= 1;
    if (depth < 0) throw invalid(where, 'a bracket closes that was not opened');
  }
  if (depth > 0) throw invalid(where, 'a bracket stays open');
}

function invalid(where: string, why: string): IcewrightError {
  const text = `the predicate is not usable: ${why}; write for example "order_id < 100"`;
  return new IcewrightError('UsageInvalid', text, { length: where.length });
}
