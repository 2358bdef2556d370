"""The staged town of the access tests, for fuzzers."""

from tests.access.conftest import ground

__all__ = ["ground"]
