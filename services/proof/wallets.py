"""Laws of what residents hold: lots are their accounts, counters are their deeds."""

from typing import Final

from services.proof.proof import NEVER, WHOLE, Theme

LOT_ACCOUNTS: Final = """
lot_book AS (
    SELECT owner_id AS lot_id, -sum(amount_yen) FILTER (WHERE account = 'wallet_paid') AS paid,
           -sum(amount_yen) FILTER (WHERE account = 'wallet_premium') AS premium
      FROM ledger_posting WHERE account IN ('wallet_paid', 'wallet_premium') GROUP BY owner_id)
"""

TOUCHED_LOTS: Final = """
touched AS (
    SELECT id FROM lot WHERE id >= $new OR $altered
     UNION SELECT owner_id FROM ledger_posting
            WHERE journal_id >= $new AND account IN ('wallet_paid', 'wallet_premium'))
"""

LOTS_SINCE: Final = f"""
{TOUCHED_LOTS.strip()},
lot AS (SELECT * FROM lot WHERE id IN (SELECT id FROM touched)),
ledger_posting AS (
    SELECT * FROM ledger_posting
     WHERE owner_id IN (SELECT id FROM touched) AND account IN ('wallet_paid', 'wallet_premium'))
"""  # noqa: S608
"""Lots that are new, were altered, or stand in a new posting; each with its account from the first day."""

MANY_LOTS: Final = f"""
WITH {TOUCHED_LOTS.strip()} SELECT (SELECT count(*) FROM touched) * 8 > (SELECT count(*) FROM lot)
"""  # noqa: S608
"""Whether it is more than an eighth of them: then reading the ledger once costs less than looking up their accounts."""

LOTS_PAID: Final = """
SELECT coalesce(l.id, b.lot_id) AS subject, l.paid_yen = coalesce(b.paid, 0)
       AND (b.lot_id IS NOT NULL OR l.moved_from_id IS NOT NULL) AS holds
  FROM lot l FULL JOIN lot_book b ON b.lot_id = l.id
"""
"""Both ways: no account without its lot, no lot without its account.

A lot in the place of one that was empty has none until something comes to it.
"""

LOTS_PREMIUM: Final = """
SELECT coalesce(l.id, b.lot_id) AS subject, l.premium_yen = coalesce(b.premium, 0)
       AND (b.lot_id IS NOT NULL OR l.moved_from_id IS NOT NULL) AS holds
  FROM lot l FULL JOIN lot_book b ON b.lot_id = l.id
"""

LOTS_ARE_BOUNDED: Final = """
SELECT id AS subject, paid_yen BETWEEN 0 AND paid_issued_yen AND premium_yen BETWEEN 0 AND premium_issued_yen
       AND usable_from < first_expires_at AND first_expires_at <= expires_at AS holds
  FROM lot
"""

LOTS: Final = Theme(
    common=LOT_ACCOUNTS,
    facts={"lots_paid": LOTS_PAID, "lots_premium": LOTS_PREMIUM, "lots_are_bounded": LOTS_ARE_BOUNDED},
    figures={},
    scope=LOTS_SINCE,
    is_much=MANY_LOTS,
)

EVENTS: Final = """
event_book AS (
    SELECT j.kind, j.deed_id, j.programme_id, p.owner_id AS lot_id,
           -coalesce(sum(p.amount_yen) FILTER (WHERE p.account = 'wallet_paid'), 0) AS paid,
           -coalesce(sum(p.amount_yen) FILTER (WHERE p.account = 'wallet_premium'), 0) AS premium
      FROM ledger_journal j JOIN ledger_posting p ON p.journal_id = j.id
     WHERE j.kind IN ('purchase', 'grant', 'expiry') AND p.account IN ('wallet_paid', 'wallet_premium')
     GROUP BY j.kind, j.deed_id, j.programme_id, p.owner_id)
"""

