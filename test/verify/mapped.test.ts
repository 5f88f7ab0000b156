/** Mapped columns: whole values are compared, by what they mean. */
import { describe, expect, test } from 'vitest';
import type { Identifier, SubjectValues, TableMapping } from '../../src/domain/erasure/privacy.ts';
import type { HashedValues } from '../../src/verify/ports.ts';
import { encodeAvro } from './avro-file.ts';
import {
  FIELDS,
  field,
  LOCATION,
  MAPPING,
  METADATA,
  metadataJson,
  SUBJECT,
  tracesOf,
  verifyOne,
} from './fixture.ts';
import { createMemoryStore } from './memory-store.ts';

interface Column {
  readonly name: string;
  /** Of Iceberg, and of Avro. */
  readonly type: unknown;
  readonly avro: unknown;
  readonly identifier: Identifier;
}

const identifier = (name: string, type: Identifier['type'], trace = true): Identifier => {
  return { name, type, links: !trace, trace };
};
const NAME = identifier('full_name', 'string');
const MAIL = identifier('email', 'string');
const PHONE = identifier('phone', 'string');
const CARD = identifier('card_number', 'bigint');
const BORN = identifier('born', 'string');
const KEY = identifier('customer_id', 'bigint', false);
const SESSION = identifier('session', 'string', false);

const asText = (one: Identifier): Column => {
  return { name: 'held', type: 'string', avro: 'string', identifier: one };
};
const asLong = (one: Identifier): Column => {
  return { name: 'held', type: 'long', avro: 'long', identifier: one };
};
const asDate = (one: Identifier): Column => {
  const day = { type: 'int', logicalType: 'date' };
  return { name: 'held', type: 'date', avro: day, identifier: one };
};
/** A field `held` of the JSON in the column. */
const asJson = (one: Identifier): Column => ({ ...asText(one), name: 'doc.held' });
const asUuid = (one: Identifier): Column => {
  const fixed = { type: 'fixed', name: 'u', size: 16, logicalType: 'uuid' };
  return { name: 'held', type: 'uuid', avro: fixed, identifier: one };
};

async function tracesIn(
  column: Column,
  held: unknown,
  values: SubjectValues,
  hashed?: HashedValues,
): Promise<readonly string[]> {
  const [top = ''] = column.name.split('.');
  const schema = {
    type: 'record',
    name: 't',
    fields: [{ name: top, type: ['null', column.avro], 'field-id': 50, default: null }],
  };
  const store = createMemoryStore();
  const fields = [...FIELDS, field(50, top, column.type)];
  store.put(METADATA, metadataJson({ schemas: [{ 'schema-id': 0, type: 'struct', fields }] }));
  store.put(`${LOCATION}/data/x.avro`, await encodeAvro(schema, [{ [top]: held }]));
  const { identifier: one } = column;
  const mapping: TableMapping = {
    ...MAPPING,
    match: { customer_id: ['customer_id'] },
    holds: { [one.name]: [column.name] },
  };
  const identifiers = [...SUBJECT.identifiers.filter(({ name }) => name !== one.name), one];
  const verified = await verifyOne(store, {
    subject: { ...SUBJECT, identifiers },
    mapping,
    subjects: [{ requestId: 'r1', values }],
    ...(hashed === undefined ? {} : { hashed }),
  });
  return tracesOf(verified);
}

const UUID = 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11';
const uuidBytes = Buffer.from(UUID.replaceAll('-', ''), 'hex');

