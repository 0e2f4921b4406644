"""The `lane` command, as `pip install` gives it: the same one that `cargo install` builds."""

from __future__ import annotations

import signal
import sys

from lane._lane import run_command


def main() -> None:
    """Runs the command with the process's arguments, and ends the process with its exit code."""
    # The command does not run Python code, so nobody would ask whether Ctrl-C was pressed.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(run_command(["lane", *sys.argv[1:]]))
