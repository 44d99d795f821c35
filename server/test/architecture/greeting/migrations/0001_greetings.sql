-- 0001: what guests said. Not breaking.
create schema greeting;
grant usage on schema greeting to partita_app, partita_system;
create table greeting.greeting (
  id uuid primary key,
  organization_id uuid not null,
  words text not null,
  is_answered boolean not null default false,
  is_heard boolean not null default false
);
select platform.tenant_table('greeting.greeting');
grant select, insert, update on greeting.greeting to partita_app, partita_system;
