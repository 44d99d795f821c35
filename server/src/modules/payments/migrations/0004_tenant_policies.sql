-- 0004: the tables' policies come from their one definition. Not breaking.
select platform.tenant_table(name) from unnest(array[
  'payments.internal_transfer', 'payments.payment_file', 'payments.payment_file_refusal', 'payments.payment_file_answer',
  'payments.credit_transfer', 'payments.transfer_return', 'payments.incoming_transfer']::regclass[]) as name;
