-- 0001: statement files, and what they tell about accounts at other banks, become a module's own; the accounts' migrations made them. Breaks code before it.
-- Tables keep their rows, indexes, policies and grants.
create schema connections;
grant usage on schema connections to partita_app, partita_system;
alter table accounts.external_history set schema connections;
alter table accounts.carried_balance set schema connections;
alter table accounts.imported_file set schema connections;
alter table accounts.imported_statement set schema connections;
