"""Laws of the database's own guards: triggers, rights, CHECKs and keys are there and say what they must.

A guard that was dropped, disabled or weakened lets later deeds break what today still holds.
"""

from typing import Final

from services.proof.proof import WHOLE, Theme

APP: Final = "tanabata_app"

WRITTEN_ONCE: Final = (
    "ledger_journal",
    "ledger_posting",
    "ledger_seal",
    "payment",
    "payment_leg",
    "payment_allocation",
    "payment_return",
    "code_use",
    "statement",
    "statement_claim",
    "settlement_close",
    "bank_transfer",
    "money_in",
    "wallet_grant",
    "expiry",
    "payout_account",
    "programme_version",
    "programme_approval",
    "audit_entry",
    "audit_seal",
    "chain_anchor",
    "care_consent",
    "care_deed",
    "wallet_merge",
    "lot_move",
)
"""Tables whose rows are never altered: by trigger for everyone, by rights for the application."""

NEVER_EMPTIED: Final = (
    "programme",
    "programme_stock",
    "wallet",
    "lot",
    "spent_today",
    "bought",
    "purchase",
    "payment_returned",
    "bank_file",
    "payout",
    "proposed_change",
    "care",
)
"""Tables with living columns, from which the application may take no row away."""

CHECKS: Final = (
    ("ledger_posting", "ck_ledger_posting_amount", "(amount_yen <> 0)"),
    ("lot", "ck_lot_paid", "((paid_yen >= 0) AND (paid_yen <= paid_issued_yen))"),
    ("lot", "ck_lot_premium", "((premium_yen >= 0) AND (premium_yen <= premium_issued_yen))"),
    ("spent_today", "ck_spent_today_limit", "((spent_yen >= 0) AND (spent_yen <= limit_yen))"),
    ("bought", "ck_bought_cap", "((bought_yen >= 0) AND (bought_yen <= cap_yen))"),
    ("programme_stock", "ck_programme_stock_not_negative", "((reserved_units >= 0) AND (sold_units >= 0))"),
    ("programme_stock", "ck_programme_stock_units", "((reserved_units + sold_units) <= total_units)"),
    (
        "programme_stock",
        "ck_programme_stock_grants",
        "((granted_points >= 0) AND (granted_points <= grant_budget_points))",
    ),
    ("programme_approval", "ck_programme_approval_second_officer", "(approved_by <> proposed_by)"),
    (
        "proposed_change",
        "ck_proposed_change_second_officer",
        "((status <> 'approved'::text) OR (decided_by <> proposed_by))",
    ),
    ("payment", "ck_payment_amount", "(amount_yen > 0)"),
    ("payment_leg", "ck_payment_leg_amount", "(amount_yen > 0)"),
    ("payment_return", "ck_payment_return_amount", "(amount_yen > 0)"),
    ("payment_returned", "ck_payment_returned_returned", "((returned_yen >= 0) AND (returned_yen <= paid_yen))"),
    (
        "payment_allocation",
        "ck_payment_allocation_parts",
        "((paid_yen >= 0) AND (premium_yen >= 0) AND ((paid_yen + premium_yen) > 0))",
    ),
    ("bank_file", "ck_bank_file_second_officer", "(approved_by <> proposed_by)"),
    (
        "bank_file",
        "ck_bank_file_steps",
        "(((approved_by IS NOT NULL) = (status = ANY (ARRAY['approved'::text, 'sent'::text, 'paid'::text])))"
        " AND ((approved_at IS NOT NULL) = (approved_by IS NOT NULL))"
        " AND ((sent_at IS NOT NULL) = (status = ANY (ARRAY['sent'::text, 'paid'::text])))"
        " AND ((paid_at IS NOT NULL) = (status = 'paid'::text)))",
    ),
    ("bank_transfer", "ck_bank_transfer_amount", "(amount_yen > 0)"),
    ("wallet", "ck_wallet_merged", "((status = 'merged'::text) = (merged_into_id IS NOT NULL))"),
    ("wallet_merge", "ck_wallet_merge_second_officer", "(approved_by <> proposed_by)"),
    (
        "lot_move",
        "ck_lot_move_parts",
        "((paid_yen >= 0) AND (premium_yen >= 0) AND ((paid_yen + premium_yen) > 0))",
    ),
)
"""What a row can never say: table, constraint, and the rule as the catalogue writes it."""

KEYS: Final = (
    ("deed", "(key, account_id)"),
    ("ledger_journal", "(id)"),
    ("ledger_journal", "(reverses_id) WHERE (reverses_id IS NOT NULL)"),
    ("ledger_posting", "(journal_id, line)"),
    ("ledger_seal", "(position)"),
    ("ledger_seal", "(journal_id)"),
    ("audit_seal", "(position)"),
    ("audit_seal", "(entry_id)"),
    ("wallet", "(person_id)"),
    ("wallet_merge", "(closed_id)"),
    ("lot", "(moved_from_id) WHERE (moved_from_id IS NOT NULL)"),
    ("spent_today", "(day, wallet_id, programme_id)"),
    ("bought", "(wallet_id, programme_id)"),
    ("purchase", "(checkout_id)"),
    ("payment", "(id)"),
    ("code_use", "(code_id)"),
    ("payment_returned", "(payment_id)"),
    ("payment_leg", "(id)"),
    ("payment_allocation", "(leg_id, lot_id)"),
    ("settlement_close", "(programme_id, closing_date)"),
    ("statement", "(close_id, store_id)"),
    ("statement_claim", "(leg_id)"),
    ("payout", "(statement_id) WHERE (voided_at IS NULL)"),
    ("programme_version", "(programme_id, version)"),
    ("programme_approval", "(programme_id, version)"),
)
"""What can happen once only: table and unique index."""


