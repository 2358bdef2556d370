"""Laws of payments and what was given back: legs, allocations, counters, codes, journals."""

from typing import Final

from services.proof.proof import Theme

LEGS: Final = """
returned AS (
    SELECT payment_id, sum(amount_yen) AS yen, count(*) FILTER (WHERE kind = 'cancel') AS cancels
      FROM payment_return GROUP BY payment_id)
"""

PAYMENTS_HAVE_LEGS: Final = """
SELECT coalesce(p.id, l.deed_id) AS subject, p.amount_yen = l.yen AND l.same AS holds
  FROM payment p
  FULL JOIN (SELECT g.deed_id, sum(g.amount_yen) AS yen,
                    bool_and(g.payment_id = g.deed_id AND g.store_id = b.store_id
                                 AND g.effective_at = b.effective_at) AS same
               FROM payment_leg g LEFT JOIN payment b ON b.id = g.deed_id
              WHERE g.kind = 'payment' GROUP BY g.deed_id) l
         ON l.deed_id = p.id
"""

RETURNS_HAVE_LEGS: Final = """
SELECT coalesce(r.id, l.deed_id) AS subject, r.amount_yen = l.yen AND l.same AS holds
  FROM payment_return r
  FULL JOIN (SELECT g.deed_id, sum(g.amount_yen) AS yen,
                    bool_and(g.payment_id = b.payment_id AND g.kind = b.kind AND g.store_id = p.store_id
                                 AND g.effective_at = b.effective_at) AS same
               FROM payment_leg g
               LEFT JOIN payment_return b ON b.id = g.deed_id LEFT JOIN payment p ON p.id = b.payment_id
              WHERE g.kind <> 'payment' GROUP BY g.deed_id) l
         ON l.deed_id = r.id
"""

LEGS_HAVE_ALLOCATIONS: Final = """
SELECT coalesce(l.deed_id, a.leg_id) AS subject,
       bool_and(l.amount_yen IS NOT DISTINCT FROM a.yen) AND max(a.last) - min(a.first) + 1 = sum(a.lots)
       AND 2 * sum(a.turns) = sum(a.lots) * (min(a.first) + max(a.last)) AS holds
  FROM payment_leg l
  FULL JOIN (SELECT leg_id, sum(paid_yen + premium_yen) AS yen,
                    count(*) AS lots, sum(turn) AS turns, min(turn) AS first, max(turn) AS last
               FROM payment_allocation GROUP BY leg_id) a
         ON a.leg_id = l.id
 GROUP BY 1
"""
"""Each leg's lots gave its amount, and all lots of a deed one after the other: programmes may take turns in it."""

ALLOCATIONS_TAKE_THE_PAYERS_LOTS: Final = """
SELECT a.leg_id AS subject, o.wallet_id = p.wallet_id AND o.programme_id = l.programme_id AS holds
  FROM payment_allocation a
  LEFT JOIN payment_leg l ON l.id = a.leg_id
  LEFT JOIN payment p ON p.id = l.payment_id
  LEFT JOIN lot o ON o.id = a.lot_id
"""

PAYMENTS_KNOW_THEIR_PARTIES: Final = """
SELECT p.id AS subject, w.id IS NOT NULL AND s.id IS NOT NULL AS holds
  FROM payment p LEFT JOIN wallet w ON w.id = p.wallet_id LEFT JOIN store s ON s.id = p.store_id
"""

RETURNED_NEVER_EXCEEDS_PAID: Final = """
SELECT coalesce(p.id, r.payment_id) AS subject, r.yen <= p.amount_yen
       AND (r.cancels = 0 OR r.cancels = 1 AND r.yen = p.amount_yen) AS holds
  FROM returned r FULL JOIN payment p ON p.id = r.payment_id WHERE r.payment_id IS NOT NULL
"""

RETURNED_COUNTERS: Final = """
SELECT coalesce(c.payment_id, r.payment_id) AS subject,
       c.returned_yen = coalesce(r.yen, 0) AND c.paid_yen = p.amount_yen AS holds
  FROM payment_returned c
  FULL JOIN returned r ON r.payment_id = c.payment_id
  LEFT JOIN payment p ON p.id = coalesce(c.payment_id, r.payment_id)
"""

LOTS_GET_BACK_WHAT_THEY_GAVE: Final = """
SELECT l.payment_id AS subject,
       sum(CASE l.kind WHEN 'payment' THEN a.paid_yen ELSE -a.paid_yen END) >= 0
       AND sum(CASE l.kind WHEN 'payment' THEN a.premium_yen ELSE -a.premium_yen END) >= 0 AS holds
  FROM payment_leg l JOIN payment_allocation a ON a.leg_id = l.id
 WHERE l.payment_id IN (SELECT payment_id FROM payment_leg WHERE kind <> 'payment')
 GROUP BY l.payment_id, a.lot_id
"""
"""Of each payment, no lot gets back more of its paid or its premium part than was taken from it."""

