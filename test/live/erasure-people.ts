/** Small tables of people, one of whom is to be forgotten. */
import type { Office } from './erasure-support.ts';
import type { Lake } from './lake.ts';

/** A small table of people: name, e-mail, and a row for each visit. */
export interface PeopleTable {
  readonly table: string;
  readonly version: 2 | 3;
  readonly deletes: 'copy-on-write' | 'merge-on-read';
}

export const SUBJECT = {
  key: '7700000123',
  email: 'wilhelmina.quast@example.org',
  name: 'Wilhelmina Quast-Ottersleben',
} as const;
export const SOUGHT = {
  texts: { email: SUBJECT.email, name: SUBJECT.name },
  numbers: { key: SUBJECT.key },
  columns: ['customer_id'],
} as const;

/** The policy for tables of {@link makePeople}. */
export function peoplePolicy(tables: readonly string[], collect = '0s'): string {
  const mapped = tables.map(
    (table) => `      - table: ${table.replace('lake.', '')}
        match: { customer_id: customer_id }
        holds: { email: email, full_name: full_name }
`,
  );
  return `kind: privacy
name: office
deadline: 30d
warnAt: [20d, 25d]
collect: ${collect}
subjects:
  customer:
    key: customer_id
    identifiers:
      customer_id: { type: bigint, links: true }
      email: { trace: true }
      full_name: { trace: true }
    tables:
${mapped.join('')}sinks: []
`;
}

/** Others in four files of two partitions, the subject in one row of each partition. */
export async function makePeople(
  { lake, base }: Pick<Office, 'lake' | 'base'>,
  { table, version, deletes }: PeopleTable,
): Promise<void> {
  const [, namespace, name] = table.split('.');
  await lake.spark(`CREATE NAMESPACE IF NOT EXISTS lake.${namespace}`);
  await lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await lake.spark(
    `CREATE TABLE ${table} (visit BIGINT, customer_id BIGINT, email STRING, full_name STRING,
       day DATE) USING iceberg PARTITIONED BY (day) LOCATION '${base}/${namespace}/${name}'
     TBLPROPERTIES ('format-version' = '${version}', 'write.delete.mode' = '${deletes}',
       'write.update.mode' = '${deletes}')`,
  );
  await lake.spark(
    `INSERT INTO ${table} SELECT id, 1000000 + id % 40, concat('user', id % 40, '@example.org'),
       concat('Name ', id % 40), date_add(DATE '2026-01-01', CAST(id % 2 AS INT)) FROM range(400)
     UNION ALL SELECT 1000 + id, ${SUBJECT.key}L, '${SUBJECT.email}', '${SUBJECT.name}',
       date_add(DATE '2026-01-01', CAST(id AS INT)) FROM range(2)`,
  );
  await lake.spark(`INSERT INTO ${table} SELECT visit + 5000, customer_id, email, full_name, day
    FROM ${table} WHERE visit % 7 = 0 OR customer_id = ${SUBJECT.key}`);
}

/**
 * Counts and sums over everybody but the subject: equal before and after.
 * @param known what the subject's rows hold, one of these each, and nobody else's
 */
export async function othersOf(
  lake: Lake,
  table: string,
  ref = 'main',
  known: readonly string[] = [SUBJECT.key],
): Promise<unknown> {
  const columns = (await lake.spark(`DESCRIBE TABLE ${table}`))
    .map((row) => String(row.col_name))
    .filter((name) => /^\w+$/.test(name));
  const all = [...new Set(columns)].map((one) => `\`${one}\``).join(', ');
  const [row] = await lake.spark(
    `SELECT count(*) AS n, CAST(sum(CAST(xxhash64(${all}) AS DECIMAL(38, 0))) AS STRING) AS h
     FROM ${table}${ref === 'main' ? '' : ` VERSION AS OF '${ref}'`}
     WHERE NOT coalesce(to_json(struct(${all})) RLIKE '${known.join('|')}', false)`,
  );
  return { n: Number(row?.n), h: row?.h };
}
