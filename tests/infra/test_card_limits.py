"""The city's sums of printed cards, as a setting."""

import pytest

from infra.bad_setting import BadSetting
from infra.settings import Settings
from services.wallets.card import CITY_LIMITS, CardLimits


def test_the_citys_sums_are_read_and_a_wrong_one_stops_the_start() -> None:
    assert Settings.from_env({}).card_limits == CITY_LIMITS
    assert Settings.from_env({"TANABATA_CARD_LIMITS": "0,500,500"}).card_limits == CardLimits(0, 500, 500)
    for wrong in ("1000", "1,2", "3,2,1", "0,0,0", "1,2,x", "-1,2,3", "1,2,3,4"):
        with pytest.raises(BadSetting):
            Settings.from_env({"TANABATA_CARD_LIMITS": wrong})
