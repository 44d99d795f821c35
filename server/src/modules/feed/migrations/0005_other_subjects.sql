-- 0005: what a movement is about is indexed beside its entry's key only where it is another: an internal transfer is both. Not breaking, but it holds the feed while it indexes it.
-- Who looks for any subject asks both: `subject_id = $1 and subject_id is distinct from ledger_key`, and `ledger_key = $1 and subject_id = ledger_key`.
drop index feed.transaction_by_subject;
create index transaction_by_subject on feed.transaction (subject_id) where subject_id is distinct from ledger_key;
