-- 0006: what a message of ours carries, and what one of the rail’s says, stands row by row. Breaks code before it.

-- What a message of ours is about: the transfers that a pacs.008 pays, or the one that a pacs.028 asks about.
create table payments.outgoing_message_transfer (
  message_id uuid not null references payments.outgoing_message,
  transfer_id uuid not null references payments.credit_transfer,
  primary key (transfer_id, message_id)
);
create index outgoing_message_transfer_of on payments.outgoing_message_transfer (message_id);
insert into payments.outgoing_message_transfer (message_id, transfer_id)
select id, transfer_id from payments.outgoing_message where transfer_id is not null;
do $$
begin
  assert (select count(*) from payments.outgoing_message_transfer) = (select count(transfer_id) from payments.outgoing_message),
    'every message keeps its transfer';
end $$;
alter table payments.outgoing_message drop column transfer_id;
grant select, insert on payments.outgoing_message_transfer to partita_system;

-- A message of the rail is stored when it is fetched, read after that (`read_at`), and each of its parts (a transaction, or what is said of a
-- whole group) is applied by itself. `outcome` of the message is what was made of it before, and of what has no part: unreadable, or nothing said.
alter table payments.incoming_message alter column outcome drop not null, add column read_at timestamptz;
update payments.incoming_message set read_at = received_at;
create index incoming_message_unread on payments.incoming_message (sequence) where read_at is null;
grant update (outcome, read_at) on payments.incoming_message to partita_system;

create table payments.incoming_message_part (
  rail_message_id text not null references payments.incoming_message,
  position integer not null,
  sequence bigint not null, -- its message's
  outcome text,
  applied_at timestamptz,
  primary key (rail_message_id, position),
  check ((outcome is null) = (applied_at is null))
);
create index incoming_message_part_waiting on payments.incoming_message_part (sequence, rail_message_id, position) where applied_at is null;
grant select, insert, update on payments.incoming_message_part to partita_system;

-- Messages whose effect failed were given up on, nothing of them was done: each becomes a case, and is read and applied when a person takes
-- it up (`partita worker retry --pass payments.read`).
select platform.open_case('payments.read', rail_message_id, null, null, outcome, received_at)
  from payments.incoming_message where outcome like 'failed: %';
update payments.incoming_message set outcome = null, read_at = null where outcome like 'failed: %';
