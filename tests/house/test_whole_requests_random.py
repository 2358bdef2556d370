"""Whatever is recognised by its bytes, uvicorn's parser takes as one request, and reads to the same values."""

from dataclasses import replace

import httptools
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.http.head import Form, Head, read_head
from tests.house.fast_door import KEY, PATHS, Request, Twins
from tests.house.test_fast_door_sockets import whole

EXAMPLES, LONG_EXAMPLES = 400, 50_000


class Parsed:
    """What llhttp reads from bytes, by uvicorn's settings."""

    def __init__(self, sent: bytes) -> None:
        self.url, self.content, self.ended = b"", b"", 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._parser = httptools.HttpRequestParser(self)
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._parser.feed_data(sent)

    def on_url(self, url: bytes) -> None:
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert (parser.get_method(), parser.get_http_version()) == (b"POST", "1.1")
        assert parser.should_keep_alive()
        assert not parser.should_upgrade()

    def on_body(self, body: bytes) -> None:
        self.content += body

    def on_message_complete(self) -> None:
        self.ended += 1

    def head(self, form: "Looked") -> Head | None:
        """As the door reads it from a parser's headers."""
        assert b"expect" not in dict(self.headers)
        return read_head(self.url.decode(), self.headers, form.hot)


class Looked(Form):
    """A form that counts what it took."""

    def __init__(self, twins: Twins, api: str) -> None:
        [self.hot] = [hot for hot in twins.door.hot if f"/{api}/" in hot.before]
        super().__init__(self.hot)
        self.took = 0


_BYTES = st.sampled_from(
    [b"\r", b"\n", b"\r\n", b"\r\n\r\n", b" ", b"\t", b":", b": ", b"0", b"1", b'"', b"\x00", b"\xe9"]
)
_NAMES = st.sampled_from([
    *("content-length", "Content-Length", "transfer-encoding", "Connection", "proxy-connection", "expect", "UPGRADE"),
    *("Authorization", "idempotency-key", "content-type", "accept", "x-y", "x", "x_y", "", "x-expect"),
])  # fmt: skip
_VALUES = st.sampled_from([
    *("0", "52", "+5", "05", "", " ", "chunked", "close", "keep-alive", "upgrade", "100-continue", "h2c", "Bearer x"),
    *("application/json", str(KEY), f'"{KEY}"', "a b", "a\tb", " a", "a ", "é", "\x7f", ",", "a: b"),
])  # fmt: skip
_LINE = st.tuples(
    _NAMES,
    st.sampled_from([": ", ": ", ": ", ":", ":\t", " : "]),
    _VALUES,
    st.sampled_from(["\r\n"] * 5 + ["\n", "\r"]),
)


@st.composite
def requests(draw: st.DrawFn, good: Request) -> bytes:
    """A good request with lines more, lines less, lines in another order, and a few of its bytes changed."""
    headers = draw(st.permutations(good.headers))[: draw(st.sampled_from([9, 9, 9, 9, 5]))]
    sent = whole(replace(good, headers=tuple(headers)))
    first = sent.index(b"\r\n") + 2
    for line in draw(st.lists(_LINE, max_size=2)):
        sent = sent[:first] + "".join(line).encode("latin-1") + sent[first:]
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        place = draw(st.integers(0, len(sent)))
        sent = sent[:place] + draw(_BYTES | st.binary(max_size=2)) + sent[place + draw(st.integers(0, 2)) :]
    return sent


def compare_many(api: str, examples: int) -> None:
    twins = Twins()
    good, form = twins.good(api), Looked(twins, api)

    @settings(max_examples=examples, deadline=None, database=None, derandomize=examples == EXAMPLES)
    @given(requests(good))
    def compare(sent: bytes) -> None:
        found = form.read(sent)
        if found is None or len(found[1]) != found[0].body_bytes:
            return
        form.took += 1
        parsed = Parsed(sent)
        assert (parsed.ended, parsed.content) == (1, found[1])
        assert parsed.head(form) == found[0]

    compare()
    assert examples // 20 <= form.took <= examples // 2


@pytest.mark.parametrize("api", PATHS)
def test_whatever_is_recognised_the_parser_reads_alike(api: str) -> None:
    compare_many(api, EXAMPLES)


@pytest.mark.long
@pytest.mark.parametrize("api", PATHS)
def test_of_thousands_of_requests_what_is_recognised_the_parser_reads_alike(api: str) -> None:
    compare_many(api, LONG_EXAMPLES)
