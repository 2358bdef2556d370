"""The city grants points by a list: tried out first, put right, tried again, then granted once."""

from infra.simulation.company import Company
from infra.simulation.crowd import start_shopping
from infra.simulation.people import Resident
from infra.simulation.stage import Stage

POINTS = 1_000
ONE_IN = 20
LEAST = 5
PURSE = "common"
REASON = "敬老の日のお祝い"


def choose(company: Company) -> list[Resident]:
    """Who gets a present: some of those who shop by their own plans."""
    cast = set(company.cast.values())
    crowd = [each for each in company.residents if each.wallet_number and each not in cast]
    rng = company.stage.rng("gifts")
    return sorted(rng.sample(crowd, max(LEAST, len(crowd) // ONE_IN)), key=lambda resident: resident.index)


async def give(company: Company) -> None:
    """A list with a slip in it is refused whole, with its line; the right one is granted once."""
    stage, planner = company.stage, company.office.planner
    given = choose(company)
    numbers = [resident.wallet_number for resident in given]
    slip = [*numbers[:1], numbers[1][:-1] + ("0" if numbers[1][-1] != "0" else "1"), *numbers[2:]]
    path = "/grants/batches"
    dry = await planner.ask(path, csv=_csv(slip), query=_query(stage, dry=True))
    dry.must_be_refused("grant_list_invalid")
    stage.happened("refused: a list with a slip")
    shown = (await planner.ask(path, csv=_csv(numbers), query=_query(stage, dry=True))).done()
    asked = (await planner.ask(path, csv=_csv(numbers), query=_query(stage, dry=False))).done()
    if (shown["wallets"], shown["points"], shown["change_id"]) == (asked["wallets"], asked["points"], None):
        stage.happened("grant as its dry run said")
    change = f"/changes/{asked['change_id']}"
    yes = {"fingerprint": asked["fingerprint"]}
    (await planner.ask(f"{change}/approval", yes)).must_be_refused("second_officer_needed")
    stage.happened("refused: self-approval of a grant")
    granted = (await company.office.mayor.look(change)).done()["grant"]
    (await company.office.mayor.ask(f"{change}/approval", yes)).must_succeed()
    stage.tally["points granted"] += granted["points"]
    for resident in given:
        resident.pocket.add(PURSE, POINTS)
        start_shopping(company, resident, POINTS, POINTS)
    looked = await planner.look(f"/wallets/{numbers[0]}", query={"reason": "本人からの問い合わせ"})
    looked.must_succeed()
    stage.happened("wallet looked at by the office")


def _csv(numbers: list[str]) -> bytes:
    lines = ["wallet_number,points", *(f"{number},{POINTS}" for number in numbers)]
    return ("\r\n".join(lines) + "\r\n").encode()


def _query(stage: Stage, *, dry: bool) -> dict[str, str]:
    return {"programme": stage.programme, "purse": PURSE, "reason": REASON, "dry_run": str(dry).lower()}
