"""Corruptions of what stores are owed, of the bank files, and of the database's own guards."""

from tests.proof.corruption import NEW_ID, corrupt, one

FORGE = "UPDATE bank_file SET sha256 = sha256(content)"
"""Whoever forges a file forges its fingerprint, too."""

SETTLEMENT = (
    corrupt(
        "stores_are_owed_unclaimed_legs",
        "a claim forgotten: the leg would be paid again",
        f"DELETE FROM statement_claim WHERE {one('statement_claim')}",
    ),
    corrupt(
        "claims_belong",
        "a leg from after the cut-off",
        "UPDATE payment_leg SET effective_at = effective_at + interval '60 days' WHERE id = "
        "(SELECT leg_id FROM statement_claim LIMIT 1)",
    ),
    corrupt(
        "claims_belong",
        "a leg on another store's statement",
        "UPDATE statement_claim SET statement_id = (SELECT id FROM statement WHERE number = 'S2') WHERE statement_id = "
        "(SELECT id FROM statement WHERE number = 'S0')",
    ),
    corrupt(
        "claims_belong",
        "a claim of a leg that never was",
        f"INSERT INTO statement_claim SELECT {NEW_ID}, id FROM statement WHERE number = 'S0'",
        alone=True,
    ),
    corrupt(
        "statements_count_their_claims",
        "a statement that counts a payment too many",
        "UPDATE statement SET payments = payments + 1 WHERE number = 'S0'",
        alone=True,
    ),
    corrupt(
        "statements_count_their_claims",
        "a statement that moves a cancel to the refunds",
        "UPDATE statement SET refunded_yen = cancelled_yen, cancelled_yen = 0 WHERE cancelled_yen > 0",
        alone=True,
    ),
    corrupt(
        "statements_charge_their_rates",
        "a fee one yen too high",
        "UPDATE statement SET fee_yen = fee_yen + 1, net_yen = net_yen - 1, carried_out_yen = carried_out_yen - 1 "
        "WHERE number = 'S1'",
    ),
    corrupt(
        "statements_charge_their_rates",
        "a rate changed after the close",
        "UPDATE statement SET fee_bp = fee_bp + 100 WHERE number = 'S0'",
        alone=True,
    ),
    corrupt(
        "statements_charge_their_rates",
        "a statement in another merchant's name",
        "UPDATE statement SET merchant_id = (SELECT id FROM merchant WHERE number = 'M3') WHERE number = 'S1'",
        alone=True,
    ),
    corrupt(
        "statements_resolve",
        "a payout one yen too high",
        "UPDATE statement SET payout_yen = payout_yen + 1 WHERE number = 'S0'",
    ),
    corrupt(
        "statements_resolve",
        "carried and owed at once",
        "UPDATE statement SET carried_out_yen = carried_out_yen + 5, receivable_out_yen = receivable_out_yen + 5 "
        "WHERE carried_out_yen > 0 AND number = 'S4'",
    ),
    corrupt(
        "statements_carry_on",
        "a carry that is lost on the way",
        "UPDATE statement SET carried_in_yen = carried_in_yen - 1, carried_out_yen = carried_out_yen - 1 "
        "WHERE number = 'S4'",
    ),
    corrupt(
        "statements_carry_on",
        "a close taken out of the chain",
        "DELETE FROM settlement_close WHERE closing_date = '2026-04-30'",
    ),
    corrupt(
        "closes_are_posted",
        "a fee booked as tax",
        "UPDATE ledger_posting SET account = 'fee_tax' WHERE account = 'fee_income'",
    ),
    corrupt(
        "closes_are_posted",
        "a close that was never posted",
        "UPDATE ledger_journal SET deed_id = gen_random_uuid() WHERE kind = 'close' AND deed_id = "
        "(SELECT id FROM statement WHERE number = 'S0')",
    ),
    corrupt(
        "payouts_due",
        "a payout booked as sent to another store",
        "UPDATE ledger_posting SET owner_id = (SELECT id FROM store WHERE code = 'S1') WHERE account = 'payout_due' "
        "AND amount_yen > 0",
    ),
    corrupt(
        "stores_owe",
        "a debt of a store forgiven in its statement",
        "UPDATE statement SET receivable_out_yen = 0 WHERE receivable_out_yen > 0",
    ),
    corrupt(
        "payouts_are_posted",
        "a file marked as paid before the bank paid",
        "UPDATE bank_file SET status = 'paid', paid_at = sent_at WHERE status = 'sent'",
    ),
    corrupt(
        "payouts_are_posted",
        "a payout sent twice",
        f"WITH again AS (INSERT INTO ledger_journal SELECT {NEW_ID}, programme_id, kind, deed_id, NULL, "
        "effective_at, clock_timestamp() FROM ledger_journal WHERE kind = 'sent' LIMIT 1 RETURNING id, deed_id) "
        "INSERT INTO ledger_posting SELECT again.id, p.line, p.account, p.owner_id, p.amount_yen FROM again "
        "JOIN ledger_journal j ON j.deed_id = again.deed_id AND j.kind = 'sent' "
        "JOIN ledger_posting p ON p.journal_id = j.id",
    ),
    corrupt(
        "money_in_is_posted",
        "money in with another amount than was booked",
        "UPDATE money_in SET amount_yen = amount_yen + 1 WHERE source = 'funder'",
    ),
    corrupt(
        "money_in_is_posted",
        "the channel's money booked as the funder's",
        "UPDATE money_in SET source = 'grant_budget' WHERE source = 'funder'",
    ),
)