QUOTE: Final = "'"


def _rows(*rows: tuple[str, ...]) -> str:
    """Names and rules as the rows of VALUES; they are constants of this module."""
    return ", ".join("(" + ", ".join(f"'{value.replace(QUOTE, QUOTE * 2)}'" for value in row) + ")" for row in rows)


SCHEMA: Final = f"""
application AS (SELECT oid FROM pg_roles WHERE rolname = '{APP}'),
written_once (name) AS (VALUES {_rows(*((name,) for name in WRITTEN_ONCE))}),
kept (name) AS (SELECT name FROM written_once UNION VALUES {_rows(*((name,) for name in NEVER_EMPTIED))}),
limits (name, conname, rule) AS (VALUES {_rows(*CHECKS)}),
keys (name, columns) AS (VALUES {_rows(*KEYS)})
"""  # noqa: S608

ZERO_SUM_TRIGGER: Final = """
SELECT 'ledger_posting' AS subject, EXISTS (
           SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
            WHERE t.tgrelid = to_regclass('ledger_posting') AND t.tgenabled IN ('O', 'A') AND t.tgtype = 4
              AND t.tgnewtable IS NOT NULL AND t.tgqual IS NULL
              AND f.prosrc ~ 'FROM written\\s+GROUP BY journal_id\\s+HAVING sum\\(amount_yen\\) <> 0'
              AND f.prosrc ~ 'IF wrong IS NOT NULL THEN\\s+RAISE EXCEPTION') AS holds
"""
"""After each statement that inserts postings, over all of them (type 4), and it raises."""

WRITTEN_ONCE_TRIGGERS: Final = """
SELECT name AS subject, EXISTS (
           SELECT FROM pg_trigger t JOIN pg_proc f ON f.oid = t.tgfoid
            WHERE t.tgrelid = to_regclass(name) AND t.tgenabled IN ('O', 'A') AND t.tgtype = 58
              AND t.tgqual IS NULL AND t.tgattr::text = ''
              AND f.prosrc ~ '^\\s*BEGIN\\s+RAISE EXCEPTION ') AS holds
  FROM written_once
"""
"""Before any statement that updates, deletes or truncates (type 2 + 8 + 16 + 32), and it does nothing but raise."""

RIGHTS_TO_ALTER: Final = """
SELECT name AS subject, NOT has_any_column_privilege(a.oid, to_regclass(name)::oid, 'UPDATE')
       AND NOT has_table_privilege(a.oid, to_regclass(name)::oid, 'UPDATE') AS holds
  FROM written_once LEFT JOIN application a ON true
"""

RIGHTS_TO_DELETE: Final = """
SELECT name AS subject, NOT has_table_privilege(a.oid, to_regclass(name)::oid, 'DELETE')
       AND NOT has_table_privilege(a.oid, to_regclass(name)::oid, 'TRUNCATE')
       AND NOT has_table_privilege(a.oid, to_regclass(name)::oid, 'TRIGGER')
       AND NOT pg_has_role(a.oid, c.relowner, 'MEMBER') AS holds
  FROM kept LEFT JOIN application a ON true LEFT JOIN pg_class c ON c.oid = to_regclass(name)
"""
"""Nor does the application own a table, or may it act as who does: an owner may do everything."""

LIMITS: Final = """
SELECT l.conname AS subject, EXISTS (
           SELECT FROM pg_constraint c
            WHERE c.conrelid = to_regclass(l.name) AND c.conname = l.conname AND c.contype = 'c' AND c.convalidated
              AND pg_get_constraintdef(c.oid) = 'CHECK (' || l.rule || ')') AS holds
  FROM limits l
"""

UNIQUE_KEYS: Final = """
SELECT k.name || ' ' || k.columns AS subject, EXISTS (
           SELECT FROM pg_index i
            WHERE i.indrelid = to_regclass(k.name) AND i.indisunique AND i.indisvalid AND i.indimmediate
              AND regexp_replace(replace(pg_get_indexdef(i.indexrelid), '"', ''), '^.* USING btree ', '')
                = k.columns) AS holds
  FROM keys k
"""

GUARDS: Final = Theme(
    common=SCHEMA,
    facts={
        "guard_zero_sum": ZERO_SUM_TRIGGER,
        "guard_written_once": WRITTEN_ONCE_TRIGGERS,
        "guard_rights_to_alter": RIGHTS_TO_ALTER,
        "guard_rights_to_delete": RIGHTS_TO_DELETE,
        "guard_limits": LIMITS,
        "guard_keys": UNIQUE_KEYS,
    },
    figures={},
    scope=WHOLE,
)
