-- 0005: what belongs to a payment file or a transfer is of its organization, and an organization's payments are found without reading all. Not breaking, but it holds the tables while it indexes them.
alter table payments.payment_file add constraint payment_file_of_organization unique (organization_id, id);
alter table payments.payment_file_refusal
  drop constraint payment_file_refusal_payment_file_id_fkey,
  add constraint file_is_of_the_same_organization
    foreign key (organization_id, payment_file_id) references payments.payment_file (organization_id, id);
alter table payments.payment_file_answer
  drop constraint payment_file_answer_payment_file_id_fkey,
  add constraint file_is_of_the_same_organization
    foreign key (organization_id, payment_file_id) references payments.payment_file (organization_id, id);
alter table payments.credit_transfer
  drop constraint credit_transfer_payment_file_id_fkey,
  add constraint file_is_of_the_same_organization
    foreign key (organization_id, payment_file_id) references payments.payment_file (organization_id, id),
  add constraint credit_transfer_of_organization unique (organization_id, id);
alter table payments.transfer_return
  drop constraint transfer_return_credit_transfer_id_fkey,
  add constraint transfer_is_of_the_same_organization
    foreign key (organization_id, credit_transfer_id) references payments.credit_transfer (organization_id, id);

-- In the order of lists, newest first or oldest first.
create index credit_transfer_listed on payments.credit_transfer (organization_id, created_at, id);
create index internal_transfer_listed on payments.internal_transfer (organization_id, created_at, id);
create index incoming_transfer_listed on payments.incoming_transfer (organization_id, received_at, id);
create index transfer_return_listed on payments.transfer_return (organization_id, received_at);
