"""Corruptions of wallets that were merged."""

from tests.proof.corruption import corrupt, one

CLOSED = "wallet_id = (SELECT closed_id FROM wallet_merge)"

MERGES = (
    corrupt("merges_are_approved", "a wallet closed on nobody's word", "DELETE FROM wallet_merge"),
    corrupt(
        "merges_are_approved",
        "a merge that says somebody else approved it",
        f"UPDATE wallet_merge SET approved_by = '{'c' * 8}-cccc-4ccc-8ccc-{'c' * 12}'",
        alone=True,
    ),
    corrupt(
        "merges_are_approved",
        "two wallets that were merged into each other",
        "UPDATE wallet SET status = 'merged', merged_into_id = (SELECT closed_id FROM wallet_merge) "
        "WHERE number = 'W2'",
    ),
    corrupt(
        "merged_wallets_are_empty",
        "points left behind in a closed wallet",
        f"UPDATE lot SET premium_yen = premium_yen + 1 WHERE {one('lot', CLOSED)}",
    ),
    corrupt(
        "merged_wallets_are_empty",
        "a lot of a closed wallet without a place in the other",
        f"UPDATE lot SET moved_from_id = NULL WHERE {one('lot', 'moved_from_id IS NOT NULL')}",
    ),
    corrupt(
        "moved_lots_keep_their_terms",
        "a moved lot that may be used earlier",
        f"UPDATE lot SET usable_from = usable_from - interval '1 day' WHERE {one('lot', 'moved_from_id IS NOT NULL')}",
        alone=True,
    ),
    corrupt(
        "moved_lots_keep_their_terms",
        "a moved lot in the wallet of somebody else",
        "UPDATE lot SET wallet_id = (SELECT id FROM wallet WHERE number = 'W1') WHERE moved_from_id IS NOT NULL",
    ),
    corrupt(
        "moves_are_between_places",
        "a move to a lot that has nothing to do with it",
        "UPDATE lot_move SET to_lot_id = (SELECT id FROM lot WHERE origin = 'grant' ORDER BY id LIMIT 1)",
    ),
    corrupt(
        "caps_count_together",
        "somebody who bought after a merge what their cap no longer allowed",
        "UPDATE purchase SET reserved_at = '2026-05-01' WHERE units = 1 AND status = 'reserved'",
        alone=True,
    ),
    corrupt(
        "moves_have_journals",
        "a move of more than its journal",
        f"UPDATE lot_move SET premium_yen = premium_yen + 1 WHERE {one('lot_move')}",
        alone=True,
    ),
    corrupt("moves_have_journals", "a move that nobody wrote down", f"DELETE FROM lot_move WHERE {one('lot_move')}"),
    corrupt(
        "moves_have_journals",
        "a journal of a move that was a gift",
        "UPDATE ledger_journal SET kind = 'merge' WHERE kind = 'grant'",
    ),
)
