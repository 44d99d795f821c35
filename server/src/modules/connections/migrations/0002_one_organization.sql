-- 0002: what statement files tell belongs to the account's organization. Not breaking.
alter table connections.imported_file add constraint imported_file_of_organization unique (organization_id, id);
alter table connections.imported_statement
  drop constraint imported_statement_imported_file_id_fkey,
  drop constraint imported_statement_bank_account_id_fkey,
  add constraint file_is_of_the_same_organization
    foreign key (organization_id, imported_file_id) references connections.imported_file (organization_id, id),
  add constraint account_is_of_the_same_organization
    foreign key (organization_id, bank_account_id) references accounts.bank_account (organization_id, id);
alter table connections.external_history
  drop constraint external_history_bank_account_id_fkey,
  add constraint account_is_of_the_same_organization
    foreign key (organization_id, bank_account_id) references accounts.bank_account (organization_id, id);
alter table connections.carried_balance
  drop constraint carried_balance_bank_account_id_fkey,
  add constraint account_is_of_the_same_organization
    foreign key (organization_id, bank_account_id) references accounts.bank_account (organization_id, id);
