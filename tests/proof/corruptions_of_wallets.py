"""Corruptions of what residents hold, bought and were granted."""

from tests.proof.corruption import NEW_ID, corrupt, one

WALLETS = (
    corrupt(
        "lots_paid",
        "paid points turned into premium points",
        f"UPDATE lot SET paid_yen = paid_yen - 1, premium_yen = premium_yen + 1 WHERE {one('lot', 'paid_yen > 9')}",
    ),
    corrupt("lots_paid", "a lot whose account stays behind", f"DELETE FROM lot WHERE {one('lot')}"),
    corrupt(
        "lots_premium",
        "a point appears",
        "UPDATE lot SET premium_yen = premium_yen + 1 WHERE premium_yen < premium_issued_yen AND origin = 'purchase'",
    ),
    corrupt(
        "lots_premium",
        "a lot without an account",
        f"INSERT INTO lot SELECT {NEW_ID}, wallet_id, programme_id, programme_version, purse, store_classes, "
        "'grant', gen_random_uuid(), 0, 1, 0, 0, payment_limit_yen, day_limit_yen, issued_at, usable_from, "
        "first_expires_at, expires_at FROM lot LIMIT 1",
    ),
    corrupt(
        "lots_are_bounded",
        "a lot below zero, on both sides",
        "ALTER TABLE lot DROP CONSTRAINT ck_lot_premium",
        "UPDATE lot SET premium_yen = -1 WHERE id = (SELECT id FROM lot WHERE origin = 'grant' ORDER BY id LIMIT 1)",
    ),
    corrupt(
        "lots_are_bounded",
        "a lot that expires before it was to expire first",
        "UPDATE lot SET expires_at = first_expires_at - interval '1 day'",
        alone=True,
    ),
    corrupt(
        "lots_are_issued",
        "a lot that claims to have begun larger",
        f"UPDATE lot SET paid_issued_yen = paid_issued_yen + 5 WHERE {one('lot', 'paid_yen > 0')}",
    ),
    corrupt(
        "lots_are_issued",
        "two purchases exchange their journals",
        "UPDATE ledger_journal SET deed_id = (SELECT id FROM purchase WHERE units = 2) WHERE deed_id = "
        "(SELECT id FROM purchase WHERE status = 'paid' AND units = 1 ORDER BY id LIMIT 1)",
    ),
    corrupt(
        "purchases_issue_lots",
        "a purchase worth more points than it gave",
        "UPDATE purchase SET points = points + 1 WHERE units = 2",
    ),
    corrupt(
        "purchases_issue_lots",
        "points without payment",
        "UPDATE purchase SET status = 'lapsed' WHERE units = 2",
    ),
    corrupt(
        "purchases_issue_lots",
        "points in somebody else's wallet",
        "UPDATE purchase SET wallet_id = (SELECT id FROM wallet WHERE number = 'W2') WHERE units = 2",
    ),
    corrupt(
        "purchases_have_journals",
        "late money that was never booked as returned",
        "UPDATE ledger_journal SET deed_id = gen_random_uuid() WHERE kind = 'money_returned'",
    ),
    corrupt(
        "purchases_have_journals",
        "a purchase that says it was not undone",
        "UPDATE purchase SET status = 'paid' WHERE status = 'undone'",
    ),
    corrupt(
        "late_money_is_held_as_it_came",
        "late money that goes back as another sum than came",
        "UPDATE purchase SET received_yen = price_yen WHERE status = 'returned'",
        alone=True,
    ),
    corrupt(
        "late_money_is_held_as_it_came",
        "late money held at the price",
        "UPDATE purchase SET received_yen = NULL WHERE status = 'late'",
    ),
    corrupt(
        "grants_issue_lots",
        "a grant larger than its lot",
        "UPDATE wallet_grant SET points = points + 1 WHERE points = 500",
    ),
    corrupt("grants_issue_lots", "a lot that nobody granted", "DELETE FROM wallet_grant WHERE points = 700"),
    corrupt(
        "grants_issue_lots",
        "a grant in another purse",
        "UPDATE wallet_grant SET purse = 'small' WHERE points = 700",
        alone=True,
    ),
    corrupt(
        "expiries_have_journals",
        "an expiry of one yen more premium and one less paid",
        "UPDATE expiry SET paid_yen = paid_yen - 1, premium_yen = premium_yen + 1 WHERE paid_yen > 0",
    ),
    corrupt(
        "expiries_have_journals",
        "an expiry deleted",
        "DELETE FROM expiry WHERE id = (SELECT max(id::text)::uuid FROM expiry)",
    ),
    corrupt(
        "bought_counters",
        "a cap counter set back",
        "UPDATE bought SET bought_yen = bought_yen - 10000 WHERE bought_yen >= 20000",
        alone=True,
    ),
    corrupt("bought_counters", "a cap counter gone", f"DELETE FROM bought WHERE {one('bought')}", alone=True),
    corrupt(
        "stock_counters",
        "a unit sold that was not",
        "UPDATE programme_stock SET sold_units = sold_units + 1",
        alone=True,
    ),
    corrupt(
        "stock_counters",
        "a reservation that nobody holds",
        "UPDATE programme_stock SET reserved_units = reserved_units + 1",
        alone=True,
    ),
    corrupt(
        "stock_counters",
        "grants above the budget's counter",
        "UPDATE programme_stock SET granted_points = granted_points - 1",
        alone=True,
    ),
    corrupt(
        "points_issued_are_accounted_for",
        "points that vanish from a lot",
        "UPDATE lot SET premium_yen = premium_yen - 1 WHERE premium_yen > 9",
    ),
)

CARE = (
    corrupt(
        "deeds_of_care_fall_within_it",
        "a carer paid before the care began",
        "UPDATE care SET began_at = began_at + interval '20 days'",
        alone=True,
    ),
    corrupt(
        "deeds_of_care_fall_within_it",
        "a carer paid after its end",
        "UPDATE care SET ended_at = began_at",
        alone=True,
    ),
    corrupt(
        "deeds_of_care_fall_within_it",
        "a carer paid on its last instant",
        "UPDATE care SET ends_at = (SELECT effective_at FROM payment JOIN care_deed ON deed_id = payment.id)",
        alone=True,
    ),
    corrupt(
        "deeds_of_care_fall_within_it",
        "a carer paid from a wallet that the care does not open",
        "UPDATE care SET wallet_id = (SELECT id FROM wallet WHERE number = 'W2')",
        alone=True,
    ),
    corrupt(
        "deeds_of_care_fall_within_it",
        "a deed that never was",
        f"UPDATE care_deed SET deed_id = {NEW_ID}",
        alone=True,
    ),
)
