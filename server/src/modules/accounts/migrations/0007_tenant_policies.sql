-- 0007: the tables' policies come from their one definition. Not breaking.
select platform.tenant_table(name) from unnest(array[
  'accounts.book_route', 'accounts.bank_account', 'accounts.transaction', 'accounts.feed_count', 'accounts.label', 'accounts.transaction_label',
  'accounts.external_history', 'accounts.imported_file', 'accounts.imported_statement', 'accounts.carried_balance']::regclass[]) as name;
