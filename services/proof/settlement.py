"""Laws of what stores are owed: claims, statements, the carry between them, payouts."""

from typing import Final

from services.proof.proof import NEVER, WHOLE, Theme

PAYABLE: Final = """
store_book AS (
    SELECT j.programme_id, p.owner_id AS store_id, -sum(p.amount_yen) AS payable
      FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id
     WHERE p.account = 'store_payable' GROUP BY j.programme_id, p.owner_id)
"""

STORES_ARE_OWED_UNCLAIMED_LEGS: Final = """
SELECT coalesce(b.store_id, u.store_id) AS subject, coalesce(b.payable, 0) = coalesce(u.yen, 0) AS holds
  FROM store_book b
  FULL JOIN (SELECT l.programme_id, l.store_id,
                    sum(CASE l.kind WHEN 'payment' THEN l.amount_yen ELSE -l.amount_yen END) AS yen
               FROM payment_leg l LEFT JOIN statement_claim c ON c.leg_id = l.id
              WHERE c.leg_id IS NULL GROUP BY l.programme_id, l.store_id) u
         ON u.programme_id = b.programme_id AND u.store_id = b.store_id
"""

PAYABLES: Final = Theme(
    common=PAYABLE,
    facts={"stores_are_owed_unclaimed_legs": STORES_ARE_OWED_UNCLAIMED_LEGS},
    figures={},
    scope=NEVER,
)

CLAIMED: Final = """
claimed AS (
    SELECT c.statement_id, count(*) FILTER (WHERE l.kind = 'payment') AS payments,
           coalesce(sum(l.amount_yen) FILTER (WHERE l.kind = 'payment'), 0)::bigint AS gross,
           coalesce(sum(l.amount_yen) FILTER (WHERE l.kind = 'cancel'), 0)::bigint AS cancelled,
           coalesce(sum(l.amount_yen) FILTER (WHERE l.kind = 'refund'), 0)::bigint AS refunded
      FROM statement_claim c JOIN payment_leg l ON l.id = c.leg_id GROUP BY c.statement_id)
"""

CLAIMS_BELONG: Final = """
SELECT c.leg_id AS subject, s.programme_id = l.programme_id AND s.store_id = l.store_id
       AND l.effective_at < k.cutoff_at AND k.programme_id = l.programme_id AS holds
  FROM statement_claim c
  LEFT JOIN payment_leg l ON l.id = c.leg_id
  LEFT JOIN statement s ON s.id = c.statement_id
  LEFT JOIN settlement_close k ON k.id = s.close_id
"""

STATEMENTS_COUNT_THEIR_CLAIMS: Final = """
SELECT s.id AS subject,
       s.payments = coalesce(c.payments, 0) AND s.gross_yen = coalesce(c.gross, 0)
       AND s.cancelled_yen = coalesce(c.cancelled, 0) AND s.refunded_yen = coalesce(c.refunded, 0) AS holds
  FROM statement s LEFT JOIN claimed c ON c.statement_id = s.id
"""

CLAIMS_SINCE: Final = """
statement AS (SELECT * FROM statement WHERE id >= $new),
statement_claim AS (
    SELECT * FROM statement_claim WHERE leg_id >= $new
     UNION SELECT * FROM statement_claim WHERE statement_id IN (SELECT id FROM statement))
"""

CLAIMS: Final = Theme(
    common=CLAIMED,
    facts={"claims_belong": CLAIMS_BELONG, "statements_count_their_claims": STATEMENTS_COUNT_THEIR_CLAIMS},
    figures={},
    scope=CLAIMS_SINCE,
)

CHAINED: Final = """
told AS (
    SELECT s.*, c.closing_date, lead(s.id) OVER stores IS NULL AS last,
           coalesce(lag(s.carried_out_yen) OVER stores, 0) AS carried_before,
           coalesce(lag(s.receivable_out_yen) OVER stores, 0) AS receivable_before
      FROM statement s LEFT JOIN settlement_close c ON c.id = s.close_id
    WINDOW stores AS (PARTITION BY s.programme_id, s.store_id ORDER BY c.closing_date))
"""