WALLETS_SINCE: Final = """
fresh AS (
    SELECT deed_id, reverses_id FROM ledger_journal
     WHERE id >= $new AND kind IN ('purchase', 'purchase_undone', 'late_money', 'money_returned', 'grant', 'expiry')),
deed AS (
    SELECT deed_id AS id FROM fresh
     UNION SELECT o.deed_id FROM fresh f JOIN ledger_journal o ON o.id = f.reverses_id),
holder AS (
    SELECT wallet_id AS id FROM lot WHERE id >= $new OR $altered OR origin_id IN (SELECT id FROM deed)
     UNION SELECT wallet_id FROM purchase WHERE id >= $new OR $altered OR id IN (SELECT id FROM deed)
     UNION SELECT wallet_id FROM wallet_grant WHERE id >= $new OR id IN (SELECT id FROM deed)
     UNION SELECT wallet_id FROM expiry WHERE id >= $new OR id IN (SELECT id FROM deed)
     UNION SELECT wallet_id FROM bought WHERE $altered),
lot AS (SELECT * FROM lot WHERE wallet_id IN (SELECT id FROM holder)),
bought AS (SELECT * FROM bought WHERE wallet_id IN (SELECT id FROM holder)),
purchase AS (SELECT * FROM purchase WHERE wallet_id IN (SELECT id FROM holder)),
wallet_grant AS (SELECT * FROM wallet_grant WHERE wallet_id IN (SELECT id FROM holder)),
expiry AS (SELECT * FROM expiry WHERE wallet_id IN (SELECT id FROM holder)),
told AS (
    SELECT id FROM deed
     UNION SELECT id FROM purchase UNION SELECT id FROM wallet_grant UNION SELECT id FROM expiry),
written AS (SELECT id FROM ledger_journal WHERE deed_id IN (SELECT id FROM told)),
ledger_journal AS (
    SELECT * FROM ledger_journal WHERE id IN (SELECT id FROM written)
     UNION SELECT * FROM ledger_journal WHERE reverses_id IN (SELECT id FROM written)),
ledger_posting AS (SELECT * FROM ledger_posting WHERE journal_id IN (SELECT id FROM ledger_journal))
"""
"""Wallets of which anything but a payment is new or altered: all that they bought, were given and lost."""

LOTS_ARE_ISSUED: Final = """
SELECT coalesce(l.id, b.lot_id) AS subject,
       l.paid_issued_yen = b.paid AND l.premium_issued_yen = b.premium AND l.programme_id = b.programme_id
       AND l.origin = b.kind AS holds
  FROM (SELECT * FROM lot WHERE moved_from_id IS NULL) l
  FULL JOIN (SELECT * FROM event_book WHERE kind IN ('purchase', 'grant')) b
         ON b.lot_id = l.id AND b.deed_id = l.origin_id
"""
"""What a lot began with is what the journal of its own purchase or grant gave it.

One that has taken another's place was given nothing by them; see `merges`.
"""

PURCHASES_ISSUE_LOTS: Final = """
SELECT coalesce(p.id, l.origin_id) AS subject,
       CASE WHEN p.status IN ('paid', 'undone')
            THEN l.points = p.points AND l.paid = p.price_yen AND l.same AND (p.status = 'paid' OR l.rest = 0)
            ELSE l.origin_id IS NULL END AS holds
  FROM purchase p
  FULL JOIN (SELECT o.origin_id,
                    sum(o.paid_issued_yen + o.premium_issued_yen) FILTER (WHERE o.moved_from_id IS NULL) AS points,
                    sum(o.paid_issued_yen) FILTER (WHERE o.moved_from_id IS NULL) AS paid,
                    sum(o.paid_yen + o.premium_yen) AS rest,
                    bool_and((o.wallet_id = b.wallet_id OR o.moved_from_id IS NOT NULL)
                             AND o.programme_id = b.programme_id
                             AND o.programme_version = b.programme_version) AS same
               FROM lot o LEFT JOIN purchase b ON b.id = o.origin_id
              WHERE o.origin = 'purchase' GROUP BY o.origin_id HAVING bool_or(o.moved_from_id IS NULL)) l
         ON l.origin_id = p.id
"""
"""A purchase that was paid gave lots worth its points, paid part and all; no other gave any."""

