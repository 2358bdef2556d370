"""A command of analytics in a process of its own, which goes when the work is done and takes its memory along."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE

END_S = 5.0
"""What we started is to end within this: whoever started us waits no longer than twenty seconds for us."""
_SAID_AT_MOST = 4_000
"""Characters of a failed command's last words that the log keeps: a traceback's end, not a flood."""


class InsightFailed(Exception):
    """`tanabata insight refresh` or `alerts` ended by itself with this exit code, and the end of what it said."""

    def __str__(self) -> str:
        command, code, said = self.args
        return f"`insight {command}` ended with {code}: {said.strip()}"


async def insight_apart(command: str, *, end_s: float = END_S) -> int:
    """Run `tanabata insight` with this command; 1 when it was done. Raises InsightFailed.

    A terminal's Ctrl-C reaches only us, and we end it; what it says of an end that we asked for is nobody's news. One
    that is in the midst of its work may not heed us for long; it is killed after `end_s` and loses nothing by it.
    """
    working = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "infra.cli", "insight", command, "--quiet"),
        stdin=DEVNULL,
        stderr=PIPE,
        start_new_session=True,
    )
    try:
        _, said = await working.communicate()
    finally:
        if working.returncode is None:
            working.terminate()
            try:
                await asyncio.wait_for(working.communicate(), end_s)
            except TimeoutError:
                working.kill()
                await working.communicate()
    if working.returncode:
        raise InsightFailed(command, working.returncode, said.decode(errors="replace")[-_SAID_AT_MOST:])
    return 1