describe('a value is found in its column', () => {
  test.each<readonly [string, Column, unknown, string]>([
    ['short', asText(MAIL), 'a@b.c', 'a@b.c'],
    ['short, in JSON', asJson(MAIL), '{"held":"A@b.c"}', 'a@b.c'],
    ['short, in JSON, after another', asJson(NAME), '{"held":"{}","held":"Ann"}', 'Ann'],
    ['digits in a column of numbers', asLong(PHONE), 491711234567, '491711234567'],
    ['a number', asLong(CARD), 42, '42'],
    ['a number as text', asText(CARD), '42', '42'],
    ['a day', asDate(BORN), 3789, '1980-05-17'],
    ['a day as text', asText(BORN), '1980-05-17', '1980-05-17'],
    ['other capitals', asText(NAME), 'ANN LEE-MÜLLER', 'Ann Lee-Müller'],
    ['an e-mail among other words', asText(MAIL), 'Ann <ann@x.example>', 'ann@x.example'],
    ['zeros before it', asText(KEY), '04217001', '4217001'],
    ['a sign', asText(KEY), '+4217001', '4217001'],
    ['a point', asText(KEY), '4217001.0', '4217001'],
    ['an exponent', asText(KEY), '4.217001E6', '4217001'],
    ['a number in JSON, with an exponent', asJson(KEY), '{"held":4.217001e6}', '4217001'],
    ['beyond 2^53', asJson(KEY), '{"held":9007199254740993}', '9007199254740993'],
    ['a member that stands twice', asJson(KEY), '{"held":4217001,"held":1}', '4217001'],
    ['escaped in JSON', asJson(SESSION), '{"held":"s\\u00e9-1\\/2"}', 'sé-1/2'],
    ['a UUID in capitals', asUuid(SESSION), uuidBytes, UUID],
    ['a UUID', asUuid(SESSION), uuidBytes, UUID.toLowerCase()],
    ['a UUID as text', asText(SESSION), UUID.toLowerCase(), UUID],
  ])('%s', async (_, column, held, value) => {
    const { name } = column.identifier;
    expect(await tracesIn(column, held, { [name]: [value] })).toEqual([`data ${name} row`]);
  });
});

describe('somebody else’s is none', () => {
  test.each<readonly [string, Column, unknown, string]>([
    ['a longer name', asText(NAME), 'Maria Garcia Lopez', 'Maria Garcia'],
    ['a longer name in JSON', asJson(NAME), '{"held":"Maria Garcia Lopez"}', 'Maria Garcia'],
    ['a longer phone', asText(PHONE), '+49 30-555-0100', '555-0100'],
    ['a longer name, short', asText(NAME), 'Ann Lee', 'Ann'],
    ['a text with zeros', asJson(SESSION), '{"held":"42"}', '0042'],
    ['a text with zeros, as a number', asJson(SESSION), '{"held":42}', '0042'],
    ['another member', asJson(NAME), '{"other":"Ann","held":"Bob"}', 'Ann'],
    ['another number', asText(KEY), '42170010', '4217001'],
    ['another day', asDate(BORN), 3790, '1980-05-17'],
    ['broken JSON with a digit', asJson(KEY), 'broken { 7', '7'],
    ['broken JSON with a longer word', asJson(NAME), 'broken { annual', 'Ann'],
  ])('%s', async (_, column, held, value) => {
    const { name } = column.identifier;
    expect(await tracesIn(column, held, { [name]: [value] })).toEqual([]);
  });

  test.each<readonly [string, Column, unknown, string, string]>([
    ['beside it', asJson(NAME), '{"held":"x","note":"of Maria Garcia"}', 'Maria Garcia', 'row'],
    ['a member’s name', asJson(NAME), '{"Maria Garcia":"x"}', 'Maria Garcia', 'row'],
  ])('but it is found %s', async (_, column, held, value, how) => {
    const { name } = column.identifier;
    expect(await tracesIn(column, held, { [name]: [value] })).toEqual([`data ${name} ${how}`]);
  });

  test('and what is no JSON, and names the member before the value, cannot be read', async () => {
    const seen = await tracesIn(asJson(KEY), '{"held": 4217001', { customer_id: ['4217001'] });
    expect(seen).toEqual(['data no_json unreadable']);
    const short = await tracesIn(asJson(NAME), '{"held": "Ann', { full_name: ['Ann'] });
    expect(short).toEqual(['data no_json unreadable']);
  });
});

describe('by its hash', () => {
  const hashedOf = (name: string, value: string): HashedValues => {
    const hashOf = (of: string, text: string) => `${of}:${text}`;
    return { hashes: new Map([[name, new Set([hashOf(name, value)])]]), hashOf };
  };
  test.each<readonly [string, Column, unknown, string]>([
    ['a UUID', asUuid(SESSION), uuidBytes, UUID.toLowerCase()],
    ['a UUID that was given in capitals', asUuid(SESSION), uuidBytes, UUID],
    ['zeros before a number', asText(KEY), '04217001', '4217001'],
    ['in capitals', asText(MAIL), 'Ann@x.example', 'Ann@x.example'],
    ['a day', asDate(BORN), 3789, '1980-05-17'],
  ])('%s', async (_, column, held, value) => {
    const { name } = column.identifier;
    const seen = await tracesIn(column, held, {}, hashedOf(name, value));
    expect(seen).toEqual([`data ${name} row`]);
  });
});