CANCELS_ARE_OF_THE_DAY: Final = """
SELECT r.id AS subject, (r.effective_at AT TIME ZONE 'Asia/Tokyo')::date
                      = (p.effective_at AT TIME ZONE 'Asia/Tokyo')::date AS holds
  FROM payment_return r LEFT JOIN payment p ON p.id = r.payment_id WHERE r.kind = 'cancel'
"""

CODES_PAY_ONCE: Final = """
SELECT coalesce(p.id, c.payment_id) AS subject,
       CASE p.mode WHEN 'mpm' THEN c.payment_id IS NULL
                   WHEN 'card' THEN c.payment_id IS NULL
                   WHEN 'cpm' THEN c.uses = 1 AND c.tills = 0
                   WHEN 'till' THEN c.uses = 1 AND c.tills = 1 AND c.yen = p.amount_yen AND c.store = p.store_id::text
                                    AND coalesce(c.asked, p.wallet_id::text) = p.wallet_id::text
                   ELSE false END AS holds
  FROM payment p
  FULL JOIN (SELECT u.payment_id, count(*) AS uses, count(t.id) AS tills, sum(t.amount_yen) AS yen,
                    min(t.store_id::text) AS store, min(t.wallet_id::text) AS asked
               FROM code_use u LEFT JOIN till_code t ON t.id = u.code_id GROUP BY u.payment_id) c
         ON c.payment_id = p.id
"""
"""A resident's code and a register's code pay exactly once; the store's standing code and a card have no use.

A register's code that asks a wallet is paid by that one.
"""

PAID_OR_RETURNED_SINCE: Final = """
fresh AS (SELECT deed_id FROM ledger_journal WHERE id >= $new AND kind IN ('payment', 'cancel', 'refund')),
touched AS (
    SELECT id FROM payment WHERE id >= $new
     UNION SELECT payment_id FROM payment_leg WHERE id >= $new
     UNION SELECT payment_id FROM payment_return WHERE id >= $new OR id IN (SELECT deed_id FROM fresh)
     UNION SELECT payment_id FROM payment_returned WHERE $altered
     UNION SELECT deed_id FROM fresh),
payment AS (SELECT * FROM payment WHERE id IN (SELECT id FROM touched)),
payment_return AS (SELECT * FROM payment_return WHERE payment_id IN (SELECT id FROM touched)),
payment_leg AS (SELECT * FROM payment_leg WHERE payment_id IN (SELECT id FROM touched))
"""
"""Payments that are new or of which something new was returned: whole, with all that was ever returned."""

PAYMENTS_SINCE: Final = f"""
{PAID_OR_RETURNED_SINCE.strip()},
payment_returned AS (SELECT * FROM payment_returned WHERE payment_id IN (SELECT id FROM touched)),
code_use AS (
    SELECT * FROM code_use WHERE payment_id >= $new OR payment_id IN (SELECT id FROM touched)),
part AS (
    SELECT id FROM payment_leg UNION SELECT leg_id FROM payment_allocation WHERE leg_id >= $new),
payment_allocation AS (SELECT * FROM payment_allocation WHERE leg_id IN (SELECT id FROM part))
"""  # noqa: S608

PAYMENTS: Final = Theme(
    common=LEGS,
    facts={
        "payments_have_legs": PAYMENTS_HAVE_LEGS,
        "payments_know_their_parties": PAYMENTS_KNOW_THEIR_PARTIES,
        "returns_have_legs": RETURNS_HAVE_LEGS,
        "legs_have_allocations": LEGS_HAVE_ALLOCATIONS,
        "allocations_take_the_payers_lots": ALLOCATIONS_TAKE_THE_PAYERS_LOTS,
        "returned_never_exceeds_paid": RETURNED_NEVER_EXCEEDS_PAID,
        "returned_counters": RETURNED_COUNTERS,
        "lots_get_back_what_they_gave": LOTS_GET_BACK_WHAT_THEY_GAVE,
        "cancels_are_of_the_day": CANCELS_ARE_OF_THE_DAY,
        "codes_pay_once": CODES_PAY_ONCE,
    },
    figures={},
    scope=PAYMENTS_SINCE,
)

SPENT_TODAY_COUNTERS: Final = """
SELECT coalesce(c.wallet_id, s.wallet_id) AS subject, coalesce(c.spent_yen, 0) = coalesce(s.yen, 0) AS holds
  FROM spent_today c
  FULL JOIN (SELECT p.wallet_id, l.programme_id, (p.effective_at AT TIME ZONE 'Asia/Tokyo')::date AS day,
                    sum(CASE l.kind WHEN 'payment' THEN l.amount_yen ELSE -l.amount_yen END) AS yen
               FROM payment_leg l JOIN payment p ON p.id = l.payment_id
              WHERE l.kind = 'payment'
                 OR l.kind = 'cancel' AND (l.effective_at AT TIME ZONE 'Asia/Tokyo')::date
                                        = (p.effective_at AT TIME ZONE 'Asia/Tokyo')::date
              GROUP BY 1, 2, 3) s
         ON s.wallet_id = c.wallet_id AND s.programme_id = c.programme_id AND s.day = c.day
"""
"""What was paid on a civil day in Japan, net of what was cancelled on that same day."""