ACCOUNTS = tuple(
    corrupt(
        f"{account}_yen",
        f"two yen of {account} moved to another account's books",
        f"WITH made AS (INSERT INTO ledger_journal SELECT {NEW_ID}, programme_id, 'correction', "
        "gen_random_uuid(), NULL, effective_at, clock_timestamp() FROM ledger_journal WHERE kind = 'purchase' LIMIT 1 "
        "RETURNING id) INSERT INTO ledger_posting "
        f"SELECT id, 1, '{account}', NULL::uuid, 2 FROM made UNION ALL SELECT id, 2, '{other}', NULL, -2 FROM made",
    )
    for account, other in (
        ("cash_receivable", "bank"),
        ("funder_receivable", "bank"),
        ("grant_receivable", "bank"),
        ("bank", "suspense"),
        ("bank_clearing", "bank"),
        ("suspense", "bank"),
        ("breakage", "fee_income"),
        ("fee_income", "fee_tax"),
        ("fee_tax", "breakage"),
    )
)

BANK_FILES = (
    corrupt(
        "bank_files_are_as_fixed",
        "one byte of padding changed",
        "UPDATE bank_file SET content = set_byte(content, 110, 88) WHERE status = 'paid'",
        alone=True,
    ),
    corrupt(
        "bank_files_have_two_officers",
        "approved by who proposed it",
        "ALTER TABLE bank_file DROP CONSTRAINT ck_bank_file_second_officer",
        "UPDATE bank_file SET approved_by = proposed_by WHERE status = 'approved'",
    ),
    corrupt(
        "bank_files_have_two_officers",
        "sent without an approval",
        "ALTER TABLE bank_file DROP CONSTRAINT ck_bank_file_steps",
        "UPDATE bank_file SET approved_by = NULL WHERE status = 'sent'",
    ),
    corrupt(
        "bank_files_sum_their_transfers",
        "a total beside the file",
        "UPDATE bank_file SET total_yen = total_yen + 1 WHERE status = 'sent'",
        alone=True,
    ),
    corrupt(
        "transfers_pay_statements",
        "a transfer larger than the statements it pays",
        "UPDATE bank_transfer SET amount_yen = amount_yen + 1 WHERE bank_file_id = "
        "(SELECT id FROM bank_file WHERE status = 'sent')",
    ),
    corrupt(
        "transfers_pay_statements",
        "a transfer to another merchant's account",
        "UPDATE payout_account SET merchant_id = (SELECT id FROM merchant WHERE number = 'M1') WHERE merchant_id = "
        "(SELECT id FROM merchant WHERE number = 'M3')",
        alone=True,
    ),
    corrupt(
        "transfers_pay_statements",
        "a payout voided in a file that is not",
        "UPDATE payout SET voided_at = clock_timestamp() WHERE transfer_id IN "
        "(SELECT t.id FROM bank_transfer t JOIN bank_file f ON f.id = t.bank_file_id WHERE f.status = 'approved')",
    ),
    corrupt(
        "payouts_happen_once",
        "one statement in two live files",
        "DROP INDEX uq_payout_live",
        "UPDATE payout SET voided_at = NULL",
    ),
    corrupt(
        "bank_files_add_up",
        "an amount in the bytes changed, the trailer not",
        "UPDATE bank_file SET content = set_byte(content, 122 + 89, 57) WHERE status = 'paid'",
        FORGE,
    ),
    corrupt(
        "bank_files_add_up",
        "a file of another day",
        "UPDATE bank_file SET transfer_date = transfer_date + 1 WHERE status = 'approved'",
        alone=True,
    ),
    corrupt("bank_files_add_up", "no file at all", "UPDATE bank_file SET content = 'x' WHERE status = 'sent'", FORGE),
    corrupt(
        "bank_files_name_their_transfers",
        "the payee's account in the bytes changed",
        "UPDATE bank_file SET content = set_byte(content, 122 + 49, 57) WHERE status = 'paid'",
        FORGE,
        alone=True,
    ),
    corrupt(
        "bank_files_yen",
        "an amount in the bytes changed",
        "UPDATE bank_file SET content = set_byte(content, 122 + 80, 57) WHERE status = 'paid'",
        FORGE,
    ),
)

