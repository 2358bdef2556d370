"""Laws of wallets that were merged: closed on two people's word, empty, and each lot's value where its promise went."""

from typing import Final

from services.proof.proof import WHOLE, Theme

LINES: Final = """
after AS (
    WITH RECURSIVE line AS (
        SELECT id AS closed_id, merged_into_id AS later_id FROM wallet WHERE merged_into_id IS NOT NULL
         UNION SELECT a.closed_id, n.merged_into_id FROM line a JOIN wallet n ON n.id = a.later_id
                WHERE n.merged_into_id IS NOT NULL)
    SELECT closed_id, later_id FROM line)
"""
"""Each closed wallet with every one that it went into, at however many removes; a ring would name itself."""

MERGES_ARE_APPROVED: Final = """
SELECT coalesce(w.id, m.closed_id) AS subject,
       w.status = 'merged' AND m.into_id = w.merged_into_id AND m.approved_by <> m.proposed_by
       AND c.kind = 'merge' AND c.status = 'approved' AND c.subject_id = w.id
       AND (c.proposed_by, c.decided_by) = (m.proposed_by, m.approved_by)
       AND NOT EXISTS (SELECT FROM after a WHERE a.closed_id = w.id AND a.later_id = w.id) AS holds
  FROM (SELECT * FROM wallet WHERE status = 'merged' OR merged_into_id IS NOT NULL) w
  FULL JOIN wallet_merge m ON m.closed_id = w.id
  LEFT JOIN proposed_change c ON c.id = m.change_id
"""

MERGED_WALLETS_ARE_EMPTY: Final = """
SELECT l.id AS subject, l.paid_yen = 0 AND l.premium_yen = 0 AND EXISTS (
           SELECT FROM lot n WHERE n.moved_from_id = l.id) AS holds
  FROM lot l JOIN wallet w ON w.id = l.wallet_id WHERE w.merged_into_id IS NOT NULL
"""
"""A closed wallet's lots hold nothing, and each has another in its place."""

MOVED_LOTS_KEEP_THEIR_TERMS: Final = """
SELECT n.id AS subject,
       (n.programme_id, n.programme_version, n.purse, n.store_classes, n.origin, n.origin_id)
     = (o.programme_id, o.programme_version, o.purse, o.store_classes, o.origin, o.origin_id)
       AND (n.paid_issued_yen, n.premium_issued_yen, n.payment_limit_yen, n.day_limit_yen)
         = (o.paid_issued_yen, o.premium_issued_yen, o.payment_limit_yen, o.day_limit_yen)
       AND (n.issued_at, n.usable_from, n.first_expires_at) = (o.issued_at, o.usable_from, o.first_expires_at)
       AND EXISTS (SELECT FROM after a WHERE a.closed_id = o.wallet_id AND a.later_id = n.wallet_id) AS holds
  FROM lot n LEFT JOIN lot o ON o.id = n.moved_from_id WHERE n.moved_from_id IS NOT NULL
"""
"""A lot in another's place is the same promise, in a wallet that the other's went into."""

MOVES_ARE_BETWEEN_PLACES: Final = """
SELECT m.id AS subject, coalesce(f.id IS NOT NULL AND t.id IS NOT NULL
       AND (f.programme_id, f.purse, f.origin, f.origin_id) = (t.programme_id, t.purse, t.origin, t.origin_id)
       AND EXISTS (
           SELECT FROM after a WHERE (a.closed_id, a.later_id)
                                  IN ((f.wallet_id, t.wallet_id), (t.wallet_id, f.wallet_id))), false) AS holds
  FROM lot_move m LEFT JOIN lot f ON f.id = m.from_lot_id LEFT JOIN lot t ON t.id = m.to_lot_id
"""

