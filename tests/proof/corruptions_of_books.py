"""Corruptions of the books, of the seals over them, and of what cities promise."""

from tests.proof.corruption import NEW_ID, corrupt, one

PURCHASE = "kind = 'purchase'"

BOOKS = (
    corrupt(
        "journals_balance",
        "a posting one yen larger",
        f"UPDATE ledger_posting SET amount_yen = amount_yen + 1 WHERE {one('ledger_posting', 'owner_id IS NULL')}",
    ),
    corrupt(
        "journals_are_whole",
        "a journal without postings",
        f"INSERT INTO ledger_journal SELECT {NEW_ID}, programme_id, 'correction', gen_random_uuid(), NULL, "
        "effective_at, clock_timestamp() FROM ledger_journal LIMIT 1",
        alone=True,
    ),
    corrupt(
        "journals_are_whole",
        "the lines of a journal renumbered around a gap",
        "UPDATE ledger_posting SET line = 9 WHERE line = 1 AND journal_id = (SELECT id FROM ledger_journal "
        "ORDER BY id DESC LIMIT 1)",
        alone=True,
    ),
    corrupt(
        "postings_have_a_journal",
        "a journal deleted, its postings left",
        "DELETE FROM ledger_journal WHERE id = (SELECT id FROM ledger_journal ORDER BY id DESC LIMIT 1)",
    ),
    corrupt(
        "journals_have_a_programme",
        "a journal of a programme that never was",
        f"UPDATE ledger_journal SET programme_id = gen_random_uuid() WHERE {one('ledger_journal', PURCHASE)}",
    ),
    corrupt(
        "value_never_mixes",
        "a lot's value moved within another programme's journal",
        "UPDATE ledger_journal SET programme_id = (SELECT id FROM programme WHERE code = 'rural') WHERE "
        "id = (SELECT journal_id FROM ledger_posting p JOIN lot l ON l.id = p.owner_id "
        "JOIN programme g ON g.id = l.programme_id WHERE g.code = 'town' LIMIT 1)",
    ),
    corrupt(
        "value_never_mixes",
        "a debt to a store that never was",
        "UPDATE ledger_posting SET owner_id = gen_random_uuid() WHERE account = 'store_payable'",
    ),
    corrupt(
        "reversals_mirror",
        "a reversal of two yen less, balanced in itself",
        "UPDATE ledger_posting SET amount_yen = amount_yen - sign(amount_yen)::int WHERE line <= 3 AND line <> 2 "
        "AND journal_id = (SELECT id FROM ledger_journal WHERE reverses_id IS NOT NULL)",
    ),
    corrupt(
        "reversals_mirror",
        "a reversal of nothing",
        "UPDATE ledger_journal SET reverses_id = gen_random_uuid() WHERE reverses_id IS NOT NULL",
    ),
    corrupt(
        "seals_chain",
        "a sealed journal dated back one second",
        "UPDATE ledger_journal SET effective_at = effective_at - interval '1 second' WHERE kind = 'purchase'",
        alone=True,
    ),
    corrupt(
        "seals_chain",
        "two lines of a sealed journal exchanged",
        *(
            f"UPDATE ledger_posting SET line = {to} WHERE line = {place} AND journal_id = "
            "(SELECT journal_id FROM ledger_seal WHERE position = 1)"
            for place, to in ((1, 99), (2, 1), (99, 2))
        ),
        alone=True,
    ),
    corrupt(
        "seals_chain", "a seal forged", "UPDATE ledger_seal SET hash = sha256('forged') WHERE position = 5", alone=True
    ),
    corrupt("seals_have_no_gap", "a seal taken out", "DELETE FROM ledger_seal WHERE position = 7"),
    corrupt(
        "seals_leave_only_the_tail",
        "a journal slipped in behind the seals",
        "UPDATE ledger_journal SET recorded_at = recorded_at - interval '90 days' WHERE id = "
        "(SELECT id FROM ledger_journal ORDER BY id DESC LIMIT 1)",
        alone=True,
    ),
)

PROMISES = (
    corrupt(
        "published_terms_are_approved",
        "terms put in force that nobody approved",
        "UPDATE programme SET published_version = 3 WHERE code = 'town'",
        alone=True,
    ),
    corrupt(
        "approvals_have_two_officers",
        "an approval by the proposer",
        "ALTER TABLE programme_approval DROP CONSTRAINT ck_programme_approval_second_officer",
        "UPDATE programme_approval SET approved_by = proposed_by WHERE version = 1",
    ),
    corrupt(
        "approvals_have_two_officers",
        "a proposal signed over to somebody else",
        "UPDATE programme_version SET proposed_by = gen_random_uuid() WHERE version = 1",
        alone=True,
    ),
    corrupt(
        "lots_keep_approved_terms",
        "lots sold under terms that nobody approved",
        "DELETE FROM programme_approval WHERE version = 2",
    ),
    corrupt(
        "lots_follow_their_terms",
        "the terms rewritten after the sale",
        "UPDATE programme_version SET terms = jsonb_set(terms, '{purses,0,premium_points}', '2001') WHERE version = 2",
        alone=True,
    ),
    corrupt(
        "lots_follow_their_terms",
        "a lot with a limit of its own",
        "UPDATE lot SET day_limit_yen = day_limit_yen * 10 WHERE origin = 'purchase'",
        alone=True,
    ),
)
