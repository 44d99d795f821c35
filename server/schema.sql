-- Made by `npm run generate` from the migrations. Do not edit.

create schema accounts;

create schema connections;

create schema feed;

create schema identity;

create schema ledger;

create schema payments;

create schema platform;

create schema team;

create sequence accounts.account_number;

create sequence feed.transaction_number;

create table accounts.bank_account (
  id uuid not null,
  organization_id uuid not null,
  number integer not null,
  slug text not null,
  transaction_slug_prefix text not null,
  name text not null,
  holder_name text not null,
  status text not null,
  main boolean not null,
  country character(2),
  iban text,
  bic text,
  account_number text,
  currency character(3) not null,
  is_external boolean default false not null,
  book_id integer,
  ledger_account_id uuid,
  stated_balance_minor bigint,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint bank_account_check CHECK ((is_external OR ((iban IS NOT NULL) AND (bic IS NOT NULL) AND (book_id IS NOT NULL) AND (ledger_account_id IS NOT NULL)))),
  constraint bank_account_check1 CHECK (((book_id IS NULL) = (ledger_account_id IS NULL))),
  constraint bank_account_check2 CHECK ((NOT (main AND is_external))),
  constraint bank_account_number_check CHECK ((number > 0)),
  constraint bank_account_status_check CHECK ((status = ANY (ARRAY['active'::text, 'closed'::text]))),
  constraint bank_account_pkey PRIMARY KEY (id),
  constraint bank_account_ledger_account_id_key UNIQUE (ledger_account_id),
  constraint bank_account_of_organization UNIQUE (organization_id, id),
  constraint bank_account_organization_id_number_key UNIQUE (organization_id, number),
  constraint bank_account_slug_key UNIQUE (slug)
);

create table accounts.book_route (
  organization_id uuid not null,
  book_id integer not null,
  constraint book_route_pkey PRIMARY KEY (organization_id)
);

create table connections.carried_balance (
  bank_account_id uuid not null,
  organization_id uuid not null,
  day date not null,
  balance_minor bigint not null,
  carried_minor bigint not null,
  constraint account_is_of_the_same_organization FOREIGN KEY (organization_id, bank_account_id) REFERENCES accounts.bank_account(organization_id, id),
  constraint carried_balance_pkey PRIMARY KEY (bank_account_id, day)
);

create table connections.external_history (
  bank_account_id uuid not null,
  organization_id uuid not null,
  reached_minor bigint,
  closing_date date,
  constraint account_is_of_the_same_organization FOREIGN KEY (organization_id, bank_account_id) REFERENCES accounts.bank_account(organization_id, id),
  constraint external_history_pkey PRIMARY KEY (bank_account_id)
);

create table connections.file_content (
  organization_id uuid not null,
  sha256 bytea not null,
  "position" integer not null,
  zstd bytea not null,
  constraint file_content_pkey PRIMARY KEY (organization_id, sha256, "position")
);

create table connections.imported_file (
  id uuid not null,
  organization_id uuid not null,
  name text not null,
  format text not null,
  problems jsonb not null,
  imported_at timestamp with time zone not null,
  size bigint,
  sha256 bytea,
  constraint imported_file_pkey PRIMARY KEY (id),
  constraint imported_file_of_organization UNIQUE (organization_id, id)
);

create table connections.imported_statement (
  id uuid not null,
  imported_file_id uuid not null,
  organization_id uuid not null,
  bank_account_id uuid not null,
  identification text,
  sequence_number text,
  from_date date,
  to_date date,
  opening numeric,
  closing numeric,
  credit numeric not null,
  debit numeric not null,
  entries integer not null,
  details integer not null,
  reconciles boolean,
  break_amount numeric,
  unbooked jsonb not null,
  constraint account_is_of_the_same_organization FOREIGN KEY (organization_id, bank_account_id) REFERENCES accounts.bank_account(organization_id, id),
  constraint file_is_of_the_same_organization FOREIGN KEY (organization_id, imported_file_id) REFERENCES connections.imported_file(organization_id, id),
  constraint imported_statement_pkey PRIMARY KEY (id)
);

create table connections.statement_entry (
  organization_id uuid not null,
  entry_key uuid not null,
  bank_account_id uuid not null,
  booking_date date not null,
  value_date date,
  bank_reference text,
  end_to_end_id text,
  mandate_id text,
  creditor_id text,
  counterparty_name text,
  counterparty_iban text,
  transaction_code text,
  remittance text,
  additional_information text,
  more jsonb not null,
  constraint statement_entry_pkey PRIMARY KEY (organization_id, entry_key)
);

create table connections.statement_entry_detail (
  organization_id uuid not null,
  entry_key uuid not null,
  "position" integer not null,
  amount numeric,
  currency text,
  end_to_end_id text,
  mandate_id text,
  creditor_id text,
  counterparty_name text,
  counterparty_iban text,
  remittance text,
  more jsonb not null,
  constraint entry_is_of_the_same_organization FOREIGN KEY (organization_id, entry_key) REFERENCES connections.statement_entry(organization_id, entry_key),
  constraint statement_entry_detail_pkey PRIMARY KEY (organization_id, entry_key, "position")
);

create table feed.feed_count (
  bank_account_id uuid not null,
  organization_id uuid not null,
  status text not null,
  side text not null,
  operation_type text not null,
  count bigint not null,
  constraint account_is_of_the_same_organization FOREIGN KEY (organization_id, bank_account_id) REFERENCES accounts.bank_account(organization_id, id),
  constraint feed_count_pkey PRIMARY KEY (organization_id, bank_account_id, status, side, operation_type)
) with (fillfactor=50);

create table feed.label (
  id uuid not null,
  organization_id uuid not null,
  name text not null,
  parent_id uuid,
  created_at timestamp with time zone not null,
  constraint parent_is_of_the_same_organization FOREIGN KEY (organization_id, parent_id) REFERENCES feed.label(organization_id, id),
  constraint label_pkey PRIMARY KEY (id),
  constraint label_of_organization UNIQUE (organization_id, id)
);

create table feed.transaction (
  id uuid not null,
  number bigint default nextval('feed.transaction_number'::regclass) not null,
  organization_id uuid not null,
  bank_account_id uuid not null,
  status text not null,
  side text not null,
  operation_type text not null,
  amount_minor bigint not null,
  currency character(3) not null,
  local_amount_minor bigint not null,
  local_currency character(3) not null,
  settled_balance_minor bigint,
  label text not null,
  clean_counterparty_name text,
  reference text,
  note text,
  category text not null,
  initiator_id uuid,
  subject_type text not null,
  counterparty_account_number text,
  counterparty_account_number_format text,
  counterparty_bank_identifier text,
  counterparty_bank_identifier_format text,
  subject_details jsonb,
  vat_amount_minor bigint,
  vat_rate numeric(6,3),
  vat_items jsonb,
  attachment_ids uuid[] default '{}'::uuid[] not null,
  attachment_lost boolean default false not null,
  attachment_required boolean default false not null,
  card_last_digits text,
  is_external boolean default false not null,
  ledger_key uuid,
  emitted_at timestamp with time zone not null,
  settled_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  subject_kind text not null,
  subject_id uuid not null,
  constraint transaction_amount_minor_check CHECK ((amount_minor > 0)),
  constraint transaction_attachment_ids_check CHECK ((cardinality(attachment_ids) <= 5)),
  constraint transaction_check CHECK (((status = 'completed'::text) = (settled_at IS NOT NULL))),
  constraint transaction_side_check CHECK ((side = ANY (ARRAY['credit'::text, 'debit'::text]))),
  constraint transaction_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'declined'::text, 'completed'::text]))),
  constraint transaction_pkey PRIMARY KEY (id)
) with (fillfactor=90, autovacuum_vacuum_insert_threshold=50000, autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_cost_limit=100, autovacuum_vacuum_cost_delay=5, autovacuum_analyze_scale_factor=0.05);

create table feed.transaction_label (
  transaction_id uuid not null,
  label_id uuid not null,
  organization_id uuid not null,
  constraint label_is_of_the_same_organization FOREIGN KEY (organization_id, label_id) REFERENCES feed.label(organization_id, id),
  constraint transaction_label_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES feed.transaction(id) ON DELETE CASCADE,
  constraint transaction_label_pkey PRIMARY KEY (transaction_id, label_id)
);

create table identity.api_key (
  id uuid not null,
  organization_id uuid not null,
  membership_id uuid not null,
  login text not null,
  prefix text not null,
  secret_sha256 bytea not null,
  created_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  constraint api_key_check CHECK ((revoked_at >= created_at)),
  constraint api_key_secret_sha256_check CHECK ((length(secret_sha256) = 32)),
  constraint api_key_pkey PRIMARY KEY (id),
  constraint api_key_secret_sha256_key UNIQUE (secret_sha256)
);

create table ledger.account (
  number integer generated always as identity not null,
  book integer not null,
  debits bigint default 0 not null,
  credits bigint default 0 not null,
  balance bigint default 0 not null,
  held bigint default 0 not null,
  version bigint default 0 not null,
  overdrawn bigint default 0 not null,
  opened_at timestamp with time zone not null,
  id uuid not null,
  closed boolean default false not null,
  debit_normal boolean not null,
  currency ledger.currency_code not null,
  code ledger.account_code not null,
  floor bigint,
  closed_at timestamp with time zone,
  constraint available_not_under_floor CHECK ((((balance - held) >= (floor - overdrawn)) AND (overdrawn >= 0) AND (held >= 0))),
  constraint balance_is_credits_minus_debits CHECK (((balance = (credits - debits)) AND (debits >= 0) AND (credits >= 0))),
  constraint closed_is_empty CHECK (((NOT closed) OR ((balance = 0) AND (held = 0)))),
  constraint account_pkey PRIMARY KEY (id),
  constraint account_book_code_key UNIQUE (book, code),
  constraint account_number_key UNIQUE (number)
) with (fillfactor=50);

create table ledger.book (
  id integer generated always as identity not null,
  code text not null,
  seq bigint default 0 not null,
  recorded_at timestamp with time zone default '-infinity'::timestamp with time zone not null,
  closed_until timestamp with time zone default '-infinity'::timestamp with time zone not null,
  backdated_max interval default '00:00:00'::interval not null,
  postdated_max interval default '00:00:00'::interval not null,
  opened_at timestamp with time zone not null,
  constraint book_code_check CHECK (((length(code) >= 1) AND (length(code) <= 64))),
  constraint book_pkey PRIMARY KEY (id),
  constraint book_code_key UNIQUE (code)
) with (fillfactor=50);

create table ledger.hold (
  id uuid not null,
  book integer not null,
  account integer not null,
  amount bigint not null,
  posted bigint default 0 not null,
  status text not null,
  code text not null,
  "group" uuid,
  reference uuid,
  placed_seq bigint not null,
  placed_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  ended_seq bigint,
  ended_at timestamp with time zone,
  constraint ended_or_pending CHECK (((status = 'pending'::text) = (ended_at IS NULL))),
  constraint hold_amount_check CHECK ((amount > 0)),
  constraint hold_code_check CHECK (((length(code) >= 1) AND (length(code) <= 64))),
  constraint hold_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'posted'::text, 'voided'::text, 'expired'::text]))),
  constraint posted_within_hold CHECK ((((posted >= 0) AND (posted <= amount)) AND ((posted > 0) = (status = 'posted'::text)))),
  constraint hold_pkey PRIMARY KEY (book, id)
) with (fillfactor=70);

create table ledger.key (
  seq bigint not null,
  request_hash bigint not null,
  key uuid not null,
  book integer not null,
  constraint key_pkey PRIMARY KEY (book, key)
) with (autovacuum_vacuum_insert_threshold=100000, autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_cost_limit=100, autovacuum_vacuum_cost_delay=5, autovacuum_analyze_scale_factor=0.05);

create table ledger.period (
  book integer not null,
  through date not null,
  closed_seq bigint not null,
  closed_at timestamp with time zone not null,
  constraint period_book_fkey FOREIGN KEY (book) REFERENCES ledger.book(id),
  constraint period_pkey PRIMARY KEY (book, through)
);

create table ledger.transfer (
  seq bigint not null,
  amount bigint not null,
  debit_version bigint not null,
  credit_version bigint not null,
  debit_balance bigint not null,
  credit_balance bigint not null,
  recorded_at timestamp with time zone not null,
  effective_at timestamp with time zone not null,
  book integer not null,
  debit integer not null,
  credit integer not null,
  forced boolean not null,
  code text not null,
  "group" uuid,
  reference uuid,
  hold uuid,
  constraint transfer_amount_check CHECK ((amount > 0)),
  constraint transfer_check CHECK ((credit <> debit)),
  constraint transfer_code_check CHECK (((length(code) >= 1) AND (length(code) <= 64)))
) partition by RANGE (recorded_at);

