-- 0007: the feed is vacuumed often, a little at a time, and slowly. Not breaking.
-- Its lists are read from indexes alone only where pages are marked as visible to all, so what is new is looked at from 50,000 rows on, with each
-- round of autovacuum, instead of at a twentieth of the feed. What is dead (a movement that waited and was completed) is rarer, and
-- taking it out scans all indexes, whose cost goes with the whole feed: from a twentieth on. 100 units of cost each 5 ms are 1,000 dirtied
-- pages or 8 MB a second, as much as 4,000 transfers a second write here.
alter table feed.transaction set (
  autovacuum_vacuum_insert_threshold = 50000, autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_cost_limit = 100, autovacuum_vacuum_cost_delay = 5, autovacuum_analyze_scale_factor = 0.05);
