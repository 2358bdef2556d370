"""A data folder for an embedded database that a test starts itself."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.database import postmaster


@contextmanager
def data_folder(prefix: str) -> Iterator[Path]:
    """One to be made, below a new folder that the server's user may walk into; a server left in it is ended."""
    made = Path(tempfile.mkdtemp(prefix=prefix))
    made.chmod(0o711)
    yield made / "data"
    left = postmaster.find(made / "data" / "postgres")
    if left is not None:  # the test failed
        os.kill(left.pid, signal.SIGQUIT)
    shutil.rmtree(made)