create table payments.credit_transfer (
  id uuid not null,
  organization_id uuid not null,
  debtor_account_id uuid not null,
  book_id integer not null,
  ledger_account_id uuid not null,
  debtor_name text not null,
  debtor_iban text not null,
  creditor_name text not null,
  creditor_iban text not null,
  creditor_bic text,
  amount_minor bigint not null,
  currency character(3) not null,
  end_to_end_id text not null,
  transaction_id text not null,
  uetr uuid not null,
  remittance_information text,
  creditor_reference text,
  purpose text,
  requested_execution_date date not null,
  payment_file_id uuid,
  payment_information_id text,
  instruction_id text,
  status text not null,
  status_reason_code text,
  feed_transaction_id uuid not null,
  created_at timestamp with time zone not null,
  submitted_at timestamp with time zone,
  answer_due_at timestamp with time zone,
  investigated_at timestamp with time zone,
  updated_at timestamp with time zone not null,
  details jsonb default '{}'::jsonb not null,
  file_position integer,
  suspended_minor bigint default 0 not null,
  constraint credit_transfer_amount_minor_check CHECK (((amount_minor >= 1) AND (amount_minor <= '99999999999'::bigint))),
  constraint credit_transfer_currency_check CHECK ((currency = 'EUR'::bpchar)),
  constraint credit_transfer_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'submitted'::text, 'unknown'::text, 'accepted'::text, 'settled'::text, 'rejected'::text, 'returned'::text]))),
  constraint file_is_of_the_same_organization FOREIGN KEY (organization_id, payment_file_id) REFERENCES payments.payment_file(organization_id, id),
  constraint credit_transfer_pkey PRIMARY KEY (id),
  constraint credit_transfer_of_organization UNIQUE (organization_id, id),
  constraint credit_transfer_transaction_id_key UNIQUE (transaction_id)
);

create table payments.incoming_message (
  rail_message_id text not null,
  sequence bigint not null,
  message_name text not null,
  xml text not null,
  received_at timestamp with time zone not null,
  outcome text,
  read_at timestamp with time zone,
  constraint incoming_message_pkey PRIMARY KEY (rail_message_id)
);

create table payments.incoming_message_part (
  rail_message_id text not null,
  "position" integer not null,
  sequence bigint not null,
  outcome text,
  applied_at timestamp with time zone,
  constraint incoming_message_part_check CHECK (((outcome IS NULL) = (applied_at IS NULL))),
  constraint incoming_message_part_rail_message_id_fkey FOREIGN KEY (rail_message_id) REFERENCES payments.incoming_message(rail_message_id),
  constraint incoming_message_part_pkey PRIMARY KEY (rail_message_id, "position")
);

create table payments.incoming_transfer (
  id uuid not null,
  organization_id uuid,
  creditor_account_id uuid,
  instructing_agent text not null,
  transaction_id text not null,
  end_to_end_id text not null,
  original_message_id text not null,
  debtor_name text not null,
  debtor_iban text not null,
  debtor_bic text,
  creditor_name text not null,
  creditor_iban text not null,
  amount_minor bigint not null,
  currency character(3) not null,
  remittance_information text,
  settlement_date date not null,
  status text not null,
  status_reason_code text,
  received_at timestamp with time zone not null,
  book_id integer,
  answer_due_at timestamp with time zone,
  constraint incoming_transfer_amount_minor_check CHECK ((amount_minor > 0)),
  constraint incoming_transfer_status_check CHECK ((status = ANY (ARRAY['credited'::text, 'suspended'::text, 'returning'::text, 'returned'::text, 'return_refused'::text]))),
  constraint incoming_transfer_pkey PRIMARY KEY (id),
  constraint incoming_transfer_instructing_agent_transaction_id_key UNIQUE (instructing_agent, transaction_id)
);

create table payments.internal_transfer (
  id uuid not null,
  organization_id uuid not null,
  debtor_account_id uuid not null,
  creditor_account_id uuid not null,
  amount_minor bigint not null,
  currency character(3) not null,
  remittance_information text not null,
  created_at timestamp with time zone not null,
  constraint internal_transfer_amount_minor_check CHECK ((amount_minor > 0)),
  constraint internal_transfer_pkey PRIMARY KEY (id)
);

create table payments.outgoing_message (
  id uuid not null,
  message_id text not null,
  message_name text not null,
  xml text not null,
  created_at timestamp with time zone not null,
  attempted_at timestamp with time zone,
  delivered_at timestamp with time zone,
  refused_reason text,
  incoming_transfer_id uuid,
  constraint outgoing_message_pkey PRIMARY KEY (id),
  constraint outgoing_message_message_id_key UNIQUE (message_id)
);

create table payments.outgoing_message_transfer (
  message_id uuid not null,
  transfer_id uuid not null,
  constraint outgoing_message_transfer_message_id_fkey FOREIGN KEY (message_id) REFERENCES payments.outgoing_message(id),
  constraint outgoing_message_transfer_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES payments.credit_transfer(id),
  constraint outgoing_message_transfer_pkey PRIMARY KEY (transfer_id, message_id)
);

create table payments.payment_file (
  id uuid not null,
  organization_id uuid not null,
  message_id text not null,
  debtor_account_id uuid not null,
  message_name text not null,
  status text not null,
  transactions integer not null,
  control_sum_minor bigint not null,
  received_at timestamp with time zone not null,
  content_sha256 bytea,
  constraint payment_file_status_check CHECK ((status = ANY (ARRAY['accepted'::text, 'partly_accepted'::text, 'rejected'::text]))),
  constraint payment_file_pkey PRIMARY KEY (id),
  constraint payment_file_of_organization UNIQUE (organization_id, id),
  constraint payment_file_organization_id_message_id_key UNIQUE (organization_id, message_id)
);

create table payments.payment_file_answer (
  payment_file_id uuid not null,
  organization_id uuid not null,
  answered_at timestamp with time zone not null,
  constraint file_is_of_the_same_organization FOREIGN KEY (organization_id, payment_file_id) REFERENCES payments.payment_file(organization_id, id),
  constraint payment_file_answer_pkey PRIMARY KEY (payment_file_id)
);

create table payments.payment_file_refusal (
  payment_file_id uuid not null,
  organization_id uuid not null,
  file_position integer not null,
  status_reason_code text not null,
  constraint file_is_of_the_same_organization FOREIGN KEY (organization_id, payment_file_id) REFERENCES payments.payment_file(organization_id, id),
  constraint payment_file_refusal_pkey PRIMARY KEY (payment_file_id, file_position)
);

create table payments.rail_cursor (
  only_row boolean default true not null,
  sequence bigint default 0 not null,
  constraint rail_cursor_only_row_check CHECK (only_row),
  constraint rail_cursor_pkey PRIMARY KEY (only_row)
);

create table payments.transfer_return (
  returning_agent text not null,
  return_id text not null,
  credit_transfer_id uuid not null,
  organization_id uuid not null,
  amount_minor bigint not null,
  status_reason_code text not null,
  received_at timestamp with time zone not null,
  constraint transfer_return_amount_minor_check CHECK ((amount_minor > 0)),
  constraint transfer_is_of_the_same_organization FOREIGN KEY (organization_id, credit_transfer_id) REFERENCES payments.credit_transfer(organization_id, id),
  constraint transfer_return_pkey PRIMARY KEY (returning_agent, return_id)
);

create table platform.bank_clock (
  only_row boolean default true not null,
  offset_ms bigint default 0 not null,
  ahead_max interval default '1 day'::interval not null,
  constraint bank_clock_only_row_check CHECK (only_row),
  constraint bank_clock_pkey PRIMARY KEY (only_row)
);

create table platform.consumer (
  name text not null,
  types text[] not null,
  "position" bigint not null,
  attempts integer default 0 not null,
  retry_at timestamp with time zone,
  failing_since timestamp with time zone,
  last_error text,
  seen_at timestamp with time zone not null,
  constraint consumer_pkey PRIMARY KEY (name)
);

create table platform.event (
  "position" bigint not null,
  id uuid not null,
  topic text not null,
  type text not null,
  aggregate_id uuid not null,
  organization_id uuid,
  payload jsonb not null,
  occurred_at timestamp with time zone not null,
  archived_at timestamp with time zone not null,
  constraint event_pkey PRIMARY KEY ("position")
) partition by RANGE ("position");

create table platform.event_gap (
  organization_id uuid not null,
  complete_from_position bigint not null,
  complete_from timestamp with time zone not null,
  constraint event_gap_pkey PRIMARY KEY (organization_id)
);

create table platform.event_head (
  only_row boolean default true not null,
  "position" bigint default 0 not null,
  archived_at timestamp with time zone,
  constraint event_head_only_row_check CHECK (only_row),
  constraint event_head_pkey PRIMARY KEY (only_row)
);

create table platform.failed_item (
  number bigint generated always as identity not null,
  pass text not null,
  item text not null,
  subject_kind text,
  subject_id uuid,
  attempts integer not null,
  reason text not null,
  first_failed_at timestamp with time zone not null,
  last_failed_at timestamp with time zone not null,
  retry_at timestamp with time zone,
  stuck_at timestamp with time zone,
  taken_up_at timestamp with time zone,
  taken_up_by text,
  closed_at timestamp with time zone,
  closed_by text,
  closed_because text,
  done_at timestamp with time zone,
  constraint failed_item_attempts_check CHECK ((attempts >= 0)),
  constraint failed_item_check CHECK (((subject_kind IS NULL) = (subject_id IS NULL))),
  constraint failed_item_check1 CHECK (((retry_at IS NOT NULL) OR (stuck_at IS NOT NULL))),
  constraint failed_item_check2 CHECK (((closed_at IS NULL) = (closed_by IS NULL))),
  constraint failed_item_pkey PRIMARY KEY (number),
  constraint failed_item_pass_item_key UNIQUE (pass, item)
);

create table platform.idempotency_record (
  organization_id uuid not null,
  operation text not null,
  key text not null,
  request_hash bytea not null,
  status smallint not null,
  body json not null,
  created_at timestamp with time zone not null,
  constraint idempotency_record_pkey PRIMARY KEY (organization_id, operation, key)
) with (autovacuum_vacuum_insert_threshold=100000, autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_cost_limit=100, autovacuum_vacuum_cost_delay=5, autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_threshold=20000, autovacuum_vacuum_scale_factor=0.05);

create table platform.outbox (
  "position" bigint generated always as identity not null,
  id uuid not null,
  topic text not null,
  type text not null,
  aggregate_id uuid not null,
  organization_id uuid,
  payload jsonb not null,
  occurred_at timestamp with time zone not null,
  constraint outbox_pkey PRIMARY KEY ("position")
) with (autovacuum_vacuum_threshold=5000, autovacuum_vacuum_scale_factor=0, autovacuum_vacuum_insert_threshold=50000, autovacuum_vacuum_insert_scale_factor=0, autovacuum_vacuum_cost_limit=200, autovacuum_vacuum_cost_delay=2);

create table platform.pass_run (
  pass text not null,
  process text not null,
  describe text not null,
  every_ms integer not null,
  runs bigint not null,
  failures bigint not null,
  done bigint not null,
  last_run_at timestamp with time zone,
  last_success_at timestamp with time zone,
  duration_ms integer not null,
  last_error text,
  failing_since timestamp with time zone,
  reported_at timestamp with time zone not null,
  constraint pass_run_pkey PRIMARY KEY (pass, process)
);

create table platform.set_aside_event (
  consumer text not null,
  "position" bigint not null,
  event_id uuid not null,
  aggregate_id uuid not null,
  attempts integer default 0 not null,
  first_failed_at timestamp with time zone,
  retry_at timestamp with time zone,
  parked_at timestamp with time zone,
  reason text,
  constraint set_aside_event_consumer_fkey FOREIGN KEY (consumer) REFERENCES platform.consumer(name) ON DELETE CASCADE,
  constraint set_aside_event_pkey PRIMARY KEY (consumer, "position")
);

create table platform.skipped_event (
  consumer text not null,
  "position" bigint not null,
  event_id uuid not null,
  attempts integer not null,
  failure text,
  reason text not null,
  skipped_by text not null,
  skipped_at timestamp with time zone not null,
  constraint skipped_event_reason_check CHECK ((reason <> ''::text)),
  constraint skipped_event_pkey PRIMARY KEY (consumer, "position", skipped_at)
);

create table team.membership (
  id uuid not null,
  organization_id uuid not null,
  first_name text not null,
  last_name text not null,
  email text,
  role text,
  team_id uuid,
  residence_country character(2),
  nationality character(2),
  birth_country character(2),
  birthdate date,
  ubo boolean,
  status text not null,
  created_at timestamp with time zone not null,
  constraint membership_check CHECK (((role IS NOT NULL) OR (status = 'invitable'::text))),
  constraint membership_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'manager'::text, 'reporting'::text, 'employee'::text, 'accountant'::text]))),
  constraint membership_status_check CHECK ((status = ANY (ARRAY['active'::text, 'invitable'::text, 'pending'::text, 'revoked'::text]))),
  constraint membership_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES team.organization(id),
  constraint team_is_of_the_same_organization FOREIGN KEY (organization_id, team_id) REFERENCES team.team(organization_id, id),
  constraint membership_pkey PRIMARY KEY (id)
);

