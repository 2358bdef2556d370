"""The invented city: who keeps shop, in which district, with which bank account.

Everything here is drawn from the seed before the programme begins. Stores with troubles of their
own (`Trouble`) get no chance customers, so that their story happens whatever the rest does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from infra.simulation.shopping import LARGE, SMALL, Category, in_quota, zipf_weights
from services.kit.store_class import StoreClass

DISTRICTS = 5
LARGE_IN_A_HUNDRED = 10
EVERY_THIRD = 3
"""Of the best places every third is a large store's until there are no more of them."""

CHAIN_EVERY, YUCHO_EVERY, INVOICE_EVERY = 4, 5, 2
POSTAL_CODE, CITY_LATIN = "254-0045", "HOSHIMI"

_FAMILIES = (
    ("青柳", "アオヤギ", "AOYAGI"),
    ("石川", "イシカワ", "ISHIKAWA"),
    ("上田", "ウエダ", "UEDA"),
    ("大久保", "オオクボ", "OKUBO"),
    ("片岡", "カタオカ", "KATAOKA"),
    ("北村", "キタムラ", "KITAMURA"),
    ("久保田", "クボタ", "KUBOTA"),
    ("小宮", "コミヤ", "KOMIYA"),
    ("桜井", "サクライ", "SAKURAI"),
    ("島田", "シマダ", "SHIMADA"),
    ("須藤", "スドウ", "SUDO"),
    ("関", "セキ", "SEKI"),
    ("高橋", "タカハシ", "TAKAHASHI"),
    ("千葉", "チバ", "CHIBA"),
    ("津田", "ツダ", "TSUDA"),
    ("富田", "トミタ", "TOMITA"),
    ("中村", "ナカムラ", "NAKAMURA"),
    ("西山", "ニシヤマ", "NISHIYAMA"),
    ("野口", "ノグチ", "NOGUCHI"),
    ("原", "ハラ", "HARA"),
    ("広瀬", "ヒロセ", "HIROSE"),
    ("古川", "フルカワ", "FURUKAWA"),
    ("堀", "ホリ", "HORI"),
    ("松本", "マツモト", "MATSUMOTO"),
)
_BANKS = (("0138", "641"), ("0138", "642"), ("0001", "372"), ("0005", "256"), ("0009", "565"))
_YUCHO_SYMBOLS = ("14030", "15150", "10180", "10280")


class Trouble(StrEnum):
    """What a store's own story is."""

    TINY = "tiny"
    """Sells so little that its payout waits for the next period."""
    RETURNS = "returns"
    """Gives back more than it sells in a period."""


@dataclass(frozen=True)
class StorePlan:
    """A store before it is registered; `weight` is its share of chance customers."""

    name: str
    name_kana: str
    name_latin: str
    category: Category
    store_class: StoreClass
    district: int
    weight: float
    trouble: Trouble | None = None

    def request(self) -> dict[str, object]:
        """As the city's API takes it."""
        return {
            "name": self.name,
            "name_latin": self.name_latin,
            "store_class": self.store_class.value,
            "mcc": self.category.mcc,
            "postal_code": POSTAL_CODE,
            "city_latin": CITY_LATIN,
        }


@dataclass(frozen=True)
class MerchantPlan:
    """A merchant with one or two stores and one account."""

    name: str
    invoice_number: str | None
    payout_account: dict[str, object]
    stores: tuple[StorePlan, ...]


def plan_merchants(rng: Random, count: int) -> tuple[MerchantPlan, ...]:
    """Merchants for `count` stores, the best places first."""
    stores = _stores(rng, count)
    merchants: list[MerchantPlan] = []
    while stores:
        first = stores.pop(0)
        chain = first.trouble is None and len(merchants) % CHAIN_EVERY == 1
        second = next((each for each in stores if each.store_class is first.store_class and not each.trouble), None)
        group = (first, second) if chain and second is not None else (first,)
        stores = [each for each in stores if each not in group]
        merchants.append(_merchant(rng, len(merchants), group))
    return tuple(merchants)


def _stores(rng: Random, count: int) -> list[StorePlan]:
    large = max(1, count * LARGE_IN_A_HUNDRED // 100)
    troubles = (Trouble.RETURNS, Trouble.TINY)
    weights = (*zipf_weights(count - len(troubles)), *(0.0 for _ in troubles))
    of_large, of_small = iter(in_quota(LARGE, large)), iter(in_quota(SMALL, count - large))
    plans = []
    for rank, weight in enumerate(weights):
        is_large = rank % EVERY_THIRD == 0 and rank // EVERY_THIRD < large
        category = next(of_large if is_large else of_small)
        family = _FAMILIES[rank % len(_FAMILIES)]
        branch = rank // len(_FAMILIES) + 1
        plans.append(
            StorePlan(
                name=f"{family[0]}{category.words[0]}" + (f" {branch}号店" if branch > 1 else ""),
                name_kana=f"{family[1]}{category.words[1]}",
                name_latin=f"{family[2]} {category.words[2]}"[:20] + (f" {branch}" if branch > 1 else ""),
                category=category,
                store_class=StoreClass.LARGE if is_large else StoreClass.SMALL,
                district=rng.randrange(DISTRICTS),
                weight=weight,
                trouble=troubles[rank - count] if rank >= count - len(troubles) else None,
            )
        )
    return plans


def _merchant(rng: Random, index: int, stores: Sequence[StorePlan]) -> MerchantPlan:
    holder = f"カ）{stores[0].name_kana}"
    invoice = f"T{rng.randrange(10**12, 10**13)}" if index % INVOICE_EVERY == 0 else None
    account = _yucho(rng, holder) if index % YUCHO_EVERY == 2 else _bank(rng, holder)
    return MerchantPlan(f"株式会社{stores[0].name}", invoice, account, tuple(stores))


def _bank(rng: Random, holder: str) -> dict[str, object]:
    bank_code, branch_code = rng.choice(_BANKS)
    number = f"{rng.randrange(1, 10**7):07}"
    kind = rng.choices(("1", "2"), (3, 1))[0]
    return {
        "type": "bank",
        "bank_code": bank_code,
        "branch_code": branch_code,
        "kind": kind,
        "number": number,
        "holder": holder,
    }


def _yucho(rng: Random, holder: str) -> dict[str, object]:
    number = f"{rng.randrange(10**5, 10**7)}1"
    return {"type": "yucho", "symbol": rng.choice(_YUCHO_SYMBOLS), "number": number, "holder": holder}
