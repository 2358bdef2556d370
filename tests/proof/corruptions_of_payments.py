"""Corruptions of payments and of what was given back."""

from tests.proof.corruption import NEW_ID, corrupt, one

OWED = "account = 'store_payable' AND amount_yen < 0"

PAYMENTS = (
    corrupt(
        "payments_have_legs",
        "a payment of one yen more than its legs",
        "UPDATE payment SET amount_yen = amount_yen + 1 WHERE id = (SELECT id FROM payment ORDER BY id DESC LIMIT 1)",
        alone=True,
    ),
    corrupt(
        "payments_have_legs",
        "a payment that nobody made",
        f"INSERT INTO payment SELECT {NEW_ID}, 'PX', wallet_id, store_id, 'mpm', 7, 0, acted_by, effective_at "
        "FROM payment LIMIT 1",
        alone=True,
    ),
    corrupt(
        "payments_know_their_parties",
        "a payer that never was",
        "UPDATE payment SET wallet_id = gen_random_uuid() WHERE mode = 'till'",
    ),
    corrupt(
        "payments_know_their_parties",
        "a store that is gone",
        "DELETE FROM store WHERE code = 'S1'",
    ),
    corrupt(
        "returns_have_legs",
        "a refund of one yen more than its legs",
        "UPDATE payment_return SET amount_yen = amount_yen + 1 WHERE amount_yen = 50",
    ),
    corrupt(
        "returns_have_legs",
        "a refund that calls itself a cancel",
        "UPDATE payment_return SET kind = 'refund' WHERE kind = 'cancel'",
        alone=True,
    ),
    corrupt(
        "legs_have_allocations",
        "a leg that says more than its lots gave",
        "UPDATE payment_allocation SET premium_yen = premium_yen - 1 WHERE premium_yen = 1000",
    ),
    corrupt(
        "legs_have_allocations",
        "two lots taken at the same turn",
        "UPDATE payment_allocation SET turn = 1 WHERE turn = 2",
        alone=True,
    ),
    corrupt(
        "allocations_take_the_payers_lots",
        "a payment from somebody else's lot",
        "UPDATE payment SET wallet_id = (SELECT id FROM wallet WHERE number = 'W2') WHERE mode = 'till'",
    ),
    corrupt(
        "returned_never_exceeds_paid",
        "refunds of more than was paid",
        "UPDATE payment_return SET amount_yen = 601 WHERE amount_yen = 50",
    ),
    corrupt(
        "returned_never_exceeds_paid",
        "cancelled twice",
        f"INSERT INTO payment_return SELECT {NEW_ID}, 'RX', payment_id, kind, amount_yen, reason, acted_by, "
        "effective_at FROM payment_return WHERE kind = 'cancel'",
    ),
    corrupt(
        "returned_counters",
        "a counter of what went back set to nothing",
        "UPDATE payment_returned SET returned_yen = 0",
        alone=True,
    ),
    corrupt(
        "returned_counters",
        "a counter gone",
        f"DELETE FROM payment_returned WHERE {one('payment_returned')}",
        alone=True,
    ),
    corrupt(
        "lots_get_back_what_they_gave",
        "a refund that turns premium into paid points",
        "UPDATE payment_allocation SET paid_yen = 3100, premium_yen = 500 WHERE paid_yen = 2700 AND leg_id IN "
        "(SELECT id FROM payment_leg WHERE kind = 'refund')",
    ),
    corrupt(
        "cancels_are_of_the_day",
        "a cancel on the next day",
        "UPDATE payment_return SET effective_at = effective_at + interval '8 hours' WHERE kind = 'cancel'",
        "UPDATE payment_leg SET effective_at = effective_at + interval '8 hours' WHERE kind = 'cancel'",
    ),
    corrupt(
        "codes_pay_once",
        "a register's code that asked somebody else",
        "UPDATE till_code SET wallet_id = gen_random_uuid()",
        alone=True,
    ),
    corrupt(
        "codes_pay_once",
        "a pay code's use forgotten",
        f"DELETE FROM code_use WHERE {one('code_use')}",
        alone=True,
    ),
    corrupt(
        "codes_pay_once",
        "a second code for one payment",
        f"INSERT INTO code_use SELECT {NEW_ID}, payment_id FROM code_use LIMIT 1",
        alone=True,
    ),
    corrupt(
        "codes_pay_once", "a register's code of another amount", "UPDATE till_code SET amount_yen = 601", alone=True
    ),
    corrupt(
        "spent_today_counters",
        "a day's counter set back",
        "UPDATE spent_today SET spent_yen = spent_yen - 1 WHERE spent_yen > 0",
        alone=True,
    ),
    corrupt("spent_today_counters", "a day's counter gone", "DELETE FROM spent_today WHERE spent_yen > 0", alone=True),
    corrupt(
        "legs_have_one_journal",
        "a payment posted twice",
        f"INSERT INTO ledger_journal SELECT {NEW_ID}, programme_id, kind, deed_id, NULL, effective_at, "
        "clock_timestamp() FROM ledger_journal WHERE kind = 'payment' LIMIT 1",
    ),
    corrupt(
        "legs_have_one_journal",
        "a payment never posted",
        "UPDATE ledger_journal SET deed_id = gen_random_uuid() WHERE kind = 'payment' AND id = "
        "(SELECT id FROM ledger_journal WHERE kind = 'payment' ORDER BY id DESC LIMIT 1)",
    ),
    corrupt(
        "legs_are_owed_to_their_stores",
        "a payment owed to another store",
        "UPDATE ledger_posting SET owner_id = (SELECT id FROM store WHERE code = 'S2') "
        f"WHERE {one('ledger_posting', OWED)}",
    ),
    corrupt(
        "allocations_are_posted",
        "paid points posted where premium points were taken",
        "UPDATE payment_allocation SET paid_yen = paid_yen + 1, premium_yen = premium_yen - 1 WHERE paid_yen = 3000",
        alone=True,
    ),
)
