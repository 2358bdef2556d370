"""`python -m infra.benchmarks.counting`: long work that only wants a processor, until its input ends.

It touches nothing, and steps back as all long work does. What payments notice of it is the machine's share in what they
notice of real work that keeps one processor busy.
"""

import sys
from threading import Thread

from services.kit.priority import step_back

COUNTING = "bench-counts:"


def main() -> None:
    step_back()
    listening = Thread(target=sys.stdin.read)
    listening.start()
    print(COUNTING, flush=True)
    while listening.is_alive():
        pass


if __name__ == "__main__":
    main()
