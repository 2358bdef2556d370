"""Laws of the accounts that nobody owns: each is recomputed from the tables of the deeds behind it.

Figures are yen a programme, above zero on the side where the account belongs.
"""

from typing import Final

from services.proof.proof import NEVER, Theme

TOLD: Final = """
book AS (
    SELECT j.programme_id, p.account, sum(p.amount_yen) AS yen
      FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id
     WHERE p.owner_id IS NULL GROUP BY j.programme_id, p.account),
bought AS (
    SELECT programme_id, status, sum(points - price_yen) AS premium,
           sum(CASE WHEN status = 'late' THEN coalesce(received_yen, price_yen) ELSE price_yen END) AS yen
      FROM purchase GROUP BY programme_id, status),
lapsed AS (
    SELECT l.programme_id, l.origin, sum(e.paid_yen) AS paid, sum(e.premium_yen) AS premium
      FROM expiry e JOIN lot l ON l.id = e.lot_id GROUP BY l.programme_id, l.origin),
received AS (
    SELECT programme_id, source, sum(amount_yen) AS yen FROM money_in GROUP BY programme_id, source),
paid_out AS (
    SELECT s.programme_id, f.status, sum(s.payout_yen) AS yen
      FROM payout o JOIN statement s ON s.id = o.statement_id
      JOIN bank_transfer t ON t.id = o.transfer_id JOIN bank_file f ON f.id = t.bank_file_id
     WHERE o.voided_at IS NULL GROUP BY s.programme_id, f.status),
charged AS (
    SELECT programme_id, sum(fee_yen) AS fee, sum(fee_tax_yen) AS tax FROM statement GROUP BY programme_id),
told AS (
    SELECT programme_id, 'cash_receivable' AS account, yen FROM bought WHERE status IN ('paid', 'late')
    UNION ALL SELECT programme_id, 'cash_receivable', -yen FROM received WHERE source = 'channel'
    UNION ALL SELECT programme_id, 'funder_receivable', premium FROM bought WHERE status = 'paid'
    UNION ALL SELECT programme_id, 'funder_receivable', -premium FROM lapsed WHERE origin = 'purchase'
    UNION ALL SELECT programme_id, 'funder_receivable', -yen FROM received WHERE source = 'funder'
    UNION ALL SELECT programme_id, 'grant_receivable', points FROM wallet_grant
    UNION ALL SELECT programme_id, 'grant_receivable', -premium FROM lapsed WHERE origin = 'grant'
    UNION ALL SELECT programme_id, 'grant_receivable', -yen FROM received WHERE source = 'grant_budget'
    UNION ALL SELECT programme_id, 'suspense', -yen FROM bought WHERE status = 'late'
    UNION ALL SELECT programme_id, 'breakage', -paid FROM lapsed
    UNION ALL SELECT programme_id, 'fee_income', -fee FROM charged
    UNION ALL SELECT programme_id, 'fee_tax', -tax FROM charged
    UNION ALL SELECT programme_id, 'bank_clearing', -yen FROM paid_out WHERE status = 'sent'
    UNION ALL SELECT programme_id, 'bank', -yen FROM paid_out WHERE status = 'paid'
    UNION ALL SELECT programme_id, 'bank', yen FROM received)
"""

BALANCE: Final = """
SELECT g.id AS subject, {side} * coalesce(b.yen, 0) AS expected, {side} * coalesce(t.yen, 0) AS found
  FROM programme g
  LEFT JOIN book b ON b.programme_id = g.id AND b.account = '{account}'
  LEFT JOIN (SELECT programme_id, sum(yen) AS yen FROM told WHERE account = '{account}' GROUP BY programme_id) t
         ON t.programme_id = g.id
"""

_SIDES: Final = {
    "cash_receivable": 1,
    "funder_receivable": 1,
    "grant_receivable": 1,
    "bank": 1,
    "bank_clearing": -1,
    "suspense": -1,
    "breakage": -1,
    "fee_income": -1,
    "fee_tax": -1,
}

MONEY_IN_IS_POSTED: Final = """
SELECT coalesce(m.id, b.deed_id) AS subject,
       b.journals = 1 AND b.bank = m.amount_yen AND b.programme_id = m.programme_id
       AND b.credited = CASE m.source WHEN 'channel' THEN 'cash_receivable' WHEN 'funder' THEN 'funder_receivable'
                                      WHEN 'grant_budget' THEN 'grant_receivable' END AS holds
  FROM money_in m
  FULL JOIN (SELECT j.deed_id, j.programme_id, count(DISTINCT j.id) AS journals,
                    sum(p.amount_yen) FILTER (WHERE p.account = 'bank') AS bank,
                    string_agg(DISTINCT p.account, ',') FILTER (WHERE p.account <> 'bank') AS credited
               FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id
              WHERE j.kind = 'channel_settled' GROUP BY j.deed_id, j.programme_id) b
         ON b.deed_id = m.id
"""

MONEY_IN_SINCE: Final = """
told AS (
    SELECT id FROM money_in
     UNION SELECT deed_id FROM ledger_journal WHERE id >= $new AND kind = 'channel_settled'),
ledger_journal AS (SELECT * FROM ledger_journal WHERE deed_id IN (SELECT id FROM told))
"""
"""All money that ever came in, as it came seldom, and new journals that say so."""

MONEY_IN: Final = Theme(common="", facts={"money_in_is_posted": MONEY_IN_IS_POSTED}, figures={}, scope=MONEY_IN_SINCE)

ACCOUNTS: Final = Theme(
    common=TOLD,
    facts={},
    figures={f"{account}_yen": BALANCE.format(account=account, side=side) for account, side in _SIDES.items()},
    scope=NEVER,
)