GUARDS = (
    corrupt("guard_zero_sum", "the trigger dropped", "DROP TRIGGER ledger_zero_sum ON ledger_posting", alone=True),
    corrupt(
        "guard_zero_sum",
        "the trigger asleep",
        "ALTER TABLE ledger_posting DISABLE TRIGGER ledger_zero_sum",
        alone=True,
    ),
    corrupt(
        "guard_zero_sum",
        "the trigger's function emptied",
        "CREATE OR REPLACE FUNCTION ledger_refuse_unbalanced() RETURNS trigger LANGUAGE plpgsql AS "
        "'BEGIN RETURN NULL; END'",
        alone=True,
    ),
    corrupt("guard_written_once", "a trigger dropped", "DROP TRIGGER payment_written_once ON payment", alone=True),
    corrupt(
        "guard_written_once",
        "a trigger asleep",
        "ALTER TABLE audit_entry DISABLE TRIGGER audit_entry_written_once",
        alone=True,
    ),
    corrupt(
        "guard_written_once",
        "their function emptied",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        alone=True,
    ),
    corrupt(
        "guard_rights_to_alter",
        "the application may alter one column",
        "GRANT UPDATE (amount_yen) ON ledger_posting TO tanabata_app",
        alone=True,
    ),
    corrupt("guard_rights_to_alter", "everybody may", "GRANT UPDATE ON payment TO PUBLIC", alone=True),
    corrupt("guard_rights_to_delete", "the application may delete", "GRANT DELETE ON lot TO tanabata_app", alone=True),
    corrupt(
        "guard_rights_to_delete",
        "the application may empty a table",
        "GRANT TRUNCATE ON ledger_journal TO tanabata_app",
        alone=True,
    ),
    corrupt("guard_rights_to_delete", "the application owns a table", "ALTER TABLE lot OWNER TO tanabata_app"),
    corrupt("guard_limits", "a CHECK dropped", "ALTER TABLE lot DROP CONSTRAINT ck_lot_paid", alone=True),
    corrupt(
        "guard_limits",
        "a CHECK weakened under its name",
        "ALTER TABLE bought DROP CONSTRAINT ck_bought_cap",
        "ALTER TABLE bought ADD CONSTRAINT ck_bought_cap CHECK (bought_yen >= 0)",
        alone=True,
    ),
    corrupt("guard_keys", "a unique index dropped", "DROP INDEX uq_payout_live", alone=True),
    corrupt("guard_keys", "a primary key dropped", "ALTER TABLE code_use DROP CONSTRAINT pk_code_use", alone=True),
)
