"""Libraries that still speak to pandas as they did before its version 3.

They work, and say at every call that pandas 4 will not understand them. Such warnings are about their source, not
ours; every other warning still reaches the caller. Python keeps its filters per process, so these blocks are
for batch work, not for a server's threads.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pandas.errors import Pandas4Warning


@contextmanager
def older_pandas() -> Iterator[None]:
    """Around a call into pyfixest, chainladder or statsmodels: their use of deprecated pandas is not reported."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=Pandas4Warning)
        yield
