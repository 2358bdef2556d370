"""Limits as an operator sets them: each variable's text into what the platform counts by. All raise BadSetting."""

import re
from collections.abc import Mapping

from infra.bad_setting import BadSetting
from services.identity.bulk_reading import RECOMMENDED, Limit, LookLimits
from services.payments.store_velocity import USUAL_STORES, Bounds, ReturnBounds, StoreLimits
from services.payments.tap import TAP_ABOVE_YEN, PayingLimits
from services.payments.velocity import USUAL, Most, Velocity
from services.wallets.card import CITY_LIMITS, CardLimits
from services.wallets.care import LARGEST_HOUSEHOLD
from services.wallets.wallet import NEVER_LIMITED_YEN


def new_phone_limit(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,8}", value) or int(value) < NEVER_LIMITED_YEN:
        raise BadSetting("TANABATA_NEW_PHONE_LIMIT", value, f"whole yen, at least {NEVER_LIMITED_YEN}")
    return int(value)


def paying(present: Mapping[str, str]) -> PayingLimits:
    velocity = Velocity(
        _most(present, "TANABATA_VELOCITY_HOUR", USUAL.an_hour), _most(present, "TANABATA_VELOCITY_DAY", USUAL.a_day)
    )
    return PayingLimits(velocity, _tap_above(present.get("TANABATA_TAP_ABOVE", str(TAP_ABOVE_YEN))))


def _tap_above(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,10}", value) or int(value) < NEVER_LIMITED_YEN:
        raise BadSetting("TANABATA_TAP_ABOVE", value, f"whole yen, at least {NEVER_LIMITED_YEN}")
    return int(value)


def requests(present: Mapping[str, str], name: str, usual: int) -> int:
    value = present.get(name, str(usual))
    if not re.fullmatch(r"[0-9]{1,7}", value):
        raise BadSetting(name, value, "a whole number of requests a minute, at most 9999999; 0 counts none")
    return int(value)


def look_limits(value: str | None) -> LookLimits:
    if value is None:
        return RECOMMENDED
    try:
        hour_alarm, hour_stop, day_alarm, day_stop = map(int, value.split("/"))
        return LookLimits(Limit(hour_alarm, hour_stop), Limit(day_alarm, day_stop))
    except ValueError:
        raise BadSetting("TANABATA_LOOK_LIMITS", value, "people: alarm/stop an hour/alarm/stop a day") from None


def _most(present: Mapping[str, str], name: str, usual: Most) -> Most:
    value = present.get(name, f"{usual.payments} {usual.yen}")
    found = re.fullmatch(r"([1-9][0-9]{0,5}) ([1-9][0-9]{0,8})", value)
    if found is None or int(found[2]) < NEVER_LIMITED_YEN:
        raise BadSetting(name, value, f"payments and yen, like {usual.payments} {usual.yen}")
    return Most(int(found[1]), int(found[2]))


def stores(present: Mapping[str, str]) -> StoreLimits:
    times = present.get("TANABATA_STORE_USUAL", str(USUAL_STORES.times))
    if not re.fullmatch(r"[0-9]{1,3}", times) or not 2 <= int(times) <= 100:
        raise BadSetting("TANABATA_STORE_USUAL", times, "how many times a store's own usual, from 2 to 100")
    return StoreLimits(
        _bounds(present, "TANABATA_STORE_HOUR", USUAL_STORES.an_hour),
        _bounds(present, "TANABATA_STORE_DAY", USUAL_STORES.a_day),
        _return_bounds(present, "TANABATA_STORE_RETURNS", USUAL_STORES.returns),
        int(times),
    )


def _bounds(present: Mapping[str, str], name: str, usual: Bounds) -> Bounds:
    floor, ceiling = usual.floor, usual.ceiling
    example = f"{floor.payments} {floor.yen} {ceiling.payments} {ceiling.yen}"
    value = present.get(name, example)
    try:
        lowest, lowest_yen, highest, highest_yen = _numbers(value)
        return Bounds(Most(lowest, lowest_yen), Most(highest, highest_yen))
    except ValueError:
        said = f"payments and yen of the floor, then of the ceiling, like {example}"
        raise BadSetting(name, value, said) from None


def _return_bounds(present: Mapping[str, str], name: str, usual: ReturnBounds) -> ReturnBounds:
    example = f"{usual.least} {usual.floor_percent} {usual.ceiling_percent}"
    value = present.get(name, example)
    try:
        return ReturnBounds(*_numbers(value))
    except (ValueError, TypeError):
        said = f"how many at least, then the percentages of the floor and of the ceiling, like {example}"
        raise BadSetting(name, value, said) from None


def _numbers(value: str) -> list[int]:
    """Whole numbers from 1 on, a space between two. Raises ValueError."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}( [1-9][0-9]{0,8})*", value):
        raise ValueError(value)
    return [int(part) for part in value.split(" ")]


def most_cared_for(value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,2}", value) or not 1 <= int(value) <= LARGEST_HOUSEHOLD:
        raise BadSetting("TANABATA_MOST_CARED_FOR", value, f"a whole number from 1 to {LARGEST_HOUSEHOLD}")
    return int(value)


def card_limits(value: str | None) -> CardLimits:
    if value is None:
        return CITY_LIMITS
    sums = [int(part) for part in value.split(",")] if re.fullmatch(r"[0-9]{1,8}(,[0-9]{1,8}){2}", value) else []
    if sums != sorted(sums) or len(sums) != 3 or sums[1] == 0:
        raise BadSetting(
            "TANABATA_CARD_LIMITS", value, "whole yen without a PIN, at once and a day, none below the one before"
        )
    return CardLimits(*sums)
