-- 0008: what a payment was ordered to be is written once; the application reads payments, and the bank’s own work writes them. Not breaking.
revoke insert on payments.internal_transfer, payments.payment_file, payments.credit_transfer from partita_app;
revoke update on payments.credit_transfer, payments.incoming_transfer from partita_system;
grant update (status, status_reason_code, submitted_at, answer_due_at, investigated_at, updated_at, suspended_minor) on payments.credit_transfer to partita_system;
grant update (status, status_reason_code, answer_due_at, book_id) on payments.incoming_transfer to partita_system;

-- All payments of before have told the feed what they are (0007).
drop function feed.name_payments;
revoke update (subject_kind) on feed.transaction from partita_system;