CAPS_COUNT_TOGETHER: Final = """
SELECT b.into_id AS subject, NOT b.bought_since OR b.yen <= b.cap_yen AS holds
  FROM (SELECT m.into_id, p.programme_id, sum(p.price_yen) AS yen, max(c.cap_yen) AS cap_yen,
               bool_or(p.wallet_id = m.into_id AND p.reserved_at > m.merged_at + interval '1 minute') AS bought_since
          FROM (SELECT into_id, max(merged_at) AS merged_at FROM wallet_merge GROUP BY into_id) m
          JOIN (SELECT later_id, closed_id AS wallet_id FROM after
                 UNION SELECT later_id, later_id FROM after) a ON a.later_id = m.into_id
          JOIN purchase p ON p.wallet_id = a.wallet_id AND p.status IN ('reserved', 'paid')
          LEFT JOIN bought c ON c.wallet_id = a.wallet_id AND c.programme_id = p.programme_id
         GROUP BY m.into_id, p.programme_id) b
"""
"""Whoever bought after a merge is within one person's cap with all that both wallets had bought.

Both carry the instants at which they began, and meet at the wallet's lock afterwards: a minute is left between them.
"""

MERGES: Final = Theme(
    common=LINES,
    facts={
        "merges_are_approved": MERGES_ARE_APPROVED,
        "merged_wallets_are_empty": MERGED_WALLETS_ARE_EMPTY,
        "moved_lots_keep_their_terms": MOVED_LOTS_KEEP_THEIR_TERMS,
        "moves_are_between_places": MOVES_ARE_BETWEEN_PLACES,
        "caps_count_together": CAPS_COUNT_TOGETHER,
    },
    figures={},
    scope=WHOLE,
)

MOVES_HAVE_JOURNALS: Final = """
SELECT coalesce(m.id, b.deed_id) AS subject,
       b.journals = 1 AND b.lines = 2 * ((m.paid_yen > 0)::int + (m.premium_yen > 0)::int)
       AND b.paid_from = m.paid_yen AND b.paid_to = -m.paid_yen
       AND b.premium_from = m.premium_yen AND b.premium_to = -m.premium_yen AS holds
  FROM lot_move m
  FULL JOIN (SELECT j.deed_id, count(DISTINCT j.id) AS journals, count(p.line) AS lines,
                    coalesce(sum(p.amount_yen) FILTER (
                        WHERE p.account = 'wallet_paid' AND p.owner_id = v.from_lot_id), 0) AS paid_from,
                    coalesce(sum(p.amount_yen) FILTER (
                        WHERE p.account = 'wallet_paid' AND p.owner_id = v.to_lot_id), 0) AS paid_to,
                    coalesce(sum(p.amount_yen) FILTER (
                        WHERE p.account = 'wallet_premium' AND p.owner_id = v.from_lot_id), 0) AS premium_from,
                    coalesce(sum(p.amount_yen) FILTER (
                        WHERE p.account = 'wallet_premium' AND p.owner_id = v.to_lot_id), 0) AS premium_to
               FROM ledger_journal j
               LEFT JOIN ledger_posting p ON p.journal_id = j.id LEFT JOIN lot_move v ON v.id = j.deed_id
              WHERE j.kind = 'merge' GROUP BY j.deed_id) b
         ON b.deed_id = m.id
"""
"""What a move says is one journal, between its two lots alone: paid to paid, premium to premium."""

MOVES_SINCE: Final = """
fresh AS (
    SELECT deed_id AS id FROM ledger_journal WHERE id >= $new AND kind = 'merge'
     UNION SELECT id FROM lot_move WHERE id >= $new),
lot_move AS (SELECT * FROM lot_move WHERE id IN (SELECT id FROM fresh)),
ledger_journal AS (SELECT * FROM ledger_journal WHERE deed_id IN (SELECT id FROM fresh)),
ledger_posting AS (SELECT * FROM ledger_posting WHERE journal_id IN (SELECT id FROM ledger_journal))
"""
"""New moves, and new journals that say they are of one."""

MOVES: Final = Theme(common="", facts={"moves_have_journals": MOVES_HAVE_JOURNALS}, figures={}, scope=MOVES_SINCE)
