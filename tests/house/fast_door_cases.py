"""Requests to the two hot operations, good and bad: one thing wrong at a time, and then two."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import combinations
from typing import Any
from uuid import UUID

from services.identity.people import Role
from services.identity.tokens import Audience
from tests.house.fast_door import CODES, KEY, PATHS, PLACE, STORE_CODE, TEXTS, TILL_CODE, Request, Twins
from tests.http_town import URL

Change = Callable[[Request], Request]

TYPES: list[tuple[bytes, ...]] = [
    (), (b"",), (b" ",), (b"text/html",), (b"application/json; charset=utf-8",), (b"application/json;charset=UTF-8",),
    (b"application/json; charset=shift_jis",), (b"APPLICATION/JSON",), (b"Application/Json ; x=y",),
    (b"application/json;",), (b" application/json ",), (b"application/json, text/html",), (b"application/ld+json",),
    (b"text/json",), (b"application/json\xff",), (b"application",), (b"application/json", b"text/html"),
    (b"text/html", b"application/json"), (b"application/json", b"application/json"), (b"multipart/form-data",),
    (b"application/x-www-form-urlencoded",), (b";application/json",), (b"application/json\t",),
]  # fmt: skip
KEYS: list[tuple[bytes, ...]] = [
    (), (b"",), (b"1",), (b" ",), (str(KEY).encode(),), (f'"{KEY}"'.encode(),), (str(KEY).upper().encode(),),
    (f'"{KEY}'.encode(),), (f'{KEY}"'.encode(),), (f"'{KEY}'".encode(),), (f"{{{KEY}}}".encode(),),
    (KEY.hex.encode(),), (f"urn:uuid:{KEY}".encode(),), (f" {KEY} ".encode(),), (f"\t\"{KEY}\"".encode(),),
    (f"\xa0{KEY}\x85".encode("latin-1"),), (f"{KEY};a=1".encode(),), (f"{KEY}, {KEY}".encode(),),
    (str(KEY).encode(), str(KEY).encode()), (str(KEY).encode(), str(UUID(int=9)).encode()), (b"\xff" * 36,),
    (str(UUID(int=0)).encode(),), (("１" + str(KEY)[1:]).encode(),), (str(KEY).replace("-", "_").encode(),),
    (f'""{KEY}""'.encode(),), (b'""',),
]  # fmt: skip
LENGTHS: list[tuple[bytes, ...]] = [
    (), (b"",), (b"0",), (b"1",), (b"4096",), (b"4097",), (b"65536",), (b"65537",), (b"9" * 30,), (b"-1",), (b"+50",),
    (b" 50",), (b"5e1",), (b"0x32",), ("５０".encode(),), (b"50", b"50"), (b"\xb2",), (b"00000000000050",), (b"nan",),
]  # fmt: skip
AMOUNTS = [
    "1", "500", "9999999999", "0", "-0", "-1", "10000000000", "12345678901234567890", "9" * 400, "9" * 5_000, "1.0",
    "0.5", "1e3", "1E2", "5e-1", "1E400", "true", "false", "null", '"500"', '"５００"', '""', "[500]", "{}", "[]",
    "NaN",
    "Infinity", "-Infinity", "01", "+1", "0x10", "1_000", "５", ".5", "5.", "-", "", " 500 ", "\t500\r\n", "500\x0b",
    "500,", '500, "amount_yen": 500', '500, "amount_yen": 1', '500, "x": 1', '500, "": 1', '500, "\\u0061mount_yen": 1',
    '500, "AMOUNT_YEN": 500', "500}", "500} {}", "500}\x00", "500 /* yen */", "500, \"a\": {\"b\": []}",
]  # fmt: skip
STRINGS = [
    STORE_CODE, TILL_CODE, STORE_CODE.lower(), f" {STORE_CODE}", f"{STORE_CODE}\\r\\n", f"{STORE_CODE} ",
    f"{URL}/S/{STORE_CODE}", f"{URL}/T/{TILL_CODE}".lower(), f"{URL.upper()}/S/{STORE_CODE}",
    f"{STORE_CODE[0]}-{STORE_CODE[1:5]}-{STORE_CODE[5:]}", STORE_CODE[:-1] + ("0" if STORE_CODE[-1] != "0" else "1"),
    "P" + STORE_CODE[1:], "", " ", "   ", "x", "a.b", "a.b.c", "eyJ.eyJ.x", "https://qr.paypay.ne.jp/abc",
    "wxp://f2f", "https://example.jp/S/1", "000201", "000201" + "x" * 50, "00020101021126", "\\u0000", "\\u0007",
    "\\u001b[31m", "\\ud800", "\\udc00\\ud800", "\\ud83d\\ude00", "\\u202e", "\\u2066", "\u202e", "\u2066", "\x7f",
    "\u0085", "\u009f", "\u200b", "\ufeff", "a\nb", "a\tb", "a\x00b", "tab\\tend", "quote\\\"", "slash\\/",
    "back\\\\slash", "\\q", "\\u12", "星見", "Ｓ" + STORE_CODE[1:], "x" * 1_024, "x" * 1_025, "名" * 1_024,
    "名" * 1_025, "x" * 3_900, "x" * 4_200, "x" * 70_000, "{number}", "'; DROP TABLE deed; --", "%00",
    "eyJ" + "A" * 600, *(f"{URL}/S/{STORE_CODE}".ljust(size) for size in (1_024, 1_025, 4_000)),
]  # fmt: skip
WHOLE: list[bytes] = [
    b"", b" ", b"{", b"}", b"{}", b"[]", b"null", b"true", b"1", b'"text"', b"[{}]", b"{]", b"\xff\xfe",
    b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"{'amount_yen': 1}", b'{"amount_yen": 500}', b'{"amount_yen": 500,}',
    b"[" * 2_000, b"[" * 30_000, b'{"a":' * 20 + b"1" + b"}" * 20, b"\x00", b"\x1e{}", b'{"a":1,"a":2}',
    b"{" + b" " * 70_000, b"x" * 65_536, b"x" * 65_537,
]  # fmt: skip
PLACES = [
    str(PLACE).upper(), PLACE.hex, PLACE.hex.upper(), f"{{{PLACE}}}", f"%7B{PLACE}%7D", f"urn:uuid:{PLACE}",
    f"URN:UUID:{PLACE}", f"{PLACE}%20", f"%20{PLACE}", f"{PLACE}%0A", f"{PLACE}%00", f"{PLACE}%E2%80%AE",
    f"%30{str(PLACE)[1:]}", f"{PLACE}a", str(PLACE)[:-1], "", "x", "me", "%2F", f"{PLACE}%2Fpayments",
    f"../{PLACE}", str(PLACE).replace("-", "_"), "１" + str(PLACE)[1:], str(UUID(int=0)), str(UUID(int=2**128 - 1)),
    f"{PLACE.hex[:16]}-{PLACE.hex[16:]}", f"{PLACE}/", f"/{PLACE}", "%FF" * 12, f"{str(PLACE)[:8]}{str(PLACE)[9:]}-",
]  # fmt: skip
ENDINGS = [
    ("/payments", "/payments/"), ("/payments", "/payments%0A"), ("/payments", "/Payments"), ("/payments", "//payments"),
    ("/payments", "/%70ayments"), ("/payments", "/payments;a=1"), ("/payments", "/payments%3Fa=1"), ("/payments", ""),
    ("/payments", f"/payments/{KEY}"), ("/v1/", "/v2/"), ("/v1/", "/v1//"), ("/api/", "/API/"), ("/api/", "//api/"),
    ("/payments", "/payments%09"), ("/payments", "/payments%C2%85"),
]  # fmt: skip
QUERIES = [
    b"a=1", b"amount_yen=1", b"=", b"&", b"a", b"wallet_id=1", b"%00=1", b"a=%00", b"a=%ff", b"a=1&a=2", b"%E2%80%AE=1",
    b"?", b"a=%C3%A9",
]  # fmt: skip
METHODS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "POST ", "CONNECT"]
OTHERS: list[tuple[bytes, bytes]] = [
    (b"accept", b"text/html"), (b"accept-language", b"ja"), (b"content-encoding", b"gzip"), (b"transfer-encoding",
    b"chunked"), (b"expect", b"100-continue"), (b"x-request-id", b"mine"), (b"x-forwarded-for", b"1.2.3.4"),
    (b"origin", b"https://evil.example"), (b"x-forwarded-proto", b"https"), (b"cookie", b"a=1"), (b"Authorization",
    b"Bearer x"), (b"Idempotency-Key", b"x"), (b"Content-Type", b"text/html"), (b"x-http-method-override",
    b"DELETE"), (b"user-agent", b"again"), (b"range", b"bytes=0-1"), (b"if-none-match", b"*"), (b"te", b"trailers"),
    (b"host", b"evil.example"), (b"x", b"y" * 9_000),
]  # fmt: skip


def bearers(twins: Twins, api: str) -> list[tuple[bytes, ...]]:
    """Values of `authorization`."""
    own, other, role = (
        (Audience.WALLET, Audience.MERCHANT, Role.RESIDENT)
        if api == "wallet"
        else (Audience.MERCHANT, Audience.WALLET, Role.MERCHANT)
    )
    good = twins.token(own, role)
    forged = good[:-4] + (b"AAAA" if good[-4:] != b"AAAA" else b"BBBB")
    header, payload, signature = good.split(b".")
    return [
        (), (b"",), (b"Bearer",), (b"Bearer ",), (b"Bearer  ",), (b"bearer " + good,), (b"BEARER " + good,),
        (b"Bearer  " + good,), (b"Bearer " + good + b" ",), (b"Bearer\t" + good,), (b" Bearer " + good,),
        (b"Basic YTpi",), (b"Token " + good,), (good,), (b"Bearer x",), (b"Bearer a.b.c",),
        (b"Bearer " + b"e" * 5_000,), (b"Bearer \xe9",), (b"Bearer " + good[:-1] + b"\xe9",),
        (b"Bearer " + good, b"Bearer " + good), (b"Bearer " + good, b"Basic YTpi"), (b"Bearer " + good + b"==",),
        (b"Bearer " + good + b"=",), (b"Bearer " + good + b"\xa0",), (b"Bearer " + forged,),
        (b"Bearer " + b".".join([header, signature, payload]),), (b"Bearer " + good + b"." + signature,),
        (b"Bearer " + good.upper(),), (b"Bearer " + good + b", Bearer " + good,), (b"Bearer " + good,),
        (b"Bearer " + twins.token(other, role),), (b"Bearer " + twins.token(Audience.CITY, Role.OFFICER),),
        (b"Bearer " + twins.token(own),), (b"Bearer " + twins.token(own, Role.OFFICER),),
        (b"Bearer " + twins.token(own, role, Role.OFFICER),),
    ]  # fmt: skip


def with_header(name: bytes, *values: bytes) -> Change:
    return lambda good: good.with_header(name, *values)


def with_body(*chunks: bytes) -> Change:
    return lambda good: good.with_body(*chunks)


def with_chunks(*chunks: bytes) -> Change:
    """Another body, its length stated as before."""
    return changed(chunks=chunks)


def changed(**fields: Any) -> Change:
    return lambda good: replace(good, **fields)


def both(first: Change, second: Change) -> Change:
    return lambda good: second(first(good))


def body_changes(api: str) -> Iterator[Change]:
    text, code = TEXTS[api], CODES[api]
    bodies = [f'{{"{text}": "{code}", "amount_yen": {amount}}}' for amount in AMOUNTS]
    bodies += [f'{{"{text}": "{string}", "amount_yen": 500}}' for string in STRINGS]
    bodies += [f'{{"{text}": {value}, "amount_yen": 500}}' for value in ("null", "1", "true", "[]", "{}", '["x"]')]
    bodies += [
        f'{{"amount_yen":500,"{text}":"{code}"}}',
        f'{{"{text}": "{code}"}}',
        f'{{"{text}": "{TILL_CODE}"}}',
        f'{{"{text}": "{TILL_CODE}", "amount_yen": null}}',
        f'{{"{text}": "{TILL_CODE}", "{text}": "x"}}',
        f'{{"{text}": "{code}", "{text}": "{code}", "amount_yen": 500}}',
        f'\ufeff{{"{text}": "{code}", "amount_yen": 500}}',
        f'{{"{text}" : "{code}" ,\n"amount_yen" :500}}\n',
        f'{{"{text}": "{code}", "amount_yen": 500}}' + " " * 3_000,
        f'{{"{text}": "{code}", "amount_yen": 500}}' + " " * 5_000,
        f'["{code}", 500]',
    ]
    contents = [*(body.encode("utf-8", "surrogatepass") for body in bodies), *WHOLE]
    good = f'{{"{text}": "{code}", "amount_yen": 500}}'
    contents += [good.encode(coding) for coding in ("utf-16", "utf-16-le", "utf-32", "utf-8-sig")]
    contents += [good.encode() * 2, good.encode().replace(b"500", b"\xff00")]
    contents += [good.encode().replace(code.encode(), wrong) for wrong in (b"\xc0\xaf", b"\xed\xa0\x80", b"\xe6\x98")]
    yield from map(with_body, contents)


def sendings(content: bytes) -> Iterator[Change]:
    """The same body in other pieces, more or less of it than was stated, and clients that go away."""
    middle = len(content) // 2
    split = (content[:middle], content[middle:])
    every = tuple(content[at : at + 1] for at in range(len(content)))
    pieces = [split, every, (content, b""), (b"", content), (b"", *every, b""), (content, content)]
    for chunks in [*pieces, (content, b"x" * 5_000), (content, *[b"x" * 1_000] * 80)]:
        yield with_body(*chunks)
        yield with_chunks(*chunks)
        yield both(with_chunks(*chunks), with_header(b"content-length"))


def targets(api: str) -> Iterator[Change]:
    good = PATHS[api].format(PLACE)
    wrong = [*(PATHS[api].format(place) for place in PLACES), *(good.replace(*ending) for ending in ENDINGS)]
    yield from (changed(target=target) for target in wrong)
    yield from (changed(root_path=root_path) for root_path in ("/", "/api", "/api/", f"/api/{api}/v1", "/below"))
    yield changed(root_path="/below", target=f"/below{good}")
    yield from (changed(query=query) for query in QUERIES)
    yield from (changed(method=method) for method in METHODS)


def one_thing_wrong(twins: Twins, api: str) -> Iterator[Change]:
    """Every change of a good request, and of nothing else; some leave it good."""
    lists = {
        b"authorization": bearers(twins, api),
        b"content-type": TYPES,
        b"idempotency-key": KEYS,
        b"content-length": LENGTHS,
    }
    for name, choices in lists.items():
        yield from (with_header(name, *values) for values in choices)
    good = twins.good(api)
    yield from (changed(headers=(*good.headers, header)) for header in OTHERS)
    yield from body_changes(api)
    yield from sendings(good.chunks[0])
    yield from targets(api)


def two_things_wrong(twins: Twins, api: str) -> Iterator[Change]:
    """Pairs of faults of different kinds: the answer tells which of them is looked at first."""
    other = Audience.MERCHANT if api == "wallet" else Audience.WALLET
    text = TEXTS[api]
    bodies = [
        "{",
        '{"x": 1}',
        f'{{"{text}": "x", "amount_yen": 0}}',
        f'{{"{text}": "a.b.c", "amount_yen": 1}}',
        f'{{"{text}": "a\\u202eb", "amount_yen": 1}}',
    ]
    faults = [
        with_header(b"authorization"),
        with_header(b"authorization", b"Bearer " + twins.token(other, Role.RESIDENT, Role.MERCHANT)),
        with_header(b"content-type", b"text/html"),
        with_header(b"idempotency-key"),
        with_header(b"idempotency-key", b"x"),
        with_header(b"content-length", b"70000"),
        changed(query=b"a=1"),
        changed(target=PATHS[api].format("x")),
        changed(target=PATHS[api].format(f"{PLACE}%09")),
        *(with_chunks(body.encode()) for body in bodies),
    ]
    return (both(first, second) for first, second in combinations(faults, 2))
