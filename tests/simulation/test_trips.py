"""Plans come to what was bought, fit the purses, and together follow the published curve."""

from datetime import date, datetime, timedelta
from random import Random

import pytest

from infra.simulation.city import plan_merchants
from infra.simulation.trips import Market, Visit, draw_habits, plan_visits
from services.kit.clock import TOKYO, civil_date
from services.payments.payment import Mode

POINTS, FOR_LARGE = 39_000, 24_000
FIRST, LAST = date(2020, 10, 1), date(2021, 1, 31)
PEOPLE = 800


def market(stores: int = 100) -> Market:
    return Market([store for merchant in plan_merchants(Random(1), stores) for store in merchant.stores])


def bought_at(person: int) -> datetime:
    return datetime(2020, 10, 1, 9 + person % 9, 30, tzinfo=TOKYO)


@pytest.fixture(scope="module")
def plans() -> list[list[Visit]]:
    stores, made = market(), []
    for person in range(PEOPLE):
        rng = Random(f"plan/{person}")
        made.append(plan_visits(rng, stores, draw_habits(rng), POINTS, FOR_LARGE, bought_at(person), LAST))
    return made


def test_a_plan_never_exceeds_what_there_is(plans: list[list[Visit]]) -> None:
    stores = market()
    whole = 0
    for plan in plans:
        total = sum(visit.amount_yen for visit in plan)
        assert total <= POINTS
        assert sum(visit.amount_yen for visit in plan if stores.is_large(visit.store)) <= FOR_LARGE
        whole += total == POINTS
    assert whole > PEOPLE * 0.8


def test_visits_lie_between_the_purchase_and_the_last_day(plans: list[list[Visit]]) -> None:
    for person, plan in enumerate(plans):
        assert plan == sorted(plan, key=lambda visit: visit.at)
        for visit in plan:
            assert bought_at(person) < visit.at
            assert civil_date(visit.at) <= LAST
            assert visit.amount_yen > 0


@pytest.mark.parametrize(("weeks", "share"), [(2, 0.46), (7, 0.855)])
def test_a_town_follows_the_published_curve(plans: list[list[Visit]], weeks: int, share: float) -> None:
    end = datetime(2020, 10, 1, tzinfo=TOKYO) + timedelta(weeks=weeks)
    spent = sum(visit.amount_yen for plan in plans for visit in plan if visit.at < end)
    assert spent / (PEOPLE * POINTS) == pytest.approx(share, abs=0.03)


def test_a_little_is_never_spent(plans: list[list[Visit]]) -> None:
    spent = sum(visit.amount_yen for plan in plans for visit in plan) / (PEOPLE * POINTS)
    assert 0.99 < spent < 0.9995


def test_a_payment_is_about_nine_hundred_and_fifty_yen(plans: list[list[Visit]]) -> None:
    amounts = [visit.amount_yen for plan in plans for visit in plan]
    assert sum(amounts) / len(amounts) == pytest.approx(960, abs=70)


def test_a_third_of_the_payments_reads_the_stores_code(plans: list[list[Visit]]) -> None:
    visits = [visit for plan in plans for visit in plan]
    shares = {mode: sum(visit.mode is mode for visit in visits) / len(visits) for mode in Mode}
    assert shares[Mode.CPM] == pytest.approx(0.67, abs=0.06)
    assert shares[Mode.TILL] > 0.05


def test_large_stores_have_about_a_third_of_the_sales(plans: list[list[Visit]]) -> None:
    stores = market()
    visits = [visit for plan in plans for visit in plan]
    large = sum(visit.amount_yen for visit in visits if stores.is_large(visit.store))
    assert 0.28 <= large / sum(visit.amount_yen for visit in visits) <= 0.42


def test_points_bought_on_the_last_evening_are_spent_on_it_or_not_at_all() -> None:
    rng = Random(9)
    late = datetime(2021, 1, 31, 21, 50, tzinfo=TOKYO)
    plan = plan_visits(rng, market(10), draw_habits(rng), POINTS, FOR_LARGE, late, LAST)
    assert all(late < visit.at and civil_date(visit.at) == LAST for visit in plan)
