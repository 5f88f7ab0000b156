/** Avro data files of the fixture's table, written by another library. */
import avro from 'avsc';

const optional = (type: unknown, id: number, name: string) => ({
  name,
  type: ['null', type],
  default: null,
  'field-id': id,
});

const SCHEMA = {
  type: 'record',
  name: 'table',
  fields: [
    optional('long', 2, 'customer_id'),
    optional('string', 3, 'email'),
    optional(
      {
        type: 'record',
        name: 'before_t',
        fields: [optional('long', 5, 'customer_id'), optional('string', 6, 'note')],
      },
      4,
      'before',
    ),
    optional('string', 7, 'after'),
    optional('string', 8, 'note'),
    optional({ type: 'array', items: 'long', 'element-id': 10 }, 9, 'ids'),
    optional('string', 12, 'key_text'),
    optional('bytes', 14, 'payload'),
  ],
};

export interface AvroRow {
  readonly customer_id?: number;
  readonly email?: string;
  readonly before?: { readonly customer_id?: number; readonly note?: string };
  readonly after?: string;
  readonly note?: string;
  readonly ids?: readonly number[];
  readonly key_text?: string;
  readonly payload?: Buffer;
}

export function encodeData(
  rows: readonly AvroRow[],
  codec: 'null' | 'deflate' = 'deflate',
): Promise<Buffer> {
  return encodeAvro(SCHEMA, rows, codec);
}

/** Of any schema; optional values are of branches that tell themselves apart. */
export async function encodeAvro(
  schema: object,
  rows: readonly object[],
  codec: 'null' | 'deflate' = 'null',
): Promise<Buffer> {
  // Of a schema that it parsed, the library would write neither field ids nor all logical types.
  const encoder = new avro.streams.BlockEncoder(
    schema as never,
    { codec, blockSize: 2_000 } as never,
  );
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => encoder.on('end', resolve));
  for (const row of rows) encoder.write(row);
  encoder.end();
  await ended;
  return Buffer.concat(chunks);
}
