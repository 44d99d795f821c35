import type { Tx } from '../../platform/postgres/database.ts'
import type { KeptDetail, KeptEntry } from './domain/entry-facts.ts'

/** The SQL of what statement files say of entries, and of the files' own bytes. */

type Owner = { readonly organizationId: string; readonly bankAccountId: string }
export type KeyedEntry = KeptEntry & { readonly key: string }
export type KeyedDetail = KeptDetail & { readonly key: string; readonly position: number }

/**
 * Keeps what is said of entries. What is known of one stays as it is: another file fills in only what nobody had said. A row to which it adds
 * nothing is not touched, for the same file again is the usual case.
 */
export const keepEntries = (tx: Tx, { organizationId, bankAccountId }: Owner, rows: readonly KeyedEntry[]) => tx.run`
  insert into connections.statement_entry as e (
    entry_key, organization_id, bank_account_id, booking_date, value_date, bank_reference, end_to_end_id, mandate_id, creditor_id,
    counterparty_name, counterparty_iban, transaction_code, remittance, additional_information, more)
  select r.entry_key, ${organizationId}::uuid, ${bankAccountId}::uuid, r.booking_date, r.value_date, r.bank_reference, r.end_to_end_id, r.mandate_id,
         r.creditor_id, r.counterparty_name, r.counterparty_iban, r.transaction_code, r.remittance, r.additional_information, r.more
    from unnest(
      ${rows.map((r) => r.key)}::uuid[], ${rows.map((r) => r.bookingDate)}::date[], ${rows.map((r) => r.valueDate)}::date[],
      ${rows.map((r) => r.bankReference)}::text[], ${rows.map((r) => r.endToEndId)}::text[], ${rows.map((r) => r.mandateId)}::text[],
      ${rows.map((r) => r.creditorId)}::text[], ${rows.map((r) => r.counterpartyName)}::text[],
      ${rows.map((r) => r.counterpartyIban)}::text[], ${rows.map((r) => r.transactionCode)}::text[],
      ${rows.map((r) => r.remittance)}::text[], ${rows.map((r) => r.additionalInformation)}::text[],
      ${rows.map((r) => JSON.stringify(r.more))}::jsonb[])
      as r(entry_key, booking_date, value_date, bank_reference, end_to_end_id, mandate_id, creditor_id, counterparty_name,
           counterparty_iban, transaction_code, remittance, additional_information, more)
    left join connections.statement_entry known
      on known.organization_id = ${organizationId}::uuid and known.entry_key = r.entry_key
   where known.entry_key is null
      or (known.value_date is null and r.value_date is not null)
      or (known.bank_reference is null and r.bank_reference is not null)
      or (known.end_to_end_id is null and r.end_to_end_id is not null)
      or (known.mandate_id is null and r.mandate_id is not null)
      or (known.creditor_id is null and r.creditor_id is not null)
      or (known.counterparty_name is null and r.counterparty_name is not null)
      or (known.counterparty_iban is null and r.counterparty_iban is not null)
      or (known.transaction_code is null and r.transaction_code is not null)
      or (known.remittance is null and r.remittance is not null)
      or (known.additional_information is null and r.additional_information is not null)
      or known.more <> r.more || known.more
  on conflict (organization_id, entry_key) do update set
    value_date = coalesce(e.value_date, excluded.value_date),
    bank_reference = coalesce(e.bank_reference, excluded.bank_reference),
    end_to_end_id = coalesce(e.end_to_end_id, excluded.end_to_end_id),
    mandate_id = coalesce(e.mandate_id, excluded.mandate_id),
    creditor_id = coalesce(e.creditor_id, excluded.creditor_id),
    counterparty_name = coalesce(e.counterparty_name, excluded.counterparty_name),
    counterparty_iban = coalesce(e.counterparty_iban, excluded.counterparty_iban),
    transaction_code = coalesce(e.transaction_code, excluded.transaction_code),
    remittance = coalesce(e.remittance, excluded.remittance),
    additional_information = coalesce(e.additional_information, excluded.additional_information),
    more = excluded.more || e.more`

/** Of which of these entries transactions are known. */
export const keysWithDetails = (tx: Tx, organizationId: string, keys: readonly string[]) => tx.rows<{ key: string }>`
  select distinct entry_key as key from connections.statement_entry_detail
   where organization_id = ${organizationId} and entry_key = any(${keys}::uuid[])`

