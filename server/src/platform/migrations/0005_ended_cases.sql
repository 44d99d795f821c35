-- 0005: cases that have ended are found by their age, without reading those that are open. Not breaking.
create index failed_item_ended on platform.failed_item (done_at) where done_at is not null;