STATEMENTS_CHARGE_THEIR_RATES: Final = """
SELECT s.id AS subject,
       s.fee_yen = (s.gross_yen - s.cancelled_yen - s.refunded_yen) * s.fee_bp / 10000
       AND s.fee_tax_yen = s.fee_yen * s.tax_bp / 10000
       AND s.net_yen = s.gross_yen - s.cancelled_yen - s.refunded_yen - s.fee_yen - s.fee_tax_yen
       AND m.id IS NOT NULL AS holds
  FROM statement s LEFT JOIN store m ON m.id = s.store_id AND m.merchant_id = s.merchant_id
"""
"""Division of integers drops the fraction towards zero, as the rule for fee and tax says."""

STATEMENTS_RESOLVE: Final = """
SELECT id AS subject,
       payout_yen + carried_out_yen - receivable_out_yen = net_yen + carried_in_yen - receivable_in_yen
       AND payout_yen >= 0 AND carried_out_yen >= 0 AND receivable_out_yen >= 0
       AND (payout_yen <> 0)::int + (carried_out_yen <> 0)::int + (receivable_out_yen <> 0)::int <= 1 AS holds
  FROM statement
"""

STATEMENTS_CARRY_ON: Final = """
SELECT id AS subject, closing_date IS NOT NULL
       AND carried_in_yen = carried_before AND receivable_in_yen = receivable_before AS holds
  FROM told
"""
"""What one statement leaves, the store's next one takes up, and the first one takes up nothing."""

STATEMENTS: Final = Theme(
    common=CHAINED,
    facts={
        "statements_charge_their_rates": STATEMENTS_CHARGE_THEIR_RATES,
        "statements_resolve": STATEMENTS_RESOLVE,
        "statements_carry_on": STATEMENTS_CARRY_ON,
    },
    figures={},
    scope=WHOLE,
)

LIVE: Final = """
live AS (
    SELECT o.statement_id, f.status
      FROM payout o JOIN bank_transfer t ON t.id = o.transfer_id JOIN bank_file f ON f.id = t.bank_file_id
     WHERE o.voided_at IS NULL)
"""

CLOSES_ARE_POSTED: Final = """
SELECT coalesce(s.id, b.deed_id) AS subject,
       coalesce(b.sales, 0) = s.gross_yen - s.cancelled_yen - s.refunded_yen
       AND coalesce(b.fee, 0) = s.fee_yen AND coalesce(b.tax, 0) = s.fee_tax_yen
       AND coalesce(b.due, 0) = s.payout_yen + s.carried_out_yen - s.carried_in_yen
       AND coalesce(b.receivable, 0) = s.receivable_out_yen - s.receivable_in_yen
       AND coalesce(b.journals, 0) <= 1 AND coalesce(b.same, true) AS holds
  FROM statement s
  FULL JOIN (SELECT j.deed_id, count(DISTINCT j.id) AS journals,
                    sum(p.amount_yen) FILTER (WHERE p.account = 'store_payable') AS sales,
                    -sum(p.amount_yen) FILTER (WHERE p.account = 'fee_income') AS fee,
                    -sum(p.amount_yen) FILTER (WHERE p.account = 'fee_tax') AS tax,
                    -sum(p.amount_yen) FILTER (WHERE p.account = 'payout_due') AS due,
                    sum(p.amount_yen) FILTER (WHERE p.account = 'store_receivable') AS receivable,
                    bool_and(j.programme_id = t.programme_id
                             AND (p.owner_id IS NULL OR p.owner_id = t.store_id)) AS same
               FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id
               LEFT JOIN statement t ON t.id = j.deed_id
              WHERE j.kind = 'close' GROUP BY j.deed_id) b
         ON b.deed_id = s.id
"""

