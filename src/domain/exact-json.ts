/** What V8 hands a reviver besides key and value: the number's own text. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const LONG_DIGITS = /\d{16}/;
const INTEGER = /^-?\d+$/;

/**
 * `JSON.parse` that keeps 64-bit integers exact: an integer beyond 2^53 comes as its decimal
 * string, every other value as usual. Snapshot ids and `bigint` columns need it.
 * @throws SyntaxError as `JSON.parse` does
 */
export function parseExactJson(text: string): unknown {
  if (!LONG_DIGITS.test(text)) return JSON.parse(text);
  return (JSON.parse as (text: string, reviver: Reviver) => unknown)(text, keepExact);
}

function keepExact(_key: string, value: unknown, context: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context.source;
  return source !== undefined && INTEGER.test(source) ? source : value;
}
