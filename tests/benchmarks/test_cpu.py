import os
import subprocess
import sys

from infra.benchmarks import cpu

LINE = "42 (post gres: (1) x) S 7 42 42 0 -1 4194304 1 2 3 4 150 50 30 20 20 0 1 0 5 6 7"
WORK = "n = 0\nwhile sum(__import__('os').times()[:2]) < 0.3:\n    n += 1"


def test_a_line_is_read_whatever_the_program_is_called() -> None:
    tick = 1 / os.sysconf("SC_CLK_TCK")
    assert cpu.read_stat(LINE) == cpu.Used(200 * tick, 50 * tick, 7)


def test_the_time_of_a_child_is_its_familys_while_it_lives_and_when_it_has_ended() -> None:
    before, alone = cpu.of_family(os.getpid()), cpu.of_process(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", WORK + "\ninput()"], stdin=subprocess.PIPE)
    while cpu.of_process(child.pid) < 0.25:
        pass
    assert cpu.of_family(os.getpid()) - before >= 0.25
    child.communicate(b"\n")
    used_here = cpu.of_process(os.getpid()) - alone
    assert cpu.of_family(os.getpid()) - before - used_here >= 0.25
