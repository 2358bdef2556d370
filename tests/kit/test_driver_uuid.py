"""UUIDs of the driver's kind are the standard library's, however they were made."""

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.kit.driver_uuid import driver_uuid, read_driver_uuid


@given(st.uuids())
def test_an_id_is_the_same_from_its_bytes_and_from_its_text(known: UUID) -> None:
    for made in (driver_uuid(known.bytes), read_driver_uuid(str(known))):
        assert made == known
        assert hash(made) == hash(known)
        assert (str(made), made.bytes) == (str(known), known.bytes)
