-- 0006: a long transaction may have its month's partition made before it begins. Not breaking.
--
-- `post_batch` makes the partition of a month with its first transfer, under a lock that is held until that transaction ends. Where it
-- is a statement file of many thousand entries, everybody else's first transfer of the month would wait for the whole file.
grant execute on function ledger.ensure_partition to partita_system;