create table team.organization (
  id uuid not null,
  slug text not null,
  name text not null,
  legal_name text,
  locale text,
  legal_share_capital_minor bigint,
  legal_country character(2),
  legal_registration_date date,
  legal_form text,
  legal_address text,
  legal_sector text,
  legal_number text,
  contract_signed_at timestamp with time zone,
  created_at timestamp with time zone not null,
  constraint organization_locale_check CHECK ((locale = ANY (ARRAY['fr'::text, 'de'::text, 'it'::text, 'es'::text, 'en'::text, 'pt'::text]))),
  constraint organization_slug_check CHECK ((slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'::text)),
  constraint organization_pkey PRIMARY KEY (id),
  constraint organization_slug_key UNIQUE (slug)
);

create table team.team (
  id uuid not null,
  organization_id uuid not null,
  name text not null,
  constraint team_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES team.organization(id),
  constraint team_pkey PRIMARY KEY (id),
  constraint team_of_organization UNIQUE (organization_id, id),
  constraint team_organization_id_name_key UNIQUE (organization_id, name)
);

CREATE UNIQUE INDEX bank_account_external_iban ON accounts.bank_account USING btree (organization_id, iban, currency) WHERE (is_external AND (iban IS NOT NULL));

CREATE UNIQUE INDEX bank_account_external_number ON accounts.bank_account USING btree (organization_id, account_number, currency) WHERE (is_external AND (iban IS NULL) AND (account_number IS NOT NULL));

CREATE UNIQUE INDEX bank_account_main ON accounts.bank_account USING btree (organization_id) WHERE main;

CREATE UNIQUE INDEX bank_account_own_iban ON accounts.bank_account USING btree (iban) WHERE (NOT is_external);

CREATE INDEX imported_file_listed ON connections.imported_file USING btree (organization_id, imported_at, id);

CREATE INDEX imported_statement_of_account ON connections.imported_statement USING btree (bank_account_id, from_date);

CREATE INDEX imported_statement_of_file ON connections.imported_statement USING btree (imported_file_id);

CREATE INDEX label_listed ON feed.label USING btree (organization_id, created_at, id);

CREATE INDEX transaction_by_creation ON feed.transaction USING brin (created_at) WITH (pages_per_range='8', autosummarize='on');

CREATE INDEX transaction_by_emission ON feed.transaction USING btree (bank_account_id, emitted_at DESC, id DESC) INCLUDE (organization_id, status);

CREATE UNIQUE INDEX transaction_by_ledger_key ON feed.transaction USING btree (ledger_key, bank_account_id);

CREATE INDEX transaction_by_settlement ON feed.transaction USING btree (bank_account_id, settled_at DESC, id DESC) INCLUDE (organization_id, status, side, operation_type);

CREATE INDEX transaction_by_subject ON feed.transaction USING btree (subject_id) WHERE (subject_id IS DISTINCT FROM ledger_key);

CREATE INDEX transaction_by_update ON feed.transaction USING btree (bank_account_id, updated_at DESC, id DESC) INCLUDE (organization_id, status);

CREATE UNIQUE INDEX transaction_pending_of_subject ON feed.transaction USING btree (subject_id, subject_kind) WHERE (status = 'pending'::text);

CREATE INDEX transaction_unsettled ON feed.transaction USING btree (bank_account_id, status) WHERE (status <> 'completed'::text);

CREATE INDEX transaction_with_attachments ON feed.transaction USING btree (bank_account_id, settled_at DESC, id DESC) INCLUDE (organization_id, status, side, operation_type) WHERE (attachment_ids <> '{}'::uuid[]);

CREATE INDEX transaction_label_of_label ON feed.transaction_label USING btree (organization_id, label_id);

CREATE UNIQUE INDEX api_key_live ON identity.api_key USING btree (organization_id) WHERE (revoked_at IS NULL);

CREATE INDEX hold_due ON ledger.hold USING btree (book, expires_at) WHERE ((status = 'pending'::text) AND (expires_at IS NOT NULL));

CREATE INDEX credit_transfer_due ON payments.credit_transfer USING btree (requested_execution_date, id) WHERE (status = 'pending'::text);

CREATE INDEX credit_transfer_file ON payments.credit_transfer USING btree (payment_file_id) WHERE (payment_file_id IS NOT NULL);

CREATE INDEX credit_transfer_listed ON payments.credit_transfer USING btree (organization_id, created_at, id);

CREATE INDEX credit_transfer_silent ON payments.credit_transfer USING btree (answer_due_at) WHERE (status = ANY (ARRAY['submitted'::text, 'unknown'::text, 'accepted'::text]));

CREATE INDEX incoming_message_unread ON payments.incoming_message USING btree (sequence) WHERE (read_at IS NULL);

CREATE INDEX incoming_message_part_waiting ON payments.incoming_message_part USING btree (sequence, rail_message_id, "position") WHERE (applied_at IS NULL);

CREATE INDEX incoming_transfer_listed ON payments.incoming_transfer USING btree (organization_id, received_at, id);

CREATE INDEX incoming_transfer_returning ON payments.incoming_transfer USING btree (answer_due_at) WHERE (status = 'returning'::text);

CREATE INDEX incoming_transfer_suspended ON payments.incoming_transfer USING btree (received_at, id) WHERE (status = 'suspended'::text);

CREATE INDEX internal_transfer_listed ON payments.internal_transfer USING btree (organization_id, created_at, id);

CREATE INDEX outgoing_message_interrupted ON payments.outgoing_message USING btree (attempted_at) WHERE ((delivered_at IS NULL) AND (refused_reason IS NULL));

CREATE INDEX outgoing_message_of_return ON payments.outgoing_message USING btree (incoming_transfer_id) WHERE (incoming_transfer_id IS NOT NULL);

CREATE INDEX outgoing_message_waiting ON payments.outgoing_message USING btree (created_at, id) WHERE (attempted_at IS NULL);

CREATE INDEX outgoing_message_transfer_of ON payments.outgoing_message_transfer USING btree (message_id);

CREATE INDEX transfer_return_listed ON payments.transfer_return USING btree (organization_id, received_at);

CREATE INDEX transfer_return_of ON payments.transfer_return USING btree (credit_transfer_id);

CREATE INDEX event_of_organization ON ONLY platform.event USING btree (organization_id, "position");

CREATE INDEX failed_item_ended ON platform.failed_item USING btree (done_at) WHERE (done_at IS NOT NULL);

CREATE INDEX failed_item_open ON platform.failed_item USING btree (pass, retry_at) WHERE (done_at IS NULL);

CREATE INDEX idempotency_record_age ON platform.idempotency_record USING btree (created_at);

CREATE INDEX set_aside_event_due ON platform.set_aside_event USING btree (consumer, retry_at) WHERE (retry_at IS NOT NULL);

CREATE INDEX set_aside_event_of_aggregate ON platform.set_aside_event USING btree (consumer, aggregate_id, "position");

CREATE INDEX membership_listed ON team.membership USING btree (organization_id, created_at, id);

create view ledger.entry as
 SELECT t.debit AS account,
    t.debit_version AS version,
    'debit'::text AS side,
    t.amount,
    t.debit_balance AS balance_after,
    t.credit AS counter_account,
    t.book,
    t.seq,
    t.code,
    t."group",
    t.reference,
    t.hold,
    t.forced,
    t.effective_at,
    t.recorded_at
   FROM ledger.transfer t
UNION ALL
 SELECT t.credit AS account,
    t.credit_version AS version,
    'credit'::text AS side,
    t.amount,
    t.credit_balance AS balance_after,
    t.debit AS counter_account,
    t.book,
    t.seq,
    t.code,
    t."group",
    t.reference,
    t.hold,
    t.forced,
    t.effective_at,
    t.recorded_at
   FROM ledger.transfer t;

CREATE OR REPLACE FUNCTION accounts.ledger_accounts()
 RETURNS TABLE(bank_account_id uuid, ledger_account_id uuid)
 LANGUAGE sql
 STABLE
AS $function$
  select id, ledger_account_id from accounts.bank_account where ledger_account_id is not null
$function$
;

CREATE OR REPLACE FUNCTION accounts.own_balances(p_organization uuid)
 RETURNS TABLE(ledger_account_id uuid, balance bigint, held bigint)
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_hashjoin TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
begin
  if current_setting('role') <> 'partita_system' and p_organization is distinct from nullif(current_setting('app.organization_id', true), '')::uuid then
    return;
  end if;
  return query select * from ledger.balances(array(select a.ledger_account_id from accounts.bank_account a where a.organization_id = p_organization));
end $function$
;

CREATE OR REPLACE FUNCTION feed.check_labelled()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare stranger uuid;
begin
  select a.transaction_id into stranger from added a
   where not exists (select from feed.transaction t where t.id = a.transaction_id and t.organization_id = a.organization_id) limit 1;
  if found then
    raise foreign_key_violation using
      message = format('a label cannot be put on transaction %s, which is not of its organization', stranger), constraint = 'transaction_is_of_the_same_organization';
  end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION feed.count_feed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into feed.feed_count as c (bank_account_id, organization_id, status, side, operation_type, count)
  select bank_account_id, organization_id, status, side, operation_type, count(*) * tg_argv[0]::integer
    from changed
   group by bank_account_id, organization_id, status, side, operation_type
   order by bank_account_id, organization_id, status, side, operation_type
  on conflict (organization_id, bank_account_id, status, side, operation_type) do update set count = c.count + excluded.count;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION feed.recount_feed()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into feed.feed_count as c (bank_account_id, organization_id, status, side, operation_type, count)
  select bank_account_id, organization_id, status, side, operation_type, sum(change)
    from (
      select f.bank_account_id, f.organization_id, f.status, f.side, f.operation_type, -1 as change
        from former f join present p using (id)
       where (f.bank_account_id, f.organization_id, f.status, f.side, f.operation_type)
          <> (p.bank_account_id, p.organization_id, p.status, p.side, p.operation_type)
      union all
      select p.bank_account_id, p.organization_id, p.status, p.side, p.operation_type, 1
        from former f join present p using (id)
       where (f.bank_account_id, f.organization_id, f.status, f.side, f.operation_type)
          <> (p.bank_account_id, p.organization_id, p.status, p.side, p.operation_type)
    ) changes
   group by bank_account_id, organization_id, status, side, operation_type
  having sum(change) <> 0
   order by bank_account_id, organization_id, status, side, operation_type
  on conflict (organization_id, bank_account_id, status, side, operation_type) do update set count = c.count + excluded.count;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION feed.refuse_second_end()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'transaction % is %, and stays what it was told to be', old.id, old.status using errcode = 'FD001';
end $function$
;

CREATE OR REPLACE FUNCTION ledger.apply_ended_holds()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_nestloop TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
begin
  if exists (select from stale where status <> 'pending') or exists (select from fresh where status = 'pending') then
    raise exception 'a hold ends once' using errcode = 'LG001';
  end if;
  update ledger.account a set held = a.held - h.amount
    from (select account, ledger.sum_int8(amount) as amount from stale group by account) h
   where a.number = any(array(select account from stale)) and a.number = h.account;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.apply_new_holds()
 RETURNS trigger
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_nestloop TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
begin
  update ledger.account a set held = a.held + h.amount
    from (select account, ledger.sum_int8(amount) as amount from fresh where status = 'pending' group by account) h
   where a.number = any(array(select account from fresh where status = 'pending')) and a.number = h.account;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.balances(p_accounts uuid[])
 RETURNS TABLE(account_id uuid, balance bigint, held bigint)
 LANGUAGE sql
 STABLE
AS $function$
  select id, balance, held from ledger.account where id = any(p_accounts)
$function$
;

CREATE OR REPLACE FUNCTION ledger.check_time(p_now timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  v_latest timestamptz := (select clock_timestamp() + offset_ms * interval '1 millisecond' + ahead_max from platform.bank_clock);
begin
  if (p_now between timestamptz '1970-01-01 00:00:00Z' and v_latest) is not true then
    raise exception 'the ledger records at the bank''s time: % is not, its latest is %', p_now, v_latest using errcode = 'LG003';
  end if;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.close_account(p_account uuid, p_now timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  v_account record;
begin
  perform ledger.check_time(p_now);
  perform pg_advisory_xact_lock(1818518373, a.book) from ledger.account a where a.id = p_account;
  select a.closed, a.balance, a.held into v_account from ledger.account a where a.id = p_account for update;
  if not found then return 'account_not_found'; end if;
  if v_account.closed then return null; end if;
  if v_account.balance <> 0 then return 'balance_not_zero'; end if;
  if v_account.held <> 0 then return 'holds_pending'; end if;
  update ledger.account set closed = true, closed_at = p_now where id = p_account;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.close_period(p_book integer, p_through date, p_now timestamp with time zone)
 RETURNS date
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  v_until timestamptz := (p_through + 1)::timestamp at time zone 'Europe/Paris';
begin
  perform ledger.check_time(p_now);
  perform pg_advisory_xact_lock(1818518373, p_book);
  if v_until > p_now then return null; end if;
  update ledger.book set closed_until = v_until where id = p_book and closed_until < v_until;
  if found then
    insert into ledger.period (book, through, closed_seq, closed_at) select id, p_through, seq, p_now from ledger.book where id = p_book;
  end if;
  return (select max(through) from ledger.period where book = p_book);
end $function$
;

CREATE OR REPLACE FUNCTION ledger.content_hash(debit integer, credit integer, amount bigint, terms bigint)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select hashint4extended(coalesce(debit, 0), hashint4extended(coalesce(credit, 0),
           hashint8extended(coalesce(amount, -1) >> 32, hashint8extended(coalesce(amount, -1) & 4294967295, terms))))
$function$
;

CREATE OR REPLACE FUNCTION ledger.ensure_partition(p_at timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  perform ledger.check_time(p_at);
  perform ledger.make_partition(p_at);
end $function$
;

CREATE OR REPLACE FUNCTION ledger.entries_after(p_account integer, p_version bigint, p_limit integer)
 RETURNS SETOF ledger.entry
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_sort TO 'off'
 SET jit TO 'off'
AS $function$
begin
  return query select * from ledger.entry where account = p_account and version > p_version order by version limit p_limit;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.entries_before(p_account integer, p_version bigint, p_limit integer)
 RETURNS SETOF ledger.entry
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_sort TO 'off'
 SET jit TO 'off'
AS $function$
begin
  return query select * from ledger.entry where account = p_account and version < p_version order by version desc limit p_limit;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.entries_of(p_accounts uuid[])
 RETURNS TABLE(account_id uuid, key uuid, side text, amount bigint, balance_after bigint, seq bigint, reference uuid)
 LANGUAGE sql
 STABLE ROWS 1e+06
AS $function$
  select a.id, k.key, e.side, e.amount, e.balance_after, e.seq, e.reference
    from ledger.account a
    join ledger.entry e on e.account = a.number
    join ledger.key k on k.book = e.book and k.seq = e.seq
   where a.id = any(p_accounts)
$function$
;

CREATE OR REPLACE FUNCTION ledger.expire_holds(p_book integer, p_now timestamp with time zone, p_limit integer)
 RETURNS SETOF ledger.hold
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$
declare
  v_ids uuid[];
begin
  perform ledger.check_time(p_now);
  if (p_limit between 1 and 10000) is not true then raise exception 'holds are released by 1 to 10000, not %', p_limit using errcode = 'LG003'; end if;
  perform pg_advisory_xact_lock(1818518373, p_book);
  v_ids := array(select id from ledger.hold where book = p_book and status = 'pending' and expires_at <= p_now order by expires_at, id limit p_limit);
  if cardinality(v_ids) = 0 then return; end if;
  update ledger.hold set status = 'expired', ended_at = p_now where book = p_book and id = any(v_ids) and status = 'pending';
  update ledger.account b set overdrawn = greatest(0, b.floor - (b.balance - b.held))
   where b.number in (select account from ledger.hold where book = p_book and id = any(v_ids)) and b.overdrawn > 0;
  return query select * from ledger.hold where book = p_book and id = any(v_ids) order by expires_at, id;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.holds_of(p_accounts uuid[])
 RETURNS TABLE(account_id uuid, key uuid, reference uuid)
 LANGUAGE sql
 STABLE ROWS 100000
AS $function$
  select a.id, h.id, h.reference from ledger.account a join ledger.hold h on h.account = a.number where a.id = any(p_accounts)
$function$
;

CREATE OR REPLACE FUNCTION ledger.make_partition(p_at timestamp with time zone)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  v_month timestamp := date_trunc('month', p_at at time zone 'UTC');
  v_name text := 'transfer_' || to_char(v_month, 'YYYY_MM');
begin
  if to_regclass('ledger.' || v_name) is not null then return; end if;
  perform pg_advisory_xact_lock(1818518373, 0); -- one maker at a time; 1818518373 is the ledger's class of advisory locks, books are above 0
  if to_regclass('ledger.' || v_name) is not null then return; end if;
  execute format('create table ledger.%I (like ledger.transfer including constraints)', v_name);
  perform ledger.vacuum_as_it_grows(format('ledger.%I', v_name)::regclass);
  execute format('create unique index on ledger.%I (debit, debit_version)', v_name);
  execute format('create unique index on ledger.%I (credit, credit_version)', v_name);
  execute format('create unique index on ledger.%I (book, seq)', v_name);
  -- Statement triggers of the parent do not fire for a partition named directly: nobody writes here but through the parent.
  execute format('create trigger refuse_write before insert or update or delete or truncate on ledger.%I for each statement execute function ledger.refuse_write()', v_name);
  execute format('grant select on ledger.%I to partita_system, partita_ledger', v_name);
  execute format('alter table ledger.transfer attach partition ledger.%I for values from (%L) to (%L)', v_name,
                 v_month at time zone 'UTC', (v_month + interval '1 month') at time zone 'UTC');
end $function$
;

CREATE OR REPLACE FUNCTION ledger.open_accounts(p_book integer, p_ids uuid[], p_codes text[], p_currencies text[], p_debit_normals boolean[], p_floors bigint[], p_now timestamp with time zone)
 RETURNS text
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$
declare
  v_wanted bigint;
  v_present bigint;
  v_inserted bigint;
begin
  perform ledger.check_time(p_now);
  if num_nulls(p_ids, p_codes, p_currencies, p_debit_normals, p_floors) > 0
     or array_dims(p_codes) is distinct from array_dims(p_ids) or array_dims(p_currencies) is distinct from array_dims(p_ids)
     or array_dims(p_debit_normals) is distinct from array_dims(p_ids) or array_dims(p_floors) is distinct from array_dims(p_ids)
     or num_nulls(variadic p_ids) + num_nulls(variadic p_codes) + num_nulls(variadic p_currencies) + num_nulls(variadic p_debit_normals) > 0
     or exists (select from unnest(p_floors) floor where floor not between -4611686018427387904 and 0) then
    raise exception 'accounts are opened by columns of one length, with floors of at most zero' using errcode = 'LG003';
  end if;
  if not exists (select from ledger.book where id = p_book) then raise exception 'there is no book %', p_book using errcode = '22023'; end if;
  perform pg_advisory_xact_lock(1818518374, p_book); -- openers of one book take turns; posting goes on
  select count(distinct (id, code, currency, debit_normal, floor)) into v_wanted
    from unnest(p_ids, p_codes, p_currencies, p_debit_normals, p_floors) w(id, code, currency, debit_normal, floor);
  if v_wanted <> (select count(distinct w) from unnest(p_ids) w) then return 'account_id_reused_with_other_content'; end if;
  if v_wanted <> (select count(distinct w) from unnest(p_codes) w) then return 'account_code_taken'; end if;

  select count(*) into v_present from ledger.account a where a.id = any(p_ids);
  if v_present > 0 and v_present <> (
    select count(distinct a.id) from ledger.account a
      join unnest(p_ids, p_codes, p_currencies, p_debit_normals, p_floors) w(id, code, currency, debit_normal, floor)
        on a.id = w.id and a.book = p_book and a.code = w.code and a.currency = w.currency and a.debit_normal = w.debit_normal and a.floor is not distinct from w.floor
     where a.id = any(p_ids)
  ) then return 'account_id_reused_with_other_content'; end if;
  if exists (select from ledger.account a where a.book = p_book and a.code = any(p_codes) and a.id <> all(p_ids)) then return 'account_code_taken'; end if;

  insert into ledger.account (id, book, code, currency, debit_normal, floor, opened_at)
  select distinct on (id) id, p_book, code, currency, debit_normal, floor, p_now
    from unnest(p_ids, p_codes, p_currencies, p_debit_normals, p_floors) w(id, code, currency, debit_normal, floor)
   where not exists (select from ledger.account a where a.id = w.id);
  get diagnostics v_inserted = row_count;
  if v_inserted + v_present <> v_wanted then raise exception 'accounts opened and wanted disagree' using errcode = '40001'; end if;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.open_book(p_code text, p_now timestamp with time zone)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  v_id integer;
begin
  perform ledger.check_time(p_now);
  select id into v_id from ledger.book where code = p_code;
  if v_id is not null then return v_id; end if;
  insert into ledger.book (code, opened_at) values (p_code, p_now) on conflict (code) do nothing returning id into v_id;
  if v_id is null then select id into v_id from ledger.book where code = p_code; end if;
  return v_id;
end $function$
;

CREATE OR REPLACE FUNCTION ledger.operation_hash(kind smallint, debit uuid, credit uuid, amount bigint, currency text, code text, effective timestamp with time zone, reference uuid, "group" uuid, hold uuid, expires timestamp with time zone, force boolean)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select hash_record_extended(row(kind, debit, credit, amount, case when amount is not null then currency end, case when kind <> 4 then code end,
                                  effective, reference, "group", hold, expires, force), 0)
$function$
;

CREATE OR REPLACE FUNCTION ledger.post_batch(p_book integer, p_now timestamp with time zone, p_accounts uuid[], p_kind smallint[], p_key uuid[], p_debit integer[], p_credit integer[], p_amount bigint[], p_currency text[], p_code text[], p_effective timestamp with time zone[], p_reference uuid[], p_group uuid[], p_hold uuid[], p_expires timestamp with time zone[], p_force boolean[], OUT o_status smallint[], OUT o_seq bigint[], OUT o_debit_balance bigint[], OUT o_debit_version bigint[], OUT o_credit_balance bigint[], OUT o_credit_version bigint[])
 RETURNS record
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET plan_cache_mode TO 'force_generic_plan'
 SET enable_seqscan TO 'off'
 SET enable_bitmapscan TO 'off'
 SET enable_sort TO 'off'
 SET enable_nestloop TO 'off'
 SET enable_mergejoin TO 'off'
 SET jit TO 'off'
AS $function$
#variable_conflict use_column
declare
  c_amount_max constant bigint := 1000000000000000;
  c_total_max constant bigint := 4611686018427387904;
  c_held_max constant bigint := 2305843009213693952;
  c_no_floor constant bigint := -9223372036854775807;
  c_first constant timestamptz := '1970-01-01 00:00:00Z';
  c_first_effective constant timestamptz := '1900-01-01 00:00:00Z';
  c_ahead_max constant interval := '200 years';
  n constant integer := coalesce(cardinality(p_key), 0);
  m integer := coalesce(cardinality(p_accounts), 0);
  v_dims constant text := '[1:' || n || ']';
  v_none constant integer := case when p_kind is null then 1 else 0 end; -- every transfer has both
  v_seq_before bigint; v_seq bigint; v_now timestamptz; v_closed_until timestamptz;
  -- per account: those that the caller names, then those of stored holds. Credits are balance + debits; least is floor + held.
  v_accounts uuid[] := p_accounts; v_number integer[]; v_place tid[]; v_balance bigint[]; v_debits bigint[]; v_held bigint[]; v_least bigint[]; v_version bigint[]; v_before bigint[];
  v_closed boolean[]; v_currency text[];
  v_in_order boolean; v_fit boolean; v_overdrawn boolean; v_more record;
  v_room constant bigint := c_held_max - n * c_amount_max; -- a total up to here takes a whole batch
  -- per operation, made only when needed
  v_debit integer[] := p_debit; v_amount bigint[] := p_amount;
  v_hash bigint[]; v_stored_seq bigint[]; v_stored_hash bigint[]; v_first integer[]; v_done integer[]; v_slot integer[];
  -- holds: stored ones first, then one slot per operation of the batch
  v_holds integer := 0; h_id uuid[]; h_account integer[]; h_amount bigint[]; h_status smallint[]; h_expires timestamptz[]; h_posted bigint[]; h_ended bigint[];
  v_simple boolean; v_quick boolean; v_plain boolean; v_keys boolean; v_kinds boolean := p_kind is not null;
  v_group_from integer := 0; v_group_to integer := 0; v_group_seq bigint; v_group_broken boolean := false;
  v_groups integer := 0; v_movements integer := 0; v_refused integer := 0; v_placed integer := 0; v_ended integer := 0;
  i integer; j integer; d integer; c integer; a bigint; x bigint; k smallint; r smallint; s integer; v_cur text; v_terms bigint; v_rows bigint; v_moved bigint; v_debited bigint; v_credited bigint; v_legs bigint; v_stored record;
begin
  if n = 0 or n > 4000 then raise exception 'a batch has 1 to 4000 operations, not %', n using errcode = '22023'; end if;
  if p_now is null or not isfinite(p_now) then raise exception 'a batch needs its time' using errcode = '22023'; end if;
  if p_now > clock_timestamp() or p_now < c_first then perform ledger.check_time(p_now); end if;
  -- Looks at the heads of arrays alone. What a batch seldom has is looked at apart: to prepare an expression costs more than to run it.
  v_fit := array_dims(p_key) = v_dims and array_dims(p_debit) = v_dims and array_dims(p_credit) = v_dims and array_dims(p_amount) = v_dims
    and array_dims(p_currency) in ('[1:1]', v_dims) and array_dims(p_code) in ('[1:1]', v_dims)
    and num_nulls(variadic p_key) = 0 and num_nulls(variadic p_debit) = 0 and num_nulls(variadic p_credit) = 0
    and num_nulls(variadic p_currency) = 0 and num_nulls(variadic p_code) = 0
    and (m = 0 or m <= 2 * n and array_dims(p_accounts) = '[1:' || m || ']' and num_nulls(variadic p_accounts) = 0);
  if v_fit and num_nonnulls(p_kind, p_effective, p_reference, p_group, p_hold, p_expires, p_force) > 0 then
    v_fit := (p_kind is null or array_dims(p_kind) = v_dims and num_nulls(variadic p_kind) = 0)
      and (p_force is null or array_dims(p_force) = v_dims and num_nulls(variadic p_force) = 0)
      and (p_effective is null or array_dims(p_effective) = v_dims) and (p_reference is null or array_dims(p_reference) = v_dims)
      and (p_group is null or array_dims(p_group) = v_dims) and (p_expires is null or array_dims(p_expires) = v_dims)
      and (p_hold is null or p_kind is not null and array_dims(p_hold) = v_dims);
  end if;
  if v_fit is not true then
    raise exception 'the columns of a batch are of one length, and have a value in each place where there must be one' using errcode = 'LG003';
  end if;
  -- Places of accounts, where 0 is none: one far beyond them would make room for itself.
  v_fit := v_none <= all (p_debit) and v_none <= all (p_credit) and m >= all (p_debit) and m >= all (p_credit);
  if v_fit and p_kind is not null then
    v_fit := not exists (
      select from unnest(p_kind, p_debit, p_credit, p_hold) as o(kind, debit, credit, hold)
       where case kind when 1 then debit = 0 or credit = 0 or hold is not null
                       when 2 then debit = 0 or credit > 0 or hold is not null
                       when 3 then debit > 0 or credit = 0 or hold is null
                       when 4 then debit > 0 or credit > 0 or hold is null
                       else true end);
  end if;
  if not v_fit then
    raise exception 'a transfer has two accounts, a hold one, the end of a hold that hold, by their places among the accounts of the batch' using errcode = 'LG003';
  end if;
  v_fit := length(p_code[1]) between 1 and 64;
  if v_fit and cardinality(p_code) > 1 then v_fit := not exists (select from unnest(p_code) code where length(code) not between 1 and 64); end if;
  if not v_fit then
    raise exception 'a code has 1 to 64 characters' using errcode = 'LG003';
  end if;
  if (p_effective is not null or p_expires is not null or p_force is not null) and exists (
    select from unnest(p_kind, p_effective, p_expires, p_force) as o(kind, effective, expires, force)
     where effective is not null and (coalesce(kind, 1) not in (1, 3) or effective not between c_first_effective and p_now + c_ahead_max)
        or expires is not null and (coalesce(kind, 1) <> 2 or expires not between c_first and p_now + c_ahead_max)
        or force and coalesce(kind, 1) <> 1
  ) then
    raise exception 'an effective time is a movement''s, an end a hold''s, force a transfer''s, and no time is out of this world' using errcode = 'LG003';
  end if;

  perform pg_advisory_xact_lock(1818518373, p_book); -- the only lock; everything below sees what the batch before it committed
  select b.seq, greatest(p_now, b.recorded_at), b.closed_until into v_seq_before, v_now, v_closed_until from ledger.book b where b.id = p_book;
  if v_seq_before is null then raise exception 'there is no book %', p_book using errcode = '22023'; end if;
  v_seq := v_seq_before;

  -- Read in the order of the primary key, which is the caller's: nothing is joined and nothing sorted. The book is looked at afterwards: planned on an
  -- empty table, its own index looks as good as the key, and then reads the whole book for ever.
  select array_agg(b.ctid), array_agg(b.number), array_agg(b.balance), array_agg(b.debits), array_agg(b.held), array_agg(b.version), array_agg(coalesce(b.floor + b.held, c_no_floor)),
         coalesce(array_agg(b.id), '{}') = p_accounts,
         bool_and(b.book = p_book and not b.closed and b.currency = p_currency[1] and b.debits <= v_room and b.credits <= v_room and b.held <= v_room),
         max(b.overdrawn) > 0
    into v_place, v_number, v_balance, v_debits, v_held, v_version, v_least, v_in_order, v_fit, v_overdrawn
    from (select ctid, * from ledger.account where id = any(p_accounts) order by id) b;

  if v_in_order is not true and m <> (select count(distinct account) from unnest(p_accounts) account) then
    raise exception 'a batch names each account once' using errcode = 'LG003';
  end if;

  -- Stored holds that the batch ends, with those of their accounts that the caller does not name.
  if v_kinds and p_hold is not null then
    select array_agg(h.id order by h.id), array_agg(h.amount order by h.id), array_agg(h.expires_at order by h.id),
           array_agg((case h.status when 'pending' then 1 else 2 end)::smallint order by h.id), array_agg(h.account order by h.id),
           count(*), array_agg(0::bigint)
      into h_id, h_amount, h_expires, h_status, h_account, v_holds, h_posted
      from ledger.hold h where h.book = p_book and h.id = any(p_hold);
    h_ended := h_posted;
    select array_agg(b.id) as ids, array_agg(b.number) as numbers, array_agg(b.balance) as balances, array_agg(b.debits) as debits, array_agg(b.held) as held,
           array_agg(b.version) as versions, array_agg(coalesce(b.floor + b.held, c_no_floor)) as least, max(b.overdrawn) > 0 as overdrawn,
           bool_and(not b.closed and b.currency = p_currency[1] and b.debits <= v_room and b.credits <= v_room and b.held <= v_room) as fit
      into v_more
      from (select * from ledger.account
             where number = any(array(select account from unnest(h_account) account where array_position(v_number, account) is null)) order by number) b;
    if v_more.ids is not null then
      v_accounts := v_accounts || v_more.ids; v_number := v_number || v_more.numbers; v_balance := v_balance || v_more.balances;
      v_debits := v_debits || v_more.debits; v_held := v_held || v_more.held; v_version := v_version || v_more.versions; v_least := v_least || v_more.least;
      v_fit := coalesce(v_fit, true) and v_more.fit; v_overdrawn := coalesce(v_overdrawn, false) or v_more.overdrawn; m := cardinality(v_accounts);
    end if;
  end if;

  v_keys := exists (select from ledger.key q where q.book = p_book and q.key = any(p_key))
            or (select count(*) from (select from generate_series(1, n) i group by p_key[i]) named) < n;
  -- Simple: all accounts are there, open and of the batch's one currency, no total is near its end, and everything counts when it is recorded.
  v_simple := coalesce(v_in_order and v_fit and cardinality(p_currency) = 1 and p_effective is null and v_now >= v_closed_until, false);
  -- Quick: a transfer on its own in such a batch can only be refused for its amount, for its sides or for want of money.
  v_quick := v_simple and not v_keys and p_force is null;
  v_plain := v_quick and not v_kinds and p_group is null;

  if not v_simple then
    -- `offset 0` keeps the book's index out of this one.
    select array_agg(b.number order by i), array_agg(b.balance order by i), array_agg(b.debits order by i), array_agg(b.held order by i),
           array_agg(b.version order by i), array_agg(coalesce(b.floor + b.held, c_no_floor) order by i),
           array_agg(b.closed order by i), array_agg(b.currency::text order by i)
      into v_number, v_balance, v_debits, v_held, v_version, v_least, v_closed, v_currency
      from (select i, v_accounts[i] as id from generate_series(1, m) i) named
      left join (select * from ledger.account where id = any(v_accounts) offset 0) b on b.id = named.id and b.book = p_book;
  end if;
  v_before := v_version;
  if v_holds > 0 then h_account := array(select array_position(v_number, h_account[s]) from generate_series(1, v_holds) s order by s); end if;

  if not v_plain then
    if v_kinds and not v_keys then
      v_first := array(select i from generate_series(1, n) i);
    end if;
    if v_keys then
      -- First place in the batch of each key.
      v_first := array(select min(i) over (partition by p_key[i]) from generate_series(1, n) i order by i);
      v_done := array_fill(0, array[n]);
      select array_agg(h.fresh order by h.i), array_agg(h.seq order by h.i),
             array_agg(case when h.request_hash = h.former then h.fresh else h.request_hash end order by h.i)
        into v_hash, v_stored_seq, v_stored_hash
        from (select i, q.seq, q.request_hash,
                     ledger.content_hash(v_number[p_debit[i]], v_number[p_credit[i]], p_amount[i], ledger.terms_hash(coalesce(p_kind[i], 1::smallint), p_amount[i],
                       coalesce(p_currency[i], p_currency[1]), coalesce(p_code[i], p_code[1]), p_effective[i], p_reference[i], p_group[i], p_hold[i],
                       p_expires[i], coalesce(p_force[i], false))) as fresh,
                     ledger.operation_hash(coalesce(p_kind[i], 1::smallint), p_accounts[p_debit[i]], p_accounts[p_credit[i]], p_amount[i],
                       coalesce(p_currency[i], p_currency[1]), coalesce(p_code[i], p_code[1]), p_effective[i], p_reference[i], p_group[i], p_hold[i],
                       p_expires[i], coalesce(p_force[i], false)) as former
                from (select i, p_key[i] as key from generate_series(1, n) i) named
                left join (select * from ledger.key where book = p_book and key = any(p_key)) q using (key)) h;
    end if;
    if v_kinds then
      -- A hold named by an operation is a stored one, or the slot of the first operation with its key.
      v_slot := array(select coalesce(h.s, v_holds + k.first) from generate_series(1, n) i
                        left join (select s, h_id[s] as id from generate_series(1, v_holds) s) h on h.id = p_hold[i]
                        left join (select v_first[j] as first, p_key[j] as key from generate_series(1, n) j where v_first[j] = j) k on k.key = p_hold[i]
                       order by i);
      h_account := coalesce(h_account, '{}') || array_fill(0, array[n]);
      h_amount := coalesce(h_amount, '{}') || array_fill(0::bigint, array[n]);
      h_status := coalesce(h_status, '{}') || array_fill(0::smallint, array[n]);
      h_expires := coalesce(h_expires, '{}') || array_fill(null::timestamptz, array[n]);
      h_posted := coalesce(h_posted, '{}') || array_fill(0::bigint, array[n]);
      h_ended := coalesce(h_ended, '{}') || array_fill(0::bigint, array[n]);
    end if;
  end if;

  o_status := array_fill(0::smallint, array[n]);
  o_seq := array_fill(0::bigint, array[n]);
  o_debit_balance := o_seq; o_debit_version := o_seq; o_credit_balance := o_seq; o_credit_version := o_seq;

  if v_plain then
    -- The general loop below without what cannot happen here: each statement less is 1,000 instructions less per transfer.
    for i in 1..n loop
      d := p_debit[i]; c := p_credit[i]; a := p_amount[i];
      if (case when a between 1 and c_amount_max then d <> c and v_balance[d] - a >= v_least[d] else false end) then
        v_debits[d] := v_debits[d] + a;
        v_balance[d] := v_balance[d] - a; o_debit_balance[i] := v_balance[d];
        v_version[d] := v_version[d] + 1; o_debit_version[i] := v_version[d];
        v_balance[c] := v_balance[c] + a; o_credit_balance[i] := v_balance[c];
        v_version[c] := v_version[c] + 1; o_credit_version[i] := v_version[c];
      else
        o_status[i] := case when (a between 1 and c_amount_max) is not true then 2 when d = c then 6 else 13 end;
        v_refused := v_refused + 1;
      end if;
    end loop;
    if v_refused = 0 then
      o_seq := array(select v_seq + i from generate_series(1, n) i);
    else
      o_seq := array(select case when o_status[i] = 0 then v_seq + count(*) filter (where o_status[i] = 0) over (rows unbounded preceding) else 0 end
                       from generate_series(1, n) i);
    end if;
    v_movements := n - v_refused;
    v_seq := v_seq + v_movements;
  else
    for i in 1..n loop
      d := p_debit[i]; c := p_credit[i]; a := p_amount[i];
      if v_quick and p_group[i] is null and coalesce(p_kind[i] = 1, true) then
        x := case when a between 1 and c_amount_max then v_balance[d] - a end;
        if (x >= v_least[d] and d <> c) is not true then
          o_status[i] := case when (a between 1 and c_amount_max) is not true then 2 when d = c then 6 else 13 end;
          continue;
        end if;
        v_seq := v_seq + 1; o_seq[i] := v_seq;
      else
        k := coalesce(p_kind[i], 1); r := 0;
        if p_group is not null and i > v_group_to then
          v_group_from := 0; v_group_broken := false;
          if p_group[i] is not null then
            v_group_from := i; v_group_to := i; v_group_seq := v_seq; v_groups := v_groups + 1;
            while v_group_to < n and p_group[v_group_to + 1] = p_group[i] loop v_group_to := v_group_to + 1; end loop;
            if v_keys then
              -- A group that is here already in part can never come whole: its new legs fall.
              for j in v_group_from..v_group_to loop
                s := v_done[v_first[j]];
                if v_stored_hash[j] = v_hash[j] or (s > 0 and v_hash[greatest(s, 1)] = v_hash[j]) then v_group_broken := true; end if;
              end loop;
            end if;
          end if;
        end if;

        if v_keys then
          s := v_done[v_first[i]];
          if v_stored_seq[i] is not null then
            if v_stored_hash[i] = v_hash[i] then o_status[i] := -1; o_seq[i] := v_stored_seq[i]; continue; end if;
            r := 1;
          elsif s > 0 then
            if v_hash[s] = v_hash[i] and (v_group_from = 0 or s < v_group_from) then
              o_status[i] := -1; o_seq[i] := o_seq[s];
              o_debit_balance[i] := o_debit_balance[s]; o_debit_version[i] := o_debit_version[s];
              o_credit_balance[i] := o_credit_balance[s]; o_credit_version[i] := o_credit_version[s];
              continue;
            end if;
            r := 1;
          end if;
        end if;

        if r = 0 then
          s := case when k in (3, 4) then v_slot[i] when k = 2 then v_holds + v_first[i] end;
          if k in (3, 4) and coalesce(h_status[s], 0) > 0 then
            d := h_account[s]; v_debit[i] := d;
            if k = 4 or a is null then a := h_amount[s]; v_amount[i] := a; end if;
          end if;
          v_cur := coalesce(p_currency[i], p_currency[1]);
          if v_group_from > 0 and v_group_broken then r := 15;
          elsif k in (1, 2) and (a between 1 and c_amount_max) is not true or k = 3 and p_amount[i] not between 1 and c_amount_max then r := 2;
          elsif k in (3, 4) and coalesce(h_status[s], 0) = 0 then r := 3;
          elsif k in (1, 2) and v_number[d] is null then r := 4;
          elsif k in (1, 3) and v_number[c] is null then r := 5;
          elsif k in (1, 3) and d = c then r := 6;
          elsif not v_simple and ((k in (1, 2) or k = 3 and p_amount[i] is not null) and v_currency[d] is distinct from v_cur or k in (1, 3) and v_currency[c] <> v_currency[d]) then r := 7;
          elsif k <> 4 and v_closed[d] then r := 8;
          elsif k in (1, 3) and v_closed[c] then r := 9;
          elsif k in (1, 3) and coalesce(p_effective[i], v_now) < v_closed_until then r := 10;
          elsif k in (3, 4) and (h_status[s] <> 1 or h_expires[s] <= v_now) then r := 11;
          elsif k = 3 and a > h_amount[s] then r := 12;
          elsif (k = 2 or k = 1 and not coalesce(p_force[i], false)) and v_balance[d] - a < v_least[d] then r := 13;
          elsif k in (1, 3) and (v_debits[d] > c_total_max - a or v_balance[c] + v_debits[c] > c_total_max - a) or k = 2 and v_held[d] > c_held_max - a then r := 14;
          end if;
        end if;

        if r <> 0 then
          o_status[i] := r;
          if v_group_from > 0 and not v_group_broken then
            -- One leg falls, so all do: undo those before it, last first.
            v_group_broken := true; v_seq := v_group_seq;
            for j in reverse i - 1 .. v_group_from loop
              if o_status[j] = 0 then
                k := coalesce(p_kind[j], 1); d := v_debit[j]; c := p_credit[j]; a := v_amount[j];
                if k in (3, 4) then
                  s := v_slot[j]; h_status[s] := 1; h_posted[s] := 0; h_ended[s] := 0; v_held[d] := v_held[d] + h_amount[s];
                  if v_least[d] > c_no_floor then v_least[d] := v_least[d] + h_amount[s]; end if;
                  v_ended := v_ended - 1;
                elsif k = 2 then
                  h_status[v_holds + v_first[j]] := 0; v_held[d] := v_held[d] - a; v_placed := v_placed - 1;
                  if v_least[d] > c_no_floor then v_least[d] := v_least[d] - a; end if;
                end if;
                if k in (1, 3) then
                  v_balance[d] := v_balance[d] + a; v_version[d] := v_version[d] - 1; v_debits[d] := v_debits[d] - a;
                  v_balance[c] := v_balance[c] - a; v_version[c] := v_version[c] - 1;
                  o_debit_balance[j] := 0; o_debit_version[j] := 0; o_credit_balance[j] := 0; o_credit_version[j] := 0;
                  v_movements := v_movements - 1;
                end if;
                o_status[j] := 15; o_seq[j] := 0;
                if v_keys then v_done[v_first[j]] := 0; end if;
              end if;
            end loop;
          end if;
          continue;
        end if;

        v_seq := v_seq + 1; o_seq[i] := v_seq;
        if v_keys then v_done[v_first[i]] := i; end if;
        if k = 2 then
          h_account[s] := d; h_amount[s] := a; h_status[s] := 1; h_expires[s] := p_expires[i]; h_posted[s] := 0; h_ended[s] := 0;
          v_held[d] := v_held[d] + a; v_placed := v_placed + 1;
          if v_least[d] > c_no_floor then v_least[d] := v_least[d] + a; end if;
          continue;
        elsif k in (3, 4) then
          h_status[s] := case k when 3 then 2 else 3 end; h_posted[s] := case k when 3 then a else 0 end; h_ended[s] := v_seq;
          v_held[d] := v_held[d] - h_amount[s]; v_ended := v_ended + 1;
          if v_least[d] > c_no_floor then v_least[d] := v_least[d] - h_amount[s]; end if;
          if k = 4 then continue; end if;
        end if;
        x := v_balance[d] - a;
      end if;

      v_movements := v_movements + 1; v_debits[d] := v_debits[d] + a;
      v_balance[d] := x; o_debit_balance[i] := x;
      x := v_version[d] + 1; v_version[d] := x; o_debit_version[i] := x;
      x := v_balance[c] + a; v_balance[c] := x; o_credit_balance[i] := x;
      x := v_version[c] + 1; v_version[c] := x; o_credit_version[i] := x;
    end loop;
  end if;

  if v_groups > 1 and v_groups <> (select count(distinct one) from unnest(p_group) one) then
    raise exception 'the legs of a group are neighbours' using errcode = 'LG003';
  end if;

  if v_seq > v_seq_before then
    if to_regclass('ledger.transfer_' || to_char(v_now at time zone 'UTC', 'YYYY_MM')) is null then perform ledger.make_partition(v_now); end if;

    update ledger.book set seq = v_seq, recorded_at = v_now where id = p_book and seq = v_seq_before;
    get diagnostics v_rows = row_count;
    if v_rows <> 1 then raise exception 'the book moved under its lock' using errcode = '40001'; end if;
    if p_effective is not null then
      update ledger.book b set backdated_max = greatest(b.backdated_max, e.backdated), postdated_max = greatest(b.postdated_max, e.postdated)
        from (select max(v_now - p_effective[i]) as backdated, max(p_effective[i] - v_now) as postdated
                from generate_series(1, n) i where o_status[i] = 0) e
       where b.id = p_book and (e.backdated > b.backdated_max or e.postdated > b.postdated_max);
    end if;

    if v_plain and p_reference is null and cardinality(p_code) = 1 then
      v_terms := ledger.terms_hash(1::smallint, 1, p_currency[1], p_code[1], null, null, null, null, null, false); -- the same for all
    end if;
    insert into ledger.key (seq, request_hash, key, book)
    select o_seq[i],
           ledger.content_hash(v_number[p_debit[i]], v_number[p_credit[i]], p_amount[i], coalesce(v_terms, ledger.terms_hash(coalesce(p_kind[i], 1::smallint), p_amount[i],
             coalesce(p_currency[i], p_currency[1]), coalesce(p_code[i], p_code[1]), p_effective[i], p_reference[i], p_group[i], p_hold[i],
             p_expires[i], coalesce(p_force[i], false)))),
           p_key[i], p_book
      from generate_series(1, n) i where o_status[i] = 0;
    get diagnostics v_rows = row_count;
    if v_rows <> v_seq - v_seq_before then raise exception 'keys and seq disagree' using errcode = '40001'; end if;

    -- Forced transfers may pass the floor: room is made first and taken back at the end, so that the account's check holds at every step.
    if p_force is not null then
      update ledger.account b set overdrawn = b.overdrawn + f.amount
        from (select v_number[v_debit[i]] as account, ledger.sum_int8(v_amount[i]) as amount
                from generate_series(1, n) i where o_status[i] = 0 and o_debit_version[i] > 0 and p_force[i] group by 1) f
       where b.number = any(v_number) and b.number = f.account and b.floor is not null;
    end if;

    -- Releases, then movements, then new holds: in this order no account is under its floor in between when it isn't at the end.
    if v_ended > 0 and v_holds > 0 then
      update ledger.hold h set status = case h_status[s] when 2 then 'posted' else 'voided' end, posted = h_posted[s], ended_seq = h_ended[s], ended_at = v_now
        from generate_series(1, v_holds) s
       where h.book = p_book and h.id = any(h_id) and h.id = h_id[s] and h_ended[s] > 0;
    end if;
    if v_movements > 0 then
      with written as (
        insert into ledger.transfer (seq, amount, debit_version, credit_version, debit_balance, credit_balance, recorded_at, effective_at, book, debit, credit,
                                     forced, code, "group", reference, hold)
        select o_seq[i], v_amount[i], o_debit_version[i], o_credit_version[i], o_debit_balance[i], o_credit_balance[i], v_now, coalesce(p_effective[i], v_now),
               p_book, v_number[v_debit[i]], v_number[p_credit[i]], coalesce(p_force[i], false), coalesce(p_code[i], p_code[1]), p_group[i], p_reference[i], p_hold[i]
          from generate_series(1, n) i where o_debit_version[i] > 0 and o_status[i] = 0
        returning amount
      )
      select count(*), ledger.sum_int8(amount) into v_rows, v_moved from written;
      if v_rows <> v_movements then raise exception 'movements and outcomes disagree' using errcode = '40001'; end if;

      -- Where the rows were read they still are, unless this batch has changed them already or they were not read in order.
      if not v_in_order or m > cardinality(p_accounts) or v_ended > 0 or p_force is not null then
        v_place := array(select b.ctid from generate_series(1, m) i
                           left join (select number, ctid from ledger.account where number = any(v_number)) b on b.number = v_number[i] order by i);
      end if;
      -- The one statement that a loop serves best: each row by its place.
      perform set_config('enable_nestloop', 'on', true), set_config('enable_hashjoin', 'off', true);
      with changed as (
        update ledger.account b set debits = v_debits[i], credits = v_balance[i] + v_debits[i], balance = v_balance[i], version = v_version[i]
          from generate_series(1, m) i
         where b.ctid = v_place[i] and b.version = v_before[i] and v_version[i] > v_before[i]
        returning new.debits - old.debits as debited, new.credits - old.credits as credited, new.version - old.version as legs
      )
      select ledger.sum_int8(debited), ledger.sum_int8(credited), ledger.sum_int8(legs) into v_debited, v_credited, v_legs from changed;
      perform set_config('enable_nestloop', 'off', true), set_config('enable_hashjoin', 'on', true);
      if v_legs <> 2 * v_movements then raise exception 'accounts changed under the book''s lock' using errcode = '40001'; end if;
      if v_debited <> v_moved or v_credited <> v_moved then
        raise exception 'the batch does not balance: % moved, % debited, % credited', v_moved, v_debited, v_credited using errcode = 'LG002';
      end if;
    end if;
    if v_placed > 0 then
      insert into ledger.hold (id, book, account, amount, posted, status, code, "group", reference, placed_seq, placed_at, expires_at, ended_seq, ended_at)
      select p_key[i], p_book, v_number[p_debit[i]], p_amount[i], h_posted[s.at],
             case h_status[s.at] when 1 then 'pending' when 2 then 'posted' else 'voided' end,
             coalesce(p_code[i], p_code[1]), p_group[i], p_reference[i], o_seq[i], v_now, p_expires[i],
             nullif(h_ended[s.at], 0), case when h_ended[s.at] > 0 then v_now end
        from generate_series(1, n) i, lateral (select v_holds + v_first[i] as at) s where o_status[i] = 0 and p_kind[i] = 2;
      get diagnostics v_rows = row_count;
      if v_rows <> v_placed then raise exception 'holds and outcomes disagree' using errcode = '40001'; end if;
    end if;

    if p_force is not null or v_overdrawn then
      update ledger.account b set overdrawn = greatest(0, b.floor - (b.balance - b.held))
       where b.number = any(v_number) and b.floor is not null and b.overdrawn <> greatest(0, b.floor - (b.balance - b.held));
    end if;
  end if;

  if v_keys then
    -- The stored answer of a movement is in its row.
    for v_stored in
      select i as place, t.debit_balance, t.debit_version, t.credit_balance, t.credit_version
        from (select i, o_seq[i] as seq from generate_series(1, n) i where o_status[i] = -1 and o_debit_version[i] = 0) named
        join (select * from ledger.transfer where book = p_book and seq = any(o_seq)) t using (seq)
    loop
      i := v_stored.place;
      o_debit_balance[i] := v_stored.debit_balance; o_debit_version[i] := v_stored.debit_version;
      o_credit_balance[i] := v_stored.credit_balance; o_credit_version[i] := v_stored.credit_version;
    end loop;
  end if;

  if v_plain and v_refused = 0 then o_status := null; o_seq := o_seq[1:1]; end if; -- every operation is posted, one place after the other
end $function$
;

CREATE OR REPLACE FUNCTION ledger.refuse_stranger()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  raise exception 'the ledger refuses % on %.%: only its own functions write here', tg_op, tg_table_schema, tg_table_name using errcode = 'LG001';
end $function$
;

CREATE OR REPLACE FUNCTION ledger.refuse_write()
 RETURNS trigger
 LANGUAGE plpgsql
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
begin
  raise exception 'the ledger refuses % on %.%: what is recorded stays; correct it with a new transfer', tg_op, tg_table_schema, tg_table_name
    using errcode = 'LG001';
end $function$
;

CREATE OR REPLACE FUNCTION ledger.terms_hash(kind smallint, amount bigint, currency text, code text, effective timestamp with time zone, reference uuid, "group" uuid, hold uuid, expires timestamp with time zone, force boolean)
 RETURNS bigint
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select hash_record_extended(row(kind, case when amount is not null then currency end, case when kind <> 4 then code end,
                                  effective, reference, "group", hold, expires, force), 0)
$function$
;

CREATE OR REPLACE FUNCTION ledger.vacuum_as_it_grows(p_table regclass)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  execute format('alter table %s set (autovacuum_vacuum_insert_threshold = 100000, autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_cost_limit = 100, autovacuum_vacuum_cost_delay = 5, autovacuum_analyze_scale_factor = 0.05)', p_table);
end $function$
;

CREATE OR REPLACE FUNCTION ledger.version_recorded(p_account integer, p_at timestamp with time zone)
 RETURNS bigint
 LANGUAGE plpgsql
 STABLE
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET enable_seqscan TO 'off'
AS $function$
declare
  v_low bigint := 0;
  v_high bigint := (select version from ledger.account where number = p_account);
  v_middle bigint;
begin
  while v_low < v_high loop
    v_middle := v_high - (v_high - v_low) / 2;
    if (select recorded_at from ledger.entry where account = p_account and version = v_middle) <= p_at then v_low := v_middle; else v_high := v_middle - 1; end if;
  end loop;
  return v_low;
end $function$
;

CREATE OR REPLACE FUNCTION platform.declare_event_gap(p_organizations uuid[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  alter table platform.event_gap no force row level security;
  insert into platform.event_gap (organization_id, complete_from_position, complete_from)
  select o.id, h.position + 1, now() + c.offset_ms * interval '1 millisecond'
    from unnest(p_organizations) o (id), platform.event_head h, platform.bank_clock c;
  alter table platform.event_gap force row level security;
end $function$
;

CREATE OR REPLACE FUNCTION platform.held(of_pass text, at timestamp with time zone)
 RETURNS SETOF text
 LANGUAGE sql
 STABLE
AS $function$
  select item from platform.failed_item where pass = of_pass and done_at is null and (retry_at is null or retry_at > at)
$function$
;

CREATE OR REPLACE FUNCTION platform.open_case(of_pass text, of_item text, kind text, id uuid, why text, since timestamp with time zone)
 RETURNS void
 LANGUAGE sql
AS $function$
  insert into platform.failed_item (pass, item, subject_kind, subject_id, attempts, reason, first_failed_at, last_failed_at, stuck_at)
  values (of_pass, of_item, kind, id, 1, why, since, since, since) on conflict (pass, item) do nothing
$function$
;

CREATE OR REPLACE FUNCTION platform.prepare_event_partition(p_position bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  c_size constant bigint := 10000000;
  v_number bigint := p_position / c_size;
  v_name text := 'event_' || v_number;
begin
  if to_regclass('platform.' || v_name) is not null then return; end if;
  execute format('create table platform.%I (like platform.event including constraints)', v_name);
  perform platform.vacuum_as_it_grows(format('platform.%I', v_name)::regclass);
  perform platform.tenant_table(format('platform.%I', v_name)::regclass);
  execute format('create trigger refuse_change before update or delete or truncate on platform.%I for each statement execute function platform.refuse_change_of_event()', v_name);
  execute format('alter table platform.event attach partition platform.%I for values from (%L) to (%L)', v_name, v_number * c_size, (v_number + 1) * c_size);
end $function$
;

CREATE OR REPLACE FUNCTION platform.refuse_change_of_event()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'events are kept as they happened' using errcode = 'PT001';
end $function$
;

CREATE OR REPLACE FUNCTION platform.tenant_table(tenant_table regclass, organization_column name DEFAULT 'organization_id'::name)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  part regclass;
  former name;
begin
  for part in select tenant_table union select relid from pg_partition_tree(tenant_table) loop
    for former in select polname from pg_policy where polrelid = part loop
      execute format('drop policy %I on %s', former, part);
    end loop;
    execute format('alter table %s enable row level security', part);
    execute format('alter table %s force row level security', part);
    execute format(
      $policy$create policy by_organization on %s to partita_app
        using (%I = nullif(current_setting('app.organization_id', true), '')::uuid)$policy$, part, organization_column);
    execute format(
      $policy$create policy by_system on %s to partita_system
        using ((select nullif(current_setting('app.organization_ids', true), '')) is null
               or %I in (select unnest(nullif(current_setting('app.organization_ids', true), '')::uuid[])))$policy$, part, organization_column);
  end loop;
end $function$
;

CREATE OR REPLACE FUNCTION platform.vacuum_as_it_grows(p_table regclass)
 RETURNS void
 LANGUAGE plpgsql
AS $function$
begin
  execute format('alter table %s set (autovacuum_vacuum_insert_threshold = 100000, autovacuum_vacuum_insert_scale_factor = 0,
    autovacuum_vacuum_cost_limit = 100, autovacuum_vacuum_cost_delay = 5, autovacuum_analyze_scale_factor = 0.05)', p_table);
end $function$
;

CREATE TRIGGER ends_once BEFORE UPDATE OF status, ledger_key, settled_at, settled_balance_minor ON feed.transaction FOR EACH ROW WHEN (((old.status <> 'pending'::text) AND (CURRENT_USER = 'partita_system'::name) AND ((new.status <> old.status) OR (new.ledger_key IS DISTINCT FROM old.ledger_key) OR (new.settled_at IS DISTINCT FROM old.settled_at) OR ((NOT old.is_external) AND (new.settled_balance_minor IS DISTINCT FROM old.settled_balance_minor))))) EXECUTE FUNCTION feed.refuse_second_end();

CREATE TRIGGER feed_changes AFTER UPDATE ON feed.transaction REFERENCING OLD TABLE AS former NEW TABLE AS present FOR EACH STATEMENT EXECUTE FUNCTION feed.recount_feed();

CREATE TRIGGER feed_grows AFTER INSERT ON feed.transaction REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION feed.count_feed('1');

CREATE TRIGGER feed_shrinks AFTER DELETE ON feed.transaction REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION feed.count_feed('-1');

CREATE TRIGGER transaction_is_of_the_same_organization AFTER INSERT ON feed.transaction_label REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION feed.check_labelled();

CREATE TRIGGER guard_held BEFORE UPDATE OF held ON ledger.account FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER guard_insert BEFORE INSERT ON ledger.account FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER guard_overdrawn BEFORE UPDATE OF overdrawn ON ledger.account FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER guard_status BEFORE UPDATE OF closed, closed_at ON ledger.account FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER guard_sums BEFORE UPDATE OF debits, credits, balance, version ON ledger.account FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON ledger.account FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_write();

CREATE TRIGGER refuse_rewriting BEFORE UPDATE OF id, number, book, code, currency, debit_normal, floor, opened_at ON ledger.account FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_write();

CREATE TRIGGER guard_insert BEFORE INSERT ON ledger.book FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER guard_update BEFORE UPDATE ON ledger.book FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON ledger.book FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_write();

CREATE TRIGGER apply_ended_holds AFTER UPDATE ON ledger.hold REFERENCING OLD TABLE AS stale NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger.apply_ended_holds();

CREATE TRIGGER apply_new_holds AFTER INSERT ON ledger.hold REFERENCING NEW TABLE AS fresh FOR EACH STATEMENT EXECUTE FUNCTION ledger.apply_new_holds();

CREATE TRIGGER guard_end BEFORE UPDATE ON ledger.hold FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER guard_insert BEFORE INSERT ON ledger.hold FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER refuse_change BEFORE DELETE OR TRUNCATE ON ledger.hold FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_write();

CREATE TRIGGER refuse_rewriting BEFORE UPDATE OF id, book, account, amount, code, "group", reference, placed_seq, placed_at, expires_at ON ledger.hold FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_write();

CREATE TRIGGER guard_insert BEFORE INSERT ON ledger.key FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.key FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_write();

CREATE TRIGGER guard_insert BEFORE INSERT ON ledger.period FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.period FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_write();

CREATE TRIGGER guard_insert BEFORE INSERT ON ledger.transfer FOR EACH STATEMENT WHEN (((CURRENT_USER <> 'partita_ledger'::name) OR (current_setting('role'::text) = 'partita_ledger'::text) OR (SESSION_USER = 'partita_ledger'::name))) EXECUTE FUNCTION ledger.refuse_stranger();

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON ledger.transfer FOR EACH STATEMENT EXECUTE FUNCTION ledger.refuse_write();

CREATE TRIGGER refuse_change BEFORE DELETE OR UPDATE OR TRUNCATE ON platform.event FOR EACH STATEMENT EXECUTE FUNCTION platform.refuse_change_of_event();

alter table accounts.bank_account enable row level security;
alter table accounts.bank_account force row level security;

alter table accounts.book_route enable row level security;
alter table accounts.book_route force row level security;

alter table connections.carried_balance enable row level security;
alter table connections.carried_balance force row level security;

alter table connections.external_history enable row level security;
alter table connections.external_history force row level security;

alter table connections.file_content enable row level security;
alter table connections.file_content force row level security;

alter table connections.imported_file enable row level security;
alter table connections.imported_file force row level security;

alter table connections.imported_statement enable row level security;
alter table connections.imported_statement force row level security;

alter table connections.statement_entry enable row level security;
alter table connections.statement_entry force row level security;

alter table connections.statement_entry_detail enable row level security;
alter table connections.statement_entry_detail force row level security;

alter table feed.feed_count enable row level security;
alter table feed.feed_count force row level security;

alter table feed.label enable row level security;
alter table feed.label force row level security;

alter table feed.transaction enable row level security;
alter table feed.transaction force row level security;

alter table feed.transaction_label enable row level security;
alter table feed.transaction_label force row level security;

alter table identity.api_key enable row level security;
alter table identity.api_key force row level security;

alter table payments.credit_transfer enable row level security;
alter table payments.credit_transfer force row level security;

alter table payments.incoming_transfer enable row level security;
alter table payments.incoming_transfer force row level security;

alter table payments.internal_transfer enable row level security;
alter table payments.internal_transfer force row level security;

alter table payments.payment_file enable row level security;
alter table payments.payment_file force row level security;

alter table payments.payment_file_answer enable row level security;
alter table payments.payment_file_answer force row level security;

alter table payments.payment_file_refusal enable row level security;
alter table payments.payment_file_refusal force row level security;

alter table payments.transfer_return enable row level security;
alter table payments.transfer_return force row level security;

alter table platform.event enable row level security;
alter table platform.event force row level security;

alter table platform.event_gap enable row level security;
alter table platform.event_gap force row level security;

alter table platform.idempotency_record enable row level security;
alter table platform.idempotency_record force row level security;

alter table platform.outbox enable row level security;
alter table platform.outbox force row level security;

alter table team.membership enable row level security;
alter table team.membership force row level security;

alter table team.organization enable row level security;
alter table team.organization force row level security;

alter table team.team enable row level security;
alter table team.team force row level security;

create policy by_organization on accounts.bank_account for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on accounts.bank_account for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on accounts.book_route for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on accounts.book_route for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on connections.carried_balance for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on connections.carried_balance for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on connections.external_history for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on connections.external_history for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on connections.file_content for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on connections.file_content for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on connections.imported_file for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on connections.imported_file for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on connections.imported_statement for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on connections.imported_statement for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on connections.statement_entry for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on connections.statement_entry for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on connections.statement_entry_detail for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on connections.statement_entry_detail for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on feed.feed_count for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on feed.feed_count for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on feed.label for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on feed.label for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on feed.transaction for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on feed.transaction for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on feed.transaction_label for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on feed.transaction_label for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on identity.api_key for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on identity.api_key for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on payments.credit_transfer for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on payments.credit_transfer for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on payments.incoming_transfer for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on payments.incoming_transfer for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on payments.internal_transfer for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on payments.internal_transfer for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on payments.payment_file for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on payments.payment_file for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on payments.payment_file_answer for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on payments.payment_file_answer for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on payments.payment_file_refusal for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on payments.payment_file_refusal for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on payments.transfer_return for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on payments.transfer_return for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on platform.event for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on platform.event for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on platform.event_gap for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on platform.event_gap for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on platform.idempotency_record for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on platform.idempotency_record for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on platform.outbox for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on platform.outbox for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on team.membership for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on team.membership for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on team.organization for all to partita_app using ((id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on team.organization for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

create policy by_organization on team.team for all to partita_app using ((organization_id = (NULLIF(current_setting('app.organization_id'::text, true), ''::text))::uuid));

create policy by_system on team.team for all to partita_system using (((( SELECT NULLIF(current_setting('app.organization_ids'::text, true), ''::text) AS "nullif") IS NULL) OR (organization_id IN ( SELECT unnest((NULLIF(current_setting('app.organization_ids'::text, true), ''::text))::uuid[]) AS unnest))));

grant usage on sequence accounts.account_number to partita_system;

grant select on table accounts.bank_account to partita_app;

grant insert, select, update on table accounts.bank_account to partita_system;

grant select on table accounts.book_route to partita_app;

grant insert, select, update on table accounts.book_route to partita_system;

grant select on table connections.carried_balance to partita_app;

grant insert, select, update on table connections.carried_balance to partita_system;

grant select on table connections.external_history to partita_app;

grant insert, select, update on table connections.external_history to partita_system;

grant select on table connections.file_content to partita_app;

grant insert, select on table connections.file_content to partita_system;

grant select on table connections.imported_file to partita_app;

grant insert, select on table connections.imported_file to partita_system;

grant select on table connections.imported_statement to partita_app;

grant insert, select on table connections.imported_statement to partita_system;

grant select on table connections.statement_entry to partita_app;

grant insert, select, update on table connections.statement_entry to partita_system;

grant select on table connections.statement_entry_detail to partita_app;

grant insert, select on table connections.statement_entry_detail to partita_system;

grant select on table feed.feed_count to partita_app;

grant insert, select, update on table feed.feed_count to partita_system;

grant select on table feed.label to partita_app;

grant insert, select, update on table feed.label to partita_system;

grant select on table feed.transaction to partita_app;

grant insert, select on table feed.transaction to partita_system;

grant select on table feed.transaction_label to partita_app;

grant delete, insert, select on table feed.transaction_label to partita_system;

grant usage on sequence feed.transaction_number to partita_system;

grant insert, select on table identity.api_key to partita_system;

grant insert, select on table ledger.account to partita_ledger;

grant select on table ledger.account to partita_system;

grant insert, select on table ledger.book to partita_ledger;

grant select on table ledger.book to partita_system;

grant select on table ledger.entry to partita_ledger;

grant select on table ledger.entry to partita_system;

grant insert, select on table ledger.hold to partita_ledger;

grant select on table ledger.hold to partita_system;

grant insert, select on table ledger.key to partita_ledger;

grant select on table ledger.key to partita_system;

grant insert, select on table ledger.period to partita_ledger;

grant select on table ledger.period to partita_system;

grant insert, select on table ledger.transfer to partita_ledger;

grant select on table ledger.transfer to partita_system;

grant select on table payments.credit_transfer to partita_app;

grant insert, select on table payments.credit_transfer to partita_system;

grant insert, select on table payments.incoming_message to partita_system;

grant insert, select, update on table payments.incoming_message_part to partita_system;

grant select on table payments.incoming_transfer to partita_app;

grant insert, select on table payments.incoming_transfer to partita_system;

grant select on table payments.internal_transfer to partita_app;

grant insert, select on table payments.internal_transfer to partita_system;

grant insert, select, update on table payments.outgoing_message to partita_system;

grant insert, select on table payments.outgoing_message_transfer to partita_system;

grant select on table payments.payment_file to partita_app;

grant insert, select on table payments.payment_file to partita_system;

grant select on table payments.payment_file_answer to partita_app;

grant insert, select on table payments.payment_file_answer to partita_system;

grant select on table payments.payment_file_refusal to partita_app;

grant insert, select on table payments.payment_file_refusal to partita_system;

grant select, update on table payments.rail_cursor to partita_system;

grant select on table payments.transfer_return to partita_app;

grant insert, select on table payments.transfer_return to partita_system;

grant select on table platform.bank_clock to partita_app;

grant select on table platform.bank_clock to partita_system;

grant insert, select, update on table platform.consumer to partita_system;

grant select on table platform.event to partita_app;

grant insert, select on table platform.event to partita_system;

grant select on table platform.event_gap to partita_app;

grant select on table platform.event_gap to partita_system;

grant select, update on table platform.event_head to partita_system;

grant delete, insert, select, update on table platform.failed_item to partita_system;

grant delete, insert, select, update on table platform.idempotency_record to partita_app;

grant delete, insert, select, update on table platform.idempotency_record to partita_system;

grant insert on table platform.outbox to partita_app;

grant delete, insert, select on table platform.outbox to partita_system;

grant delete, insert, select, update on table platform.pass_run to partita_system;

grant delete, insert, select, update on table platform.set_aside_event to partita_system;

grant insert, select on table platform.skipped_event to partita_system;

grant select on table team.membership to partita_app;

grant insert, select, update on table team.membership to partita_system;

grant select on table team.organization to partita_app;

grant insert, select, update on table team.organization to partita_system;

grant select on table team.team to partita_app;

grant insert, select, update on table team.team to partita_system;

grant update (status) on table feed.transaction to partita_system;

grant update (settled_balance_minor) on table feed.transaction to partita_system;

grant update (note) on table feed.transaction to partita_system;

grant update (category) on table feed.transaction to partita_system;

grant update (vat_amount_minor) on table feed.transaction to partita_system;

grant update (vat_rate) on table feed.transaction to partita_system;

grant update (vat_items) on table feed.transaction to partita_system;

grant update (attachment_ids) on table feed.transaction to partita_system;

grant update (attachment_lost) on table feed.transaction to partita_system;

grant update (attachment_required) on table feed.transaction to partita_system;

grant update (ledger_key) on table feed.transaction to partita_system;

grant update (settled_at) on table feed.transaction to partita_system;

grant update (updated_at) on table feed.transaction to partita_system;

grant select (id) on table identity.api_key to partita_app;

grant select (organization_id) on table identity.api_key to partita_app;

grant select (membership_id) on table identity.api_key to partita_app;

grant select (login) on table identity.api_key to partita_app;

grant select (prefix) on table identity.api_key to partita_app;

grant select (created_at) on table identity.api_key to partita_app;

grant select (revoked_at) on table identity.api_key to partita_app;

grant update (revoked_at) on table identity.api_key to partita_system;

grant update (debits) on table ledger.account to partita_ledger;

grant update (credits) on table ledger.account to partita_ledger;

grant update (balance) on table ledger.account to partita_ledger;

grant update (held) on table ledger.account to partita_ledger;

grant update (version) on table ledger.account to partita_ledger;

grant update (overdrawn) on table ledger.account to partita_ledger;

grant update (closed) on table ledger.account to partita_ledger;

grant update (closed_at) on table ledger.account to partita_ledger;

grant update (seq) on table ledger.book to partita_ledger;

grant update (recorded_at) on table ledger.book to partita_ledger;

grant update (closed_until) on table ledger.book to partita_ledger;

grant update (backdated_max) on table ledger.book to partita_ledger;

grant update (postdated_max) on table ledger.book to partita_ledger;

grant update (posted) on table ledger.hold to partita_ledger;

grant update (status) on table ledger.hold to partita_ledger;

grant update (ended_seq) on table ledger.hold to partita_ledger;

grant update (ended_at) on table ledger.hold to partita_ledger;

grant update (status) on table payments.credit_transfer to partita_system;

grant update (status_reason_code) on table payments.credit_transfer to partita_system;

grant update (submitted_at) on table payments.credit_transfer to partita_system;

grant update (answer_due_at) on table payments.credit_transfer to partita_system;

grant update (investigated_at) on table payments.credit_transfer to partita_system;

grant update (updated_at) on table payments.credit_transfer to partita_system;

grant update (suspended_minor) on table payments.credit_transfer to partita_system;

grant update (outcome) on table payments.incoming_message to partita_system;

grant update (read_at) on table payments.incoming_message to partita_system;

grant update (status) on table payments.incoming_transfer to partita_system;

grant update (status_reason_code) on table payments.incoming_transfer to partita_system;

grant update (book_id) on table payments.incoming_transfer to partita_system;

grant update (answer_due_at) on table payments.incoming_transfer to partita_system;

grant update (offset_ms) on table platform.bank_clock to partita_system;

grant execute on function accounts.ledger_accounts() to partita_system;

grant execute on function accounts.own_balances(p_organization uuid) to partita_app;

grant execute on function ledger.balances(p_accounts uuid[]) to partita_system;

grant execute on function ledger.check_time(p_now timestamp with time zone) to partita_ledger;

grant execute on function ledger.close_account(p_account uuid, p_now timestamp with time zone) to partita_system;

grant execute on function ledger.close_period(p_book integer, p_through date, p_now timestamp with time zone) to partita_system;

grant execute on function ledger.content_hash(debit integer, credit integer, amount bigint, terms bigint) to partita_ledger;

grant execute on function ledger.ensure_partition(p_at timestamp with time zone) to partita_system;

grant execute on function ledger.entries_after(p_account integer, p_version bigint, p_limit integer) to partita_system;

grant execute on function ledger.entries_before(p_account integer, p_version bigint, p_limit integer) to partita_system;

grant execute on function ledger.entries_of(p_accounts uuid[]) to partita_system;

grant execute on function ledger.expire_holds(p_book integer, p_now timestamp with time zone, p_limit integer) to partita_system;

grant execute on function ledger.holds_of(p_accounts uuid[]) to partita_system;

grant execute on function ledger.make_partition(p_at timestamp with time zone) to partita_ledger;

grant execute on function ledger.open_accounts(p_book integer, p_ids uuid[], p_codes text[], p_currencies text[], p_debit_normals boolean[], p_floors bigint[], p_now timestamp with time zone) to partita_system;

grant execute on function ledger.open_book(p_code text, p_now timestamp with time zone) to partita_system;

grant execute on function ledger.operation_hash(kind smallint, debit uuid, credit uuid, amount bigint, currency text, code text, effective timestamp with time zone, reference uuid, "group" uuid, hold uuid, expires timestamp with time zone, force boolean) to partita_ledger;

grant execute on function ledger.post_batch(p_book integer, p_now timestamp with time zone, p_accounts uuid[], p_kind smallint[], p_key uuid[], p_debit integer[], p_credit integer[], p_amount bigint[], p_currency text[], p_code text[], p_effective timestamp with time zone[], p_reference uuid[], p_group uuid[], p_hold uuid[], p_expires timestamp with time zone[], p_force boolean[], OUT o_status smallint[], OUT o_seq bigint[], OUT o_debit_balance bigint[], OUT o_debit_version bigint[], OUT o_credit_balance bigint[], OUT o_credit_version bigint[]) to partita_system;

grant execute on function ledger.sum_int8(bigint) to partita_ledger;

grant execute on function ledger.sum_int8(bigint) to partita_system;

grant execute on function ledger.terms_hash(kind smallint, amount bigint, currency text, code text, effective timestamp with time zone, reference uuid, "group" uuid, hold uuid, expires timestamp with time zone, force boolean) to partita_ledger;

grant execute on function ledger.version_recorded(p_account integer, p_at timestamp with time zone) to partita_system;

grant execute on function platform.held(of_pass text, at timestamp with time zone) to partita_system;

grant execute on function platform.prepare_event_partition(p_position bigint) to partita_system;
