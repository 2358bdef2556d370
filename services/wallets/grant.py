"""The city grants points: to one wallet or to a list of thousands, all of them or none."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.campaigns import read as campaigns
from services.campaigns import sell
from services.campaigns.programme import GrantBudgetExhausted, Programme, ProgrammeClosed
from services.campaigns.terms import Phase
from services.kit import audit
from services.kit.clock import start_of
from services.kit.db import Tx
from services.kit.errors import Kind, Refusal
from services.ledger import post
from services.ledger.journal import JournalKind
from services.wallets.closed import must_not_be_merged
from services.wallets.grant_csv import ALONE, MAX_POINTS, GrantLine, Problem, refuse
from services.wallets.lots import Lot, Origin, expiry_of_new, issue_journal, new_lot
from services.wallets.tables import access, holdings
from services.wallets.wallet import MERGED, Wallet, WalletMerged


class WalletUnknown(Refusal):
    code = "wallet_unknown"
    kind = Kind.MISSING


class GrantPointsInvalid(Refusal):
    """A grant to one person is 1 to `most_points` whole points."""

    code = "grant_points_invalid"


class GrantTooEarly(Refusal):
    """What is granted today would expire before the programme's points can be used, on `use_first`."""

    code = "grant_too_early"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Grant:
    """Points of one purse of a programme, why, by whom, for whom."""

    programme_code: str
    purse: str
    reason: str
    officer_id: UUID
    lines: tuple[GrantLine, ...]


@dataclass(frozen=True)
class Granted:
    """`batch_id` names the whole list; None in a dry run, which changes nothing."""

    batch_id: UUID | None
    wallets: int
    points: int


async def check(tx: Tx, command: Grant) -> Granted:
    """A dry run: every refusal that `grant` would give, and the totals that it would reach."""
    programme, wallets = await _prepare(tx, command)
    total = sum(line.points for line in command.lines)
    stock = await campaigns.stock(tx, programme.id)
    left = stock.grant_budget_points - stock.granted_points
    if total > left:
        raise GrantBudgetExhausted(programme=programme.code, left_points=left)
    return Granted(None, len(wallets), total)


async def grant(tx: Tx, command: Grant) -> Granted:
    """Grant every line of the list in one transaction."""
    numbers = [line.wallet_number for line in command.lines]
    await access.lock_wallets(tx, [each.id for each in (await access.find_by_numbers(tx, numbers)).values()])
    programme, wallets = await _prepare(tx, command)
    batch_id = tx.new_id()
    deeds = [tx.new_id() for _ in wallets]
    lots = _lots(tx, programme, command, wallets, deeds)
    await holdings.insert_grants(
        tx,
        [
            {
                "id": lot.origin_id,
                "batch_id": batch_id,
                "wallet_id": lot.wallet_id,
                "programme_id": programme.id,
                "purse": command.purse,
                "points": lot.premium_issued_yen,
                "reason": command.reason,
                "granted_by": command.officer_id,
                "granted_at": tx.now,
            }
            for lot in lots
        ],
    )
    await holdings.insert_lots(tx, lots)
    await post.post(tx, [issue_journal(JournalKind.GRANT, lot.origin_id, (lot,)) for lot in lots])
    total = sum(line.points for line in command.lines)
    await audit.record(tx, command.officer_id, "points.granted", batch_id, wallets=len(wallets), points=total)
    await sell.grant(tx, programme, total)
    return Granted(batch_id, len(wallets), total)


async def _prepare(tx: Tx, command: Grant) -> tuple[Programme, list[Wallet]]:
    if not all(1 <= line.points <= MAX_POINTS for line in command.lines):
        raise GrantPointsInvalid(most_points=MAX_POINTS)
    programme = await campaigns.published(tx, command.programme_code)
    if programme.phase(tx.now) is Phase.CLOSED:
        raise ProgrammeClosed(programme=programme.code)
    use_first = programme.terms.use.first
    if expiry_of_new(programme.terms, tx.now) <= start_of(use_first):
        raise GrantTooEarly(programme=programme.code, use_first=use_first.isoformat())
    programme.terms.purse(command.purse)
    found = await access.find_by_numbers(tx, [line.wallet_number for line in command.lines])
    wrong = [problem for line in command.lines if (problem := _wrong(line, found.get(line.wallet_number)))]
    if wrong and wrong[0].line == ALONE:
        number = command.lines[0].wallet_number
        if number in found:
            await must_not_be_merged(tx, found[number])
        raise WalletUnknown(wallet=number)
    if wrong:
        raise refuse(wrong)
    return programme, [found[line.wallet_number] for line in command.lines]


def _wrong(line: GrantLine, wallet: Wallet | None) -> Problem | None:
    """Why the line's wallet is given nothing: there is none, or it was merged into another."""
    if wallet is None:
        return Problem(line.line, 1, WalletUnknown.code)
    return Problem(line.line, 1, WalletMerged.code) if wallet.status == MERGED else None


def _lots(tx: Tx, programme: Programme, command: Grant, wallets: Sequence[Wallet], deeds: Sequence[UUID]) -> list[Lot]:
    purse = programme.terms.purse(command.purse)
    usable_from = max(tx.now, start_of(programme.terms.use.first))
    return [
        new_lot(tx.new_id(), wallet.id, programme, purse, Origin.GRANT, deed, 0, line.points, tx.now, usable_from)
        for line, wallet, deed in zip(command.lines, wallets, deeds, strict=True)
    ]
