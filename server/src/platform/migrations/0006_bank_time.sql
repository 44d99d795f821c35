-- 0006: how far ahead of the bank's clock a caller may claim to be. Not breaking.
-- Clocks of machines differ by seconds; a day of difference is a fault. The sandbox moves the clock itself, never this.
alter table platform.bank_clock add column ahead_max interval not null default '1 day';
revoke update on platform.bank_clock from partita_system;
grant update (offset_ms) on platform.bank_clock to partita_system;
revoke all on all functions in schema platform from public;
grant execute on function platform.held to partita_system;
