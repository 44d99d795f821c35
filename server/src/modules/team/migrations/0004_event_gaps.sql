-- 0004: organizations that are older than the archive of events say since when theirs is complete. Not breaking.
alter table team.organization no force row level security;
select platform.declare_event_gap(array(select id from team.organization));
alter table team.organization force row level security;
