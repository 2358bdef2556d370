"""Ids of requests are UUIDs of version 4 and never the same."""

from uuid import RFC_4122, UUID

from infra.http.request_ids import RequestIds


def test_ids_are_random_uuids() -> None:
    ids = RequestIds()
    made = [ids.take() for _ in range(2_000)]
    assert len(set(made)) == 2_000
    for text in made:
        parsed = UUID(text)
        assert (parsed.version, parsed.variant, str(parsed)) == (4, RFC_4122, text)
    assert {text[19] for text in made} == set("89ab")
    for place in set(range(36)) - {8, 13, 14, 18, 19, 23}:
        assert len({text[place] for text in made}) == 16


def test_two_sources_share_nothing() -> None:
    first, second = RequestIds(), RequestIds()
    assert not {first.take() for _ in range(600)} & {second.take() for _ in range(600)}
