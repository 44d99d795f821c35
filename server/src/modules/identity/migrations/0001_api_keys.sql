-- 0001: API keys. Not breaking.
create schema identity;
grant usage on schema identity to partita_app, partita_system;

-- A secret is shown once and kept as its SHA-256: 256 random bits need no slow hash. `login` is the first half of the credential (the
-- organization's slug), `membership_id` whom the key acts for, `prefix` what people and logs may see of it.
create table identity.api_key (
  id uuid primary key,
  organization_id uuid not null,
  membership_id uuid not null,
  login text not null,
  prefix text not null,
  secret_sha256 bytea not null unique check (length(secret_sha256) = 32),
  created_at timestamptz not null,
  revoked_at timestamptz check (revoked_at >= created_at)
);
-- One live key per organization: making a new one revokes the former.
create unique index api_key_live on identity.api_key (organization_id) where revoked_at is null;

alter table identity.api_key enable row level security;
alter table identity.api_key force row level security;
create policy by_organization on identity.api_key to partita_app
  using (organization_id = nullif(current_setting('app.organization_id', true), '')::uuid);
create policy by_system on identity.api_key to partita_system using (true);
-- Authentication happens before the organization is known, so it runs as partita_system; partita_app has no use for the hashes.
grant select (id, organization_id, membership_id, login, prefix, created_at, revoked_at) on identity.api_key to partita_app;
grant select, insert on identity.api_key to partita_system;
grant update (revoked_at) on identity.api_key to partita_system;