PURCHASES_HAVE_JOURNALS: Final = """
SELECT coalesce(p.id, j.purchase_id) AS subject,
       coalesce(j.bought, 0) = (p.status IN ('paid', 'undone'))::int
       AND coalesce(j.undone, 0) = (p.status = 'undone')::int
       AND coalesce(j.late, 0) = (p.status IN ('late', 'returned'))::int
       AND coalesce(j.returned, 0) = (p.status = 'returned')::int
       AND coalesce(j.same, true) AS holds
  FROM purchase p
  FULL JOIN (SELECT d.purchase_id, count(*) FILTER (WHERE d.kind = 'purchase') AS bought,
                    count(*) FILTER (WHERE d.kind = 'purchase_undone') AS undone,
                    count(*) FILTER (WHERE d.kind = 'late_money') AS late,
                    count(*) FILTER (WHERE d.kind = 'money_returned') AS returned,
                    bool_and(d.programme_id = b.programme_id) AS same
               FROM (SELECT j.kind, j.programme_id,
                            CASE j.kind WHEN 'purchase_undone' THEN o.deed_id ELSE j.deed_id END AS purchase_id
                       FROM ledger_journal j LEFT JOIN ledger_journal o ON o.id = j.reverses_id
                      WHERE j.kind IN ('purchase', 'purchase_undone', 'late_money', 'money_returned')) d
               LEFT JOIN purchase b ON b.id = d.purchase_id GROUP BY d.purchase_id) j
         ON j.purchase_id = p.id
"""

LATE_MONEY_IS_HELD_AS_IT_CAME: Final = """
SELECT coalesce(p.id, m.deed_id) AS subject,
       m.came = coalesce(p.received_yen, p.price_yen)
       AND m.went = CASE p.status WHEN 'returned' THEN m.came ELSE 0 END AS holds
  FROM (SELECT * FROM purchase WHERE status IN ('late', 'returned')) p
  FULL JOIN (SELECT j.deed_id, -coalesce(sum(s.amount_yen) FILTER (WHERE j.kind = 'late_money'), 0) AS came,
                    coalesce(sum(s.amount_yen) FILTER (WHERE j.kind = 'money_returned'), 0) AS went
               FROM ledger_journal j JOIN ledger_posting s ON s.journal_id = j.id AND s.account = 'suspense'
              WHERE j.kind IN ('late_money', 'money_returned') GROUP BY j.deed_id) m
         ON m.deed_id = p.id
"""
"""To the yen that the channel sent, whatever the purchase would have cost."""

GRANTS_ISSUE_LOTS: Final = """
SELECT coalesce(g.id, l.origin_id) AS subject,
       l.paid_issued_yen = 0 AND l.premium_issued_yen = g.points
       AND (l.wallet_id, l.programme_id, l.purse) = (g.wallet_id, g.programme_id, g.purse) AND j.journals = 1 AS holds
  FROM wallet_grant g
  FULL JOIN (SELECT * FROM lot WHERE origin = 'grant' AND moved_from_id IS NULL) l ON l.origin_id = g.id
  FULL JOIN (SELECT deed_id, count(*) AS journals FROM ledger_journal WHERE kind = 'grant' GROUP BY deed_id) j
         ON j.deed_id = g.id
"""

EXPIRIES_HAVE_JOURNALS: Final = """
SELECT coalesce(e.id, b.deed_id) AS subject,
       e.paid_yen = -b.paid AND e.premium_yen = -b.premium AND l.wallet_id = e.wallet_id AS holds
  FROM expiry e
  LEFT JOIN lot l ON l.id = e.lot_id
  FULL JOIN (SELECT * FROM event_book WHERE kind = 'expiry') b ON b.deed_id = e.id AND b.lot_id = e.lot_id
"""

