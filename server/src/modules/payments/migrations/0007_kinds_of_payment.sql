-- 0007: the feed is told which of its rows are about which kind of payment. Not breaking.
set local role partita_system; -- the owner is bound by row-level security as well, and would see no row
select feed.name_payments('internal_transfer', array(select id from payments.internal_transfer));
select feed.name_payments('credit_transfer', array(select id from payments.credit_transfer));
select feed.name_payments('incoming_transfer', array(select id from payments.incoming_transfer));
set local role partita_owner;
