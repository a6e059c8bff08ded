"""The thread that cuts off reads: one for all, and in nobody's way."""

from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from ferroscope._engine.watchdog import Watchdog


def test_an_action_that_fails_stops_no_other() -> None:
    watchdog = Watchdog()
    done = threading.Event()

    def fail() -> None:
        raise ValueError("closed in the meantime")

    watchdog.arm(0.01, fail)
    watchdog.arm(0.02, done.set)
    assert done.wait(2)


def test_what_is_disarmed_in_time_is_not_run() -> None:
    watchdog = Watchdog()
    done, later = threading.Event(), threading.Event()
    token = watchdog.arm(0.05, done.set)
    watchdog.arm(0.1, later.set)
    assert watchdog.disarm(token)
    assert not watchdog.disarm(token)
    assert later.wait(2)
    assert not done.is_set()


def test_a_disarm_that_comes_too_late_finds_all_of_it_done() -> None:
    watchdog = Watchdog()
    begun, finished = threading.Event(), threading.Event()

    def act() -> None:
        begun.set()
        threading.Event().wait(0.05)
        finished.set()

    token = watchdog.arm(0.001, act)
    assert begun.wait(2)
    assert not watchdog.disarm(token)
    assert finished.is_set()


@pytest.mark.parametrize("seconds", [0.001, 60])
def test_it_keeps_no_process_alive(seconds: float) -> None:
    program = f"from ferroscope._engine.watchdog import watchdog; watchdog.arm({seconds}, lambda: None); print('bye')"
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "bye\n", "")