BOUGHT_COUNTERS: Final = """
SELECT coalesce(b.wallet_id, p.wallet_id) AS subject,
       coalesce(b.bought_yen, 0) = coalesce(p.yen, 0) AND coalesce(b.bought_yen <= b.cap_yen, true) AS holds
  FROM bought b
  FULL JOIN (SELECT wallet_id, programme_id, sum(price_yen) AS yen FROM purchase
              WHERE status IN ('reserved', 'paid') GROUP BY wallet_id, programme_id) p
         ON p.wallet_id = b.wallet_id AND p.programme_id = b.programme_id
"""

WALLETS: Final = Theme(
    common=EVENTS,
    facts={
        "lots_are_issued": LOTS_ARE_ISSUED,
        "purchases_issue_lots": PURCHASES_ISSUE_LOTS,
        "purchases_have_journals": PURCHASES_HAVE_JOURNALS,
        "late_money_is_held_as_it_came": LATE_MONEY_IS_HELD_AS_IT_CAME,
        "grants_issue_lots": GRANTS_ISSUE_LOTS,
        "expiries_have_journals": EXPIRIES_HAVE_JOURNALS,
        "bought_counters": BOUGHT_COUNTERS,
    },
    figures={},
    scope=WALLETS_SINCE,
)

STOCK_COUNTERS: Final = """
SELECT g.id AS subject,
       coalesce(s.reserved_units, 0) = coalesce(p.reserved, 0) AND coalesce(s.sold_units, 0) = coalesce(p.sold, 0)
       AND coalesce(s.granted_points, 0) = coalesce(w.points, 0)
       AND coalesce(s.reserved_units + s.sold_units <= s.total_units
                    AND s.granted_points <= s.grant_budget_points, true) AS holds
  FROM programme g
  LEFT JOIN programme_stock s ON s.programme_id = g.id
  LEFT JOIN (SELECT programme_id, sum(units) FILTER (WHERE status = 'reserved') AS reserved,
                    sum(units) FILTER (WHERE status = 'paid') AS sold FROM purchase GROUP BY programme_id) p
         ON p.programme_id = g.id
  LEFT JOIN (SELECT programme_id, sum(points) AS points FROM wallet_grant GROUP BY programme_id) w
         ON w.programme_id = g.id
"""

STOCK: Final = Theme(common="", facts={"stock_counters": STOCK_COUNTERS}, figures={}, scope=WHOLE)

POINTS_IDENTITY: Final = """
SELECT g.id AS subject, coalesce(b.issued, 0) AS expected,
       coalesce(l.held, 0) + coalesce(m.spent, 0) - coalesce(m.cancelled, 0) - coalesce(m.refunded, 0)
     + coalesce(e.expired, 0) + coalesce(p.reversed, 0) AS found
  FROM programme g
  LEFT JOIN (SELECT programme_id, sum(paid + premium) AS issued FROM event_book
              WHERE kind IN ('purchase', 'grant') GROUP BY programme_id) b ON b.programme_id = g.id
  LEFT JOIN (SELECT programme_id, sum(paid_yen + premium_yen) AS held FROM lot GROUP BY programme_id) l
         ON l.programme_id = g.id
  LEFT JOIN (SELECT programme_id, sum(amount_yen) FILTER (WHERE kind = 'payment') AS spent,
                    sum(amount_yen) FILTER (WHERE kind = 'cancel') AS cancelled,
                    sum(amount_yen) FILTER (WHERE kind = 'refund') AS refunded
               FROM payment_leg GROUP BY programme_id) m ON m.programme_id = g.id
  LEFT JOIN (SELECT o.programme_id, sum(x.paid_yen + x.premium_yen) AS expired
               FROM expiry x JOIN lot o ON o.id = x.lot_id GROUP BY o.programme_id) e ON e.programme_id = g.id
  LEFT JOIN (SELECT programme_id, sum(points) AS reversed FROM purchase WHERE status = 'undone'
              GROUP BY programme_id) p ON p.programme_id = g.id
"""
"""Issued, from the postings = held + spent - cancelled - refunded + expired + reversed, from the tables."""

POINTS: Final = Theme(
    common=EVENTS, facts={}, figures={"points_issued_are_accounted_for": POINTS_IDENTITY}, scope=NEVER
)