DAYS_SINCE: Final = """
spent_today AS (SELECT * FROM spent_today WHERE day >= $day),
payment AS (SELECT * FROM payment WHERE id >= $new_on_day),
payment_leg AS (SELECT * FROM payment_leg WHERE id >= $new_on_day AND kind <> 'refund')
"""
"""Counters are of a civil day and move on that day only: today's, and those of the days since."""

SPENT_TODAY: Final = Theme(
    common="", facts={"spent_today_counters": SPENT_TODAY_COUNTERS}, figures={}, scope=DAYS_SINCE
)

DEED_JOURNALS: Final = """
deed_journal AS NOT MATERIALIZED (
    SELECT id, programme_id, kind, deed_id, effective_at
      FROM ledger_journal WHERE kind IN ('payment', 'cancel', 'refund'))
"""

LEGS_HAVE_ONE_JOURNAL: Final = """
SELECT coalesce(l.deed_id, j.deed_id) AS subject, j.journals = 1 AND j.effective_at = l.effective_at AS holds
  FROM payment_leg l
  FULL JOIN (SELECT deed_id, programme_id, kind, count(*) AS journals, min(effective_at) AS effective_at
               FROM deed_journal GROUP BY deed_id, programme_id, kind) j
         ON j.deed_id = l.deed_id AND j.programme_id = l.programme_id AND j.kind = l.kind
"""

LEGS_ARE_OWED_TO_THEIR_STORES: Final = """
SELECT coalesce(l.id, b.journal_id) AS subject,
       b.yen = CASE l.kind WHEN 'payment' THEN -l.amount_yen ELSE l.amount_yen END
       AND b.account = 'store_payable' AND b.owner_id = l.store_id AS holds
  FROM payment_leg l
  FULL JOIN (SELECT j.id AS journal_id, j.deed_id, j.programme_id, p.account, p.owner_id, p.amount_yen AS yen
               FROM deed_journal j JOIN ledger_posting p ON p.journal_id = j.id
              WHERE p.account NOT IN ('wallet_paid', 'wallet_premium')) b
         ON b.deed_id = l.deed_id AND b.programme_id = l.programme_id
"""
"""A leg's journal owes its amount to its store in one line, or takes it back, and names nobody else."""

ALLOCATIONS_ARE_POSTED: Final = """
SELECT coalesce(a.lot_id, b.lot_id) AS subject, b.paid = a.paid AND b.premium = a.premium AS holds
  FROM (SELECT l.deed_id, x.lot_id, CASE l.kind WHEN 'payment' THEN x.paid_yen ELSE -x.paid_yen END AS paid,
               CASE l.kind WHEN 'payment' THEN x.premium_yen ELSE -x.premium_yen END AS premium
          FROM payment_leg l JOIN payment_allocation x ON x.leg_id = l.id) a
  FULL JOIN (SELECT j.deed_id, p.owner_id AS lot_id,
                    coalesce(sum(p.amount_yen) FILTER (WHERE p.account = 'wallet_paid'), 0) AS paid,
                    coalesce(sum(p.amount_yen) FILTER (WHERE p.account = 'wallet_premium'), 0) AS premium
               FROM deed_journal j JOIN ledger_posting p ON p.journal_id = j.id
              WHERE p.account IN ('wallet_paid', 'wallet_premium') GROUP BY j.deed_id, p.owner_id) b
         ON b.deed_id = a.deed_id AND b.lot_id = a.lot_id
"""

PAYMENT_JOURNALS_SINCE: Final = f"""
{PAID_OR_RETURNED_SINCE.strip()},
told AS (
    SELECT id FROM touched UNION SELECT id FROM payment_return UNION SELECT deed_id FROM payment_leg),
ledger_journal AS MATERIALIZED (SELECT * FROM ledger_journal WHERE deed_id IN (SELECT id FROM told))
"""  # noqa: S608

PAYMENT_JOURNALS: Final = Theme(
    common=DEED_JOURNALS,
    facts={
        "legs_have_one_journal": LEGS_HAVE_ONE_JOURNAL,
        "legs_are_owed_to_their_stores": LEGS_ARE_OWED_TO_THEIR_STORES,
        "allocations_are_posted": ALLOCATIONS_ARE_POSTED,
    },
    figures={},
    scope=PAYMENT_JOURNALS_SINCE,
)
