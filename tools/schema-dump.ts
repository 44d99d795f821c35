import type pg from 'pg'

/**
 * The whole schema as text, read from PostgreSQL's own catalogs in a fixed order, so that two databases with the same schema give the
 * same text. It is for reading and for proving that the committed `server/schema.sql` is what the migrations make; it is not a backup.
 */
export async function dumpSchema(client: Pick<pg.Client, 'query'>): Promise<string> {
  const parts: string[] = ['-- Made by `npm run generate` from the migrations. Do not edit.']
  for (const query of SECTIONS) {
    const { rows } = await client.query<{ text: string }>(query)
    parts.push(...rows.map((row) => row.text))
  }
  return `${parts.join('\n\n')}\n`
}

const OURS = `n.nspname not in ('pg_catalog', 'information_schema', 'public', 'migration') and n.nspname not like 'pg\\_%'`

// Monthly partitions are made as time goes by: they are not part of the schema that the migrations promise.
const NO_PARTITION = 'not c.relispartition'

const SECTIONS: readonly string[] = [
  `select format('create schema %I;', n.nspname) as text from pg_namespace n where ${OURS} order by n.nspname`,
  `select format('create type %I.%I as enum (%s);', n.nspname, t.typname,
                   (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid)) as text
              from pg_type t join pg_namespace n on n.oid = t.typnamespace
             where ${OURS} and t.typtype = 'e' order by n.nspname, t.typname`,
  `select format('create type %I.%I as (%s);', n.nspname, t.typname,
                   (select string_agg(format('%I %s', a.attname, format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum)
                      from pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0 and not a.attisdropped)) as text
              from pg_type t join pg_namespace n on n.oid = t.typnamespace join pg_class c on c.oid = t.typrelid
             where ${OURS} and t.typtype = 'c' and c.relkind = 'c' order by n.nspname, t.typname`,
  `select format('create sequence %I.%I;', n.nspname, c.relname) as text
              from pg_class c join pg_namespace n on n.oid = c.relnamespace
             where ${OURS} and c.relkind = 'S' and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype in ('i', 'a'))
             order by n.nspname, c.relname`,
  `select format(E'create table %I.%I (\\n%s\\n)%s%s;', n.nspname, c.relname, concat_ws(E',\\n', cols.text, cons.text),
                   case when c.relkind = 'p' then ' partition by ' || pg_get_partkeydef(c.oid) else '' end,
                   coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '')) as text
              from pg_class c join pg_namespace n on n.oid = c.relnamespace
              join lateral (
                select string_agg(format('  %I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
                         case when a.attidentity <> '' then ' generated ' || case a.attidentity when 'a' then 'always' else 'by default' end || ' as identity' else '' end,
                         case when a.attgenerated = 's' then ' generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
                              when d.adbin is not null then ' default ' || pg_get_expr(d.adbin, d.adrelid) else '' end,
                         case when a.attnotnull then ' not null' else '' end), E',\\n' order by a.attnum) as text
                  from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                 where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) cols on true
              left join lateral (
                select string_agg(format('  constraint %I %s', k.conname, pg_get_constraintdef(k.oid)), E',\\n' order by k.contype, k.conname) as text
                  from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'c', 'f', 'x')) cons on true
             where ${OURS} and c.relkind in ('r', 'p') and ${NO_PARTITION} order by n.nspname, c.relname`,
  `select pg_get_indexdef(i.indexrelid) || ';' as text
              from pg_index i join pg_class c on c.oid = i.indrelid join pg_namespace n on n.oid = c.relnamespace
             where ${OURS} and ${NO_PARTITION} and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)
             order by n.nspname, c.relname, i.indexrelid::regclass::text`,
  `select format(E'create view %I.%I as\\n%s', n.nspname, c.relname, pg_get_viewdef(c.oid)) as text
              from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${OURS} and c.relkind = 'v' order by n.nspname, c.relname`,
  `select rtrim(pg_get_functiondef(p.oid)) || ';' as text
              from pg_proc p join pg_namespace n on n.oid = p.pronamespace
             where ${OURS} and p.prokind in ('f', 'p') order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)`,
  `select pg_get_triggerdef(t.oid) || ';' as text
              from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace
             where ${OURS} and ${NO_PARTITION} and not t.tgisinternal order by n.nspname, c.relname, t.tgname`,
  `select format('alter table %I.%I enable row level security;%s', n.nspname, c.relname,
                   case when c.relforcerowsecurity then format(E'\\nalter table %I.%I force row level security;', n.nspname, c.relname) else '' end) as text
              from pg_class c join pg_namespace n on n.oid = c.relnamespace where ${OURS} and c.relrowsecurity order by n.nspname, c.relname`,
  `select format('create policy %I on %I.%I for %s to %s%s%s;', p.policyname, p.schemaname, p.tablename, lower(p.cmd), array_to_string(p.roles, ', '),
                   coalesce(' using (' || p.qual || ')', ''), coalesce(' with check (' || p.with_check || ')', '')) as text
              from pg_policies p join pg_namespace n on n.nspname = p.schemaname where ${OURS} order by p.schemaname, p.tablename, p.policyname`,
  `select format('grant %s on %s %I.%I to %I;', string_agg(lower(g.privilege_type), ', ' order by g.privilege_type),
                   case when c.relkind = 'S' then 'sequence' else 'table' end, n.nspname, c.relname, g.grantee::regrole) as text
              from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(c.relacl) g
             where ${OURS} and ${NO_PARTITION} and g.grantee <> c.relowner and g.grantee <> 0
             group by n.nspname, c.relname, c.relkind, g.grantee order by n.nspname, c.relname, g.grantee::regrole::text`,
  `select format('grant %s (%I) on table %I.%I to %I;', string_agg(lower(g.privilege_type), ', ' order by g.privilege_type),
                   a.attname, n.nspname, c.relname, g.grantee::regrole) as text
              from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(a.attacl) g
             where ${OURS} and ${NO_PARTITION} and a.attacl is not null
             group by n.nspname, c.relname, a.attname, a.attnum, g.grantee order by n.nspname, c.relname, a.attnum, g.grantee::regrole::text`,
  `select format('grant execute on function %I.%I(%s) to %s;', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid),
                   case when g.grantee = 0 then 'public' else quote_ident(g.grantee::regrole::text) end) as text
              from pg_proc p join pg_namespace n on n.oid = p.pronamespace cross join lateral aclexplode(p.proacl) g
             where ${OURS} and g.grantee <> p.proowner order by n.nspname, p.proname, pg_get_function_identity_arguments(p.oid), 1`,
]