export const keepDetails = (tx: Tx, organizationId: string, rows: readonly KeyedDetail[]) => tx.run`
  insert into connections.statement_entry_detail (
    organization_id, entry_key, position, amount, currency, end_to_end_id, mandate_id, creditor_id, counterparty_name, counterparty_iban,
    remittance, more)
  select ${organizationId}::uuid, entry_key, position, amount, currency, end_to_end_id, mandate_id, creditor_id, counterparty_name,
         counterparty_iban, remittance, more
    from unnest(
      ${rows.map((r) => r.key)}::uuid[], ${rows.map((r) => r.position)}::int[], ${rows.map((r) => r.amount)}::numeric[],
      ${rows.map((r) => r.currency)}::text[], ${rows.map((r) => r.endToEndId)}::text[], ${rows.map((r) => r.mandateId)}::text[],
      ${rows.map((r) => r.creditorId)}::text[], ${rows.map((r) => r.counterpartyName)}::text[],
      ${rows.map((r) => r.counterpartyIban)}::text[], ${rows.map((r) => r.remittance)}::text[],
      ${rows.map((r) => JSON.stringify(r.more))}::jsonb[])
      as r(entry_key, position, amount, currency, end_to_end_id, mandate_id, creditor_id, counterparty_name, counterparty_iban,
           remittance, more)`

export const findEntries = (tx: Tx, organizationId: string, keys: readonly string[]) => tx.rows<KeyedEntry>`
  select entry_key as key, booking_date as "bookingDate", value_date as "valueDate", bank_reference as "bankReference",
         end_to_end_id as "endToEndId", mandate_id as "mandateId", creditor_id as "creditorId", counterparty_name as "counterpartyName",
         counterparty_iban as "counterpartyIban", transaction_code as "transactionCode", remittance,
         additional_information as "additionalInformation", more
    from connections.statement_entry
   where organization_id = ${organizationId} and entry_key = any(${keys}::uuid[])`

/** In the order of their file. */
export const findDetails = (tx: Tx, organizationId: string, keys: readonly string[]) => tx.rows<KeyedDetail>`
  select entry_key as key, position, amount::text, currency, end_to_end_id as "endToEndId", mandate_id as "mandateId",
         creditor_id as "creditorId", counterparty_name as "counterpartyName", counterparty_iban as "counterpartyIban", remittance, more
    from connections.statement_entry_detail
   where organization_id = ${organizationId} and entry_key = any(${keys}::uuid[])
   order by entry_key, position`

export const countDetails = (tx: Tx, organizationId: string, key: string) => tx.one<{ count: bigint }>`
  select count(*) as count from connections.statement_entry_detail where organization_id = ${organizationId} and entry_key = ${key}`

export const pageOfDetails = (
  tx: Tx,
  organizationId: string,
  key: string,
  page: { limit: number; offset: number },
) => tx.rows<KeyedDetail>`
  select entry_key as key, position, amount::text, currency, end_to_end_id as "endToEndId", mandate_id as "mandateId",
         creditor_id as "creditorId", counterparty_name as "counterpartyName", counterparty_iban as "counterpartyIban", remittance, more
    from connections.statement_entry_detail
   where organization_id = ${organizationId} and entry_key = ${key} and position >= ${page.offset}
   order by position
   limit ${page.limit}`

export const hasContent = async (tx: Tx, organizationId: string, sha256: Uint8Array): Promise<boolean> =>
  (await tx.maybe`
    select 1 from connections.file_content where organization_id = ${organizationId} and sha256 = ${sha256} and position = 0`) !==
  undefined

export const insertContentPiece = (
  tx: Tx,
  piece: { readonly organizationId: string; readonly sha256: Uint8Array; readonly position: number; readonly zstd: Uint8Array },
) => tx.run`
  insert into connections.file_content (organization_id, sha256, position, zstd)
  values (${piece.organizationId}, ${piece.sha256}, ${piece.position}, ${piece.zstd})
  on conflict do nothing`

export const findContentPiece = (tx: Tx, organizationId: string, sha256: Uint8Array, position: number) => tx.maybe<{
  zstd: Buffer
}>`
  select zstd from connections.file_content
   where organization_id = ${organizationId} and sha256 = ${sha256} and position = ${position}`

export type ImportedFile = {
  readonly id: string
  readonly organizationId: string
  readonly name: string
  readonly format: string
  readonly importedAt: Date
  /** Null where an earlier release did not keep the file. */
  readonly size: bigint | null
  readonly sha256: Buffer | null
}

/** Latest first. */
export const listFiles = (tx: Tx, organizationId: string) => tx.rows<ImportedFile>`
  select id, organization_id as "organizationId", name, format, imported_at as "importedAt", size, sha256
    from connections.imported_file
   where organization_id = ${organizationId}
   order by imported_at desc, id desc`

export const findFile = (tx: Tx, organizationId: string, id: string) => tx.maybe<ImportedFile>`
  select id, organization_id as "organizationId", name, format, imported_at as "importedAt", size, sha256
    from connections.imported_file
   where organization_id = ${organizationId} and id = ${id}`
