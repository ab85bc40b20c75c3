"""``necroangle selftest``: the proof that this installed copy measures right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from necroangle.cli.screen import ScreenColumn, bars, say, show_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necroangle.selftest import Check

_COLUMNS = (
    ScreenColumn("what was tried", wraps=True),
    ScreenColumn("readings", is_number=True),
    ScreenColumn("worst or found", is_number=True),
    ScreenColumn("allowed", is_number=True),
    ScreenColumn("verdict"),
)


@click.command("selftest")
def command() -> None:
    """Prove that this installed copy measures right.

    Phantom hips are made on the fly, marked at their truth and by an unsteady hand, and measured.
    The exit code is 0 when every check has passed, else 1. It takes a few seconds and writes
    nothing.
    """
    from necroangle.selftest import run_checks

    with bars() as shown:
        bar = shown.begin("measuring phantoms")
        checks = run_checks(on_check=lambda check: bar.on(words=check.name))
    print_verdict(checks)
    if not all(check.passed for check in checks):
        raise SystemExit(1)


def print_verdict(checks: Sequence[Check]) -> None:
    """Print every check with its limits, and the verdict in one sentence."""
    rows = [
        (check.name, str(check.count), *_numbers(check), "right" if check.passed else "WRONG")
        for check in checks
    ]
    show_table(_COLUMNS, rows, _copy())
    say()
    say(_sentence(checks))


def _numbers(check: Check) -> tuple[str, str]:
    if check.unit:
        return f"{check.found:.6f}{check.unit}", f"up to {check.most:g}{check.unit}"
    if check.least == check.most:
        return f"{check.found:g}", f"{check.most:g}"
    return f"{check.found:.3f}", f"{check.least:g} to {check.most:g}"


def _sentence(checks: Sequence[Check]) -> str:
    failed = sum(not check.passed for check in checks)
    if not failed:
        return f"This copy measures right: all {len(checks)} checks passed."
    return (
        f"This copy does NOT measure right: {failed} of {len(checks)} checks failed. "
        "Do not use its angles; install it again and run this again."
    )


def _copy() -> str:
    """Which copy this is, with what it computes with."""
    import platform

    import numpy
    import scipy

    from necroangle import __version__

    return (
        f"necroangle {__version__}, Python {platform.python_version()}, "
        f"numpy {numpy.__version__}, scipy {scipy.__version__}"
    )
