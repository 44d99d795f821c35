-- 0008: tables that name an account can say that it is of their organization. Not breaking.
alter table accounts.bank_account add constraint bank_account_of_organization unique (organization_id, id);
