"""A journal sums to zero, speaks of one programme, and is compensated, never deleted."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ledger.chart import CHART, OWNED, Account, AccountType, Owner
from services.ledger.journal import (
    Journal,
    JournalKind,
    Posting,
    Unbalanced,
    WrittenJournal,
    check,
    entry,
    reversal,
)

PROGRAMME, DEED, OTHER_DEED, JOURNAL_ID = (UUID(int=n) for n in (1, 2, 3, 4))
YEN = st.integers(-(10**12), 10**12)
ACCOUNTS = st.sampled_from(list(Account))
OWNERS = st.integers(1, 5).map(lambda n: UUID(int=n))


def posting(account: Account, yen: int, owner: UUID) -> Posting:
    return Posting(account, yen, owner if account in OWNED else None)


POSTINGS = st.builds(posting, ACCOUNTS, YEN, OWNERS)


@st.composite
def balanced(draw: st.DrawFn) -> tuple[Posting, ...]:
    """Postings that sum to zero, none of them zero."""
    some = [each for each in draw(st.lists(POSTINGS, min_size=1, max_size=8)) if each.amount_yen]
    rest = -sum(each.amount_yen for each in some)
    last = (posting(draw(ACCOUNTS), rest, draw(OWNERS)),) if rest else ()
    return (*some, *last) or (Posting(Account.BANK, 1), Posting(Account.SUSPENSE, -1))


@given(balanced())
def test_postings_that_sum_to_zero_make_a_journal(postings: tuple[Posting, ...]) -> None:
    assert entry(PROGRAMME, JournalKind.PAYMENT, DEED, postings).postings == postings


@given(balanced(), YEN.filter(bool))
def test_postings_that_do_not_sum_to_zero_make_none(postings: tuple[Posting, ...], off: int) -> None:
    with pytest.raises(Unbalanced) as caught:
        entry(PROGRAMME, JournalKind.PAYMENT, DEED, (*postings, Posting(Account.BANK, off)))
    assert caught.value.params == {"kind": "payment", "difference_yen": off}


@given(balanced())
def test_postings_of_zero_yen_say_nothing_and_are_left_out(postings: tuple[Posting, ...]) -> None:
    silent = (Posting(Account.BANK, 0), *postings, Posting(Account.BREAKAGE, 0))
    assert entry(PROGRAMME, JournalKind.EXPIRY, DEED, silent).postings == postings


def test_a_journal_without_postings_is_none() -> None:
    for nothing in ((), (Posting(Account.BANK, 0),)):
        with pytest.raises(Unbalanced):
            entry(PROGRAMME, JournalKind.EXPIRY, DEED, nothing)


def test_a_written_posting_of_zero_yen_is_refused() -> None:
    postings = (Posting(Account.BANK, 0), Posting(Account.BANK, 5), Posting(Account.SUSPENSE, -5))
    with pytest.raises(Unbalanced):
        check(Journal(PROGRAMME, JournalKind.CORRECTION, DEED, postings))


@pytest.mark.parametrize("account", list(Account))
def test_an_account_has_an_owner_exactly_if_the_chart_says_so(account: Account) -> None:
    other = Account.BANK if account is not Account.BANK else Account.SUSPENSE
    for owner_id in (None, UUID(int=9)):
        postings = (Posting(account, 5, owner_id), Posting(other, -5))
        if (owner_id is not None) == (account in OWNED):
            assert entry(PROGRAMME, JournalKind.CORRECTION, DEED, postings).postings == postings
        else:
            with pytest.raises(Unbalanced):
                entry(PROGRAMME, JournalKind.CORRECTION, DEED, postings)


@given(balanced())
def test_a_reversal_compensates_posting_by_posting(postings: tuple[Posting, ...]) -> None:
    original = entry(PROGRAMME, JournalKind.PURCHASE, DEED, postings)
    turned = reversal(WrittenJournal(JOURNAL_ID, original), JournalKind.PURCHASE_UNDONE, OTHER_DEED)
    check(turned)
    assert (turned.programme_id, turned.kind, turned.deed_id) == (PROGRAMME, JournalKind.PURCHASE_UNDONE, OTHER_DEED)
    assert turned.reverses_id == JOURNAL_ID
    pairs = zip(original.postings, turned.postings, strict=True)
    assert all((a.account, a.owner_id, a.amount_yen) == (b.account, b.owner_id, -b.amount_yen) for a, b in pairs)


def test_the_chart_names_every_account_once() -> None:
    assert [line.account for line in CHART] == list(dict.fromkeys(line.account for line in CHART))
    assert {line.account for line in CHART} == set(Account)
    assert {line.type for line in CHART} == set(AccountType)
    assert {line.account for line in CHART if line.owner is Owner.LOT} == {
        Account.WALLET_PAID,
        Account.WALLET_PREMIUM,
    }
