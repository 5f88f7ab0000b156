/** Reads a schema back from PostgreSQL as text, so that a test can hold it against a golden file. */
import pg from 'pg';

const QUERY = `
select line from (
  select c.relname, 1 as part, a.attnum::text as place,
    format('%s.%s %s%s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
      case when a.attnotnull then ' not null' else '' end,
      case when a.attidentity <> '' then ' identity' else '' end,
      coalesce(case when a.attgenerated <> '' then ' generated ' else ' default ' end
        || pg_get_expr(d.adbin, d.adrelid), '')) as line
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where c.relnamespace = $1::text::regnamespace and c.relkind = 'r'
  union all
  select c.relname, 2, n.conname,
    format('%s: constraint %s %s', c.relname, n.conname, pg_get_constraintdef(n.oid))
  from pg_constraint n join pg_class c on c.oid = n.conrelid
  where n.connamespace = $1::text::regnamespace and n.contype <> 'n'
  union all
  select tablename::text, 3, indexname::text, format('%s: %s', tablename, indexdef)
  from pg_indexes where schemaname = $1::text
  union all
  select c.relname, 4, t.tgname,
    format('%s: %s%s', c.relname, pg_get_triggerdef(t.oid),
      case t.tgenabled when 'A' then ' -- always' else '' end)
  from pg_trigger t join pg_class c on c.oid = t.tgrelid
  where c.relnamespace = $1::text::regnamespace and not t.tgisinternal
  union all
  select '~function', 5, p.proname, pg_get_functiondef(p.oid)
  from pg_proc p where p.pronamespace = $1::text::regnamespace
) as found
order by relname collate "C", part, lpad(place, 60) collate "C"`;

/** One line for each column, constraint, index and trigger of a schema, then its functions. */
export async function dumpSchema(url: string, schema: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ line: string }>(QUERY, [schema]);
    return `${rows.map((row) => row.line.trimEnd()).join('\n')}\n`;
  } finally {
    await client.end();
  }
}
