-- 0001: organizations, their teams and members. Not breaking.
create schema team;
grant usage on schema team to partita_app, partita_system;

create table team.organization (
  id uuid primary key,
  slug text not null unique check (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
  name text not null,
  legal_name text,
  locale text check (locale in ('fr', 'de', 'it', 'es', 'en', 'pt')),
  legal_share_capital_minor bigint,
  legal_country char(2),
  legal_registration_date date,
  legal_form text,
  legal_address text,
  legal_sector text,
  legal_number text,
  contract_signed_at timestamptz,
  created_at timestamptz not null
);

create table team.team (
  id uuid primary key,
  organization_id uuid not null references team.organization,
  name text not null,
  unique (organization_id, name)
);

-- `role` is null only while the person has yet to be invited.
create table team.membership (
  id uuid primary key,
  organization_id uuid not null references team.organization,
  first_name text not null,
  last_name text not null,
  email text,
  role text check (role in ('owner', 'admin', 'manager', 'reporting', 'employee', 'accountant')),
  team_id uuid references team.team,
  residence_country char(2),
  nationality char(2),
  birth_country char(2),
  birthdate date,
  ubo boolean,
  status text not null check (status in ('active', 'invitable', 'pending', 'revoked')),
  created_at timestamptz not null,
  check (role is not null or status = 'invitable')
);
create index membership_listed on team.membership (organization_id, created_at, id);

alter table team.organization enable row level security;
alter table team.organization force row level security;
create policy by_organization on team.organization to partita_app
  using (id = nullif(current_setting('app.organization_id', true), '')::uuid);
create policy by_system on team.organization to partita_system using (true);

do $$
declare name text;
begin
  foreach name in array array['team', 'membership'] loop
    execute format('alter table team.%I enable row level security', name);
    execute format('alter table team.%I force row level security', name);
    execute format($p$create policy by_organization on team.%I to partita_app using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid)$p$, name);
    execute format('create policy by_system on team.%I to partita_system using (true)', name);
  end loop;
end $$;

grant select on team.organization, team.team, team.membership to partita_app;
grant select, insert, update on team.organization, team.team, team.membership to partita_system;
