import type { EngineRow } from '../../domain/engine.ts';

/** Trino's description of a type: `array(bigint)` is `{rawType: array, arguments: [bigint]}`. */
export interface TypeSignature {
  readonly rawType: string;
  readonly arguments?: readonly TypeArgument[];
}

export interface TypeArgument {
  readonly kind: string;
  /** A `TypeSignature` for `TYPE`; `{fieldName: {name}, typeSignature}` for `NAMED_TYPE`. */
  readonly value: unknown;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly typeSignature?: TypeSignature;
}

type Decode = (value: unknown) => unknown;

/**
 * Turns Trino's rows (arrays) into objects by column name. `bigint` comes as `bigint`, `real` and
 * `double` as numbers (also NaN and infinities), rows as objects, maps as objects, decimals, dates,
 * times and timestamps as strings, `varbinary` as base64.
 */
export function decodeRows(
  columns: readonly Column[],
  data: readonly (readonly unknown[])[],
): EngineRow[] {
  const decoders = columns.map((column) => nullSafe(decoderOf(signatureOf(column))));
  return data.map((row) => {
    const decoded: Record<string, unknown> = {};
    for (const [index, column] of columns.entries()) {
      decoded[column.name] = decoders[index]?.(row[index]);
    }
    return decoded;
  });
}

function signatureOf(column: Column): TypeSignature {
  return column.typeSignature ?? { rawType: column.type };
}

function nullSafe(decode: Decode): Decode {
  return (value) => (value === null || value === undefined ? null : decode(value));
}

function decoderOf(type: TypeSignature): Decode {
  switch (type.rawType) {
    case 'bigint':
      return (value) => BigInt(value as string | number);
    // NaN, Infinity and -Infinity have no JSON form and come as text; so does an integral
    // double of more than 2^53, which the exact parser leaves as it was written.
    case 'real':
    case 'double':
      return Number;
    case 'array': {
      const item = argumentDecoder(type, 0);
      return (value) => (value as readonly unknown[]).map(item);
    }
    case 'map': {
      const item = argumentDecoder(type, 1);
      return (value) =>
        Object.fromEntries(Object.entries(value as object).map(([key, held]) => [key, item(held)]));
    }
    case 'row':
      return rowDecoder(type);
    default:
      return (value) => value;
  }
}

function argumentDecoder(type: TypeSignature, index: number): Decode {
  const argument = type.arguments?.[index]?.value as TypeSignature | undefined;
  return nullSafe(argument === undefined ? (value) => value : decoderOf(argument));
}

interface NamedType {
  readonly fieldName?: { readonly name: string } | null;
  readonly typeSignature: TypeSignature;
}

function rowDecoder(type: TypeSignature): Decode {
  const fields = (type.arguments ?? []).map((argument, index) => {
    const named = argument.value as NamedType;
    // An anonymous field gets the name that Trino itself shows for it.
    const name = named.fieldName?.name ?? `field${index}`;
    return { name, decode: nullSafe(decoderOf(named.typeSignature)) };
  });
  return (value) => {
    const held = value as readonly unknown[];
    return Object.fromEntries(
      fields.map((field, index) => [field.name, field.decode(held[index])]),
    );
  };
}
