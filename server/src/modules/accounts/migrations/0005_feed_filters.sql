-- 0005: rows created since a moment, and rows with attachments, are found without reading the whole feed. Not breaking.

-- Clients that keep a copy ask by `created_at`. Rows are written in that order, so a summary of each range of pages says where to look:
-- 32 kB for half a million rows, and next to nothing per insert, where a B-tree would cost every transfer two entries.
create index transaction_by_creation on accounts.transaction using brin (created_at) with (pages_per_range = 32, autosummarize = on);

-- Few rows have attachments, and none when it is written.
create index transaction_with_attachments on accounts.transaction (bank_account_id, settled_at desc, id desc)
  include (organization_id, status, side, operation_type) where attachment_ids <> '{}';
