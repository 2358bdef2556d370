"""The races' wide pool and their processes, for running their tests without guards."""

from tests.races.conftest import crowd
from tests.races.test_same_deed import processes

__all__ = ["crowd", "processes"]
