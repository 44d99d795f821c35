-- 0006: what has not settled is found wherever it stands in the feed. Not breaking.

-- Pending and declined rows are few, and clients poll for them in every order; the lists' own indexes would be read from end to end.
create index transaction_unsettled on accounts.transaction (bank_account_id, status) where status <> 'completed';
