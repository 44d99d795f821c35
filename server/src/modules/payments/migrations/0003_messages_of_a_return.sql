-- 0003: the messages about a receipt that goes back are found without reading all messages. Not breaking.
create index outgoing_message_of_return on payments.outgoing_message (incoming_transfer_id) where incoming_transfer_id is not null;
