"""How long anything may take is written down in docs/security.md, as it is."""

from pathlib import Path

from city_api import app as city
from infra import town, web_server
from infra.database.connect import JOBS, SERVING, Limits
from infra.database.migrate import MIGRATING
from infra.http import bounded
from infra.ports import outgoing
from merchant_api import app as merchant
from services.kit import micro_batch
from wallet_api import app as wallet

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
HEAD = ("| what | at most | then |", "|---|---|---|")


def seconds(value: float) -> str:
    return f"{value:g} s"


def in_the_database(limits: Limits) -> str:
    """Of a statement, of waiting for a lock, and of a client that says nothing within a transaction."""
    its = (limits.statement_ms, limits.lock_ms, limits.idle_in_transaction_ms)
    return " / ".join(seconds(each / 1_000) for each in its)


def table() -> list[str]:
    """The page's lines, from what the code says."""
    rows = [
        ("a request of a resident", seconds(wallet.SECONDS), "503, and nothing of it stays"),
        ("a request of a store", seconds(merchant.SECONDS), "503, and nothing of it stays"),
        ("a request of the office", seconds(city.SECONDS), "503, and nothing of it stays"),
        ("a page that is no API's", seconds(town.PAGE_SECONDS), "503"),
        ("a payment that waits for its turn", seconds(micro_batch.PATIENCE_S), "503, and it is not begun"),
        (
            "of a request, in the database: a statement / a lock that others hold / silence in a transaction",
            in_the_database(SERVING),
            "503, and the transaction is undone",
        ),
        ("of a job, there", in_the_database(JOBS), "it is undone, and done at its next turn"),
        ("of a migration, there", in_the_database(MIGRATING), "the old schema stays"),
        ("somebody else's answer to a request of ours", seconds(outgoing.TIMEOUT_S), "it counts as silence"),
        ("a connection on which nothing is asked", seconds(web_server.IDLE_S), "it is closed"),
        (
            "a request's first line and headers, from their first byte",
            seconds(bounded.HEAD_S),
            "the connection is closed",
        ),
        ("requests under way when the server is stopped", seconds(web_server.GRACE_S), "they are broken off"),
    ]
    return [*HEAD, *(f"| {' | '.join(row)} |" for row in rows)]


def test_every_time_limit_is_written_down_as_it_is() -> None:
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    first = lines.index(HEAD[0])
    assert lines[first : first + len(table())] == table()


def test_a_request_outlives_what_it_waits_for() -> None:
    """Or its refusal would come while the database still works on it."""
    for limit in (wallet.SECONDS, merchant.SECONDS):
        assert limit > micro_batch.PATIENCE_S
        assert limit > max(SERVING.statement_ms, SERVING.lock_ms, SERVING.idle_in_transaction_ms) / 1_000
    assert city.SECONDS > outgoing.TIMEOUT_S