PAYOUTS_ARE_POSTED: Final = """
SELECT coalesce(s.id, b.deed_id) AS subject,
       coalesce(b.sent, 0) = CASE WHEN l.status IN ('sent', 'paid') THEN s.payout_yen ELSE 0 END
       AND coalesce(b.paid, 0) = CASE WHEN l.status = 'paid' THEN s.payout_yen ELSE 0 END
       AND coalesce(b.sent_journals, 0) <= 1 AND coalesce(b.paid_journals, 0) <= 1
       AND coalesce(b.same, true) AS holds
  FROM statement s
  LEFT JOIN live l ON l.statement_id = s.id
  FULL JOIN (SELECT j.deed_id,
                    -sum(p.amount_yen) FILTER (WHERE j.kind = 'sent' AND p.account = 'bank_clearing') AS sent,
                    -sum(p.amount_yen) FILTER (WHERE j.kind = 'paid' AND p.account = 'bank') AS paid,
                    count(DISTINCT j.id) FILTER (WHERE j.kind = 'sent') AS sent_journals,
                    count(DISTINCT j.id) FILTER (WHERE j.kind = 'paid') AS paid_journals,
                    bool_and(j.programme_id = t.programme_id AND p.account IN ('payout_due', 'bank_clearing', 'bank')
                             AND (p.owner_id IS NULL OR p.owner_id = t.store_id)) AS same
               FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id
               LEFT JOIN statement t ON t.id = j.deed_id
              WHERE j.kind IN ('sent', 'paid') GROUP BY j.deed_id) b
         ON b.deed_id = s.id
"""

POSTED_SINCE: Final = """
told AS (
    SELECT id FROM statement
     UNION SELECT deed_id FROM ledger_journal WHERE id >= $new AND kind IN ('close', 'sent', 'paid')),
ledger_journal AS (SELECT * FROM ledger_journal WHERE deed_id IN (SELECT id FROM told))
"""
"""All statements, as there is one a store and close, and new journals that say so."""

SETTLED: Final = Theme(
    common=LIVE,
    facts={"closes_are_posted": CLOSES_ARE_POSTED, "payouts_are_posted": PAYOUTS_ARE_POSTED},
    figures={},
    scope=POSTED_SINCE,
)

DUE: Final = f"""
store_book AS (
    SELECT j.programme_id, p.owner_id AS store_id,
           -coalesce(sum(p.amount_yen) FILTER (WHERE p.account = 'payout_due'), 0) AS due,
           coalesce(sum(p.amount_yen) FILTER (WHERE p.account = 'store_receivable'), 0) AS receivable
      FROM ledger_posting p JOIN ledger_journal j ON j.id = p.journal_id
     WHERE p.account IN ('payout_due', 'store_receivable') GROUP BY j.programme_id, p.owner_id),
{CHAINED.strip()},
{LIVE.strip()}
"""  # noqa: S608

PAYOUTS_DUE: Final = """
SELECT coalesce(b.store_id, s.store_id) AS subject, coalesce(b.due, 0) = coalesce(s.yen, 0) AS holds
  FROM store_book b
  FULL JOIN (SELECT t.programme_id, t.store_id,
                    sum(CASE WHEN l.status IN ('sent', 'paid') THEN 0 ELSE t.payout_yen END)
                  + sum(CASE WHEN t.last THEN t.carried_out_yen ELSE 0 END) AS yen
               FROM told t LEFT JOIN live l ON l.statement_id = t.id GROUP BY t.programme_id, t.store_id) s
         ON s.programme_id = b.programme_id AND s.store_id = b.store_id
"""
"""A store is due what its statements pay out and no bank was told yet, and what its last one carries."""

STORES_OWE: Final = """
SELECT coalesce(b.store_id, s.store_id) AS subject,
       coalesce(b.receivable, 0) = coalesce(s.receivable_out_yen, 0) AS holds
  FROM store_book b
  FULL JOIN (SELECT * FROM told WHERE last) s ON s.programme_id = b.programme_id AND s.store_id = b.store_id
"""

DUE_SINCE: Final = """
ledger_posting AS (
    SELECT * FROM ledger_posting
     WHERE account IN ('payout_due', 'store_receivable') AND owner_id IN (SELECT id FROM store))
"""
"""All of it, found by its stores: such postings are few among those of payments."""

DUES: Final = Theme(
    common=DUE, facts={"payouts_due": PAYOUTS_DUE, "stores_owe": STORES_OWE}, figures={}, scope=DUE_SINCE
)
