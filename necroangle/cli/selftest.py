"""``necroangle selftest``: the proof that this installed copy measures right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from necroangle.selftest import Check

__all__ = ["command"]

PIPE_WIDTH = 100
"""Width of the printed table where there is no terminal to ask."""


@click.command("selftest")
def command() -> None:
    """Prove that this installed copy measures right.

    Phantom hips are made on the fly, marked at their truth and by an unsteady hand, and measured.
    The exit code is 0 when every check has passed, else 1. It takes a few seconds and writes
    nothing.
    """
    from rich.console import Console

    from necroangle.selftest import run_checks

    console = Console()
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    with console.status("Measuring phantoms") as status:
        checks = run_checks(on_check=lambda check: status.update(f"Done: {check.name}"))
    print_verdict(checks, console)
    if not all(check.passed for check in checks):
        raise SystemExit(1)


def print_verdict(checks: Sequence[Check], console: Console) -> None:
    """Print every check with its limits, and the verdict in one sentence."""
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(title=_copy(), title_justify="left", box=SIMPLE, pad_edge=False)
    table.add_column("what was tried", no_wrap=True)
    table.add_column("readings", justify="right")
    table.add_column("worst or found", justify="right")
    table.add_column("allowed", justify="right")
    table.add_column("verdict")
    for check in checks:
        verdict = "right" if check.passed else "[bold red]WRONG[/]"
        table.add_row(check.name, str(check.count), *_numbers(check), verdict)
    console.print(table)
    console.print(_sentence(checks), highlight=False)


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
        "Do not use its angles; install it anew and run this again."
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
