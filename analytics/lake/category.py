"""What a store sells, from its merchant category code (ISO 18245, as schemes publish the codes' meanings)."""

from bisect import bisect_right
from typing import Final

from analytics.frames import UNKNOWN

_RANGES: Final = (
    (742, 742, "medical"),  # veterinary services
    (4111, 4131, "services"),  # local transport, taxis, buses
    (4812, 4900, "services"),  # telephones, utilities
    (5200, 5261, "household"),  # home supply, hardware, gardens
    (5300, 5311, "household"),  # wholesale clubs, department stores
    (5331, 5399, "household"),  # variety stores, general merchandise
    (5411, 5411, "supermarket"),  # grocery stores, supermarkets
    (5422, 5462, "food"),  # butchers, confectioners, dairies, bakeries
    (5499, 5499, "convenience"),  # convenience stores and markets
    (5511, 5599, "services"),  # vehicles, fuel, their parts
    (5611, 5699, "clothing"),  # clothing and shoes
    (5712, 5735, "household"),  # furniture, appliances, electronics
    (5811, 5814, "restaurant"),  # caterers, restaurants, bars, fast food
    (5912, 5912, "drugstore"),  # drug stores and pharmacies
    (5921, 5921, "food"),  # packaged beer, wine and liquor
    (5931, 5937, "household"),  # second-hand goods, antiques
    (5940, 5949, "leisure"),  # sport, books, toys, gifts, sewing
    (5950, 5970, "household"),  # glassware, direct marketing, artists' supplies
    (5971, 5971, "leisure"),  # art dealers
    (5975, 5976, "medical"),  # hearing aids, orthopaedic goods
    (5977, 5977, "drugstore"),  # cosmetics
    (5983, 5983, "services"),  # fuel dealers
    (5992, 5995, "household"),  # florists, newsstands, pet shops
    (7011, 7033, "leisure"),  # lodging, camps
    (7210, 7299, "services"),  # laundry, photographers, barbers, funerals
    (7311, 7699, "services"),  # business services, repair
    (7800, 7999, "leisure"),  # amusement, sport, culture
    (8011, 8099, "medical"),  # doctors, dentists, opticians, hospitals
    (8111, 8999, "services"),  # law, schools, associations, professions
)
_STARTS: Final = [first for first, _, _ in _RANGES]


def category_of(mcc: str) -> str:
    """The lake's category of a code of four digits; `other` for a code that no range holds, `unknown` for no code."""
    if not (mcc.isascii() and mcc.isdigit() and len(mcc) == 4):
        return UNKNOWN
    code = int(mcc)
    place = bisect_right(_STARTS, code) - 1
    if place < 0 or code > _RANGES[place][1]:
        return "other"
    return _RANGES[place][2]
