"""What measuring commands take from the study: method, noise of marking, readers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from necroangle.measurement import Method, Settings

__all__ = ["methods_asked", "settings_asked", "tell_strangers"]


def methods_asked(names: Sequence[str]) -> tuple[Method | None, ...]:
    """The methods that are named, else the study's, else None: by the kind of image."""
    from necroangle.measurement import method_named
    from necroangle.study import protocol_here

    stated = protocol_here().method
    wanted = names or ([stated] if stated is not None else [])
    return tuple(dict.fromkeys(map(method_named, wanted))) or (None,)


def settings_asked(
    centre: str,
    end_sd_mm: float | None = None,
    repeats_in: Sequence[Path] = (),
) -> Settings:
    """How marks are weighed: as asked, else as the study says.

    Parameters
    ----------
    centre
        ``"circles"`` or ``"sphere"``.
    end_sd_mm
        Noise of marking an arc's end, where it was stated.
    repeats_in
        Where the repeat reads are that it is to be taken from, where that was asked for.
    """
    from necroangle.batch import settings_of_repeats
    from necroangle.measurement import Settings
    from necroangle.study import protocol_here, study_here

    noise, study = protocol_here().noise, study_here()
    if end_sd_mm is None and not repeats_in and noise.from_repeats and study is not None:
        repeats_in = [study.readings]
    if repeats_in:
        return settings_of_repeats(repeats_in, Settings(centre=centre))
    return Settings(noise.end_sd_mm if end_sd_mm is None else end_sd_mm, centre=centre)


def tell_strangers(readers: Iterable[str]) -> None:
    """Say on standard error whose readings do not count in this study."""
    from necroangle.plain_text import harmless
    from necroangle.protocol.reads import strangers
    from necroangle.study import protocol_here

    protocol = protocol_here()
    for name in strangers(set(readers), protocol):
        click.echo(
            f"note: reader {harmless(name)} is none of the study's "
            f"({', '.join(protocol.readers)}); these readings are measured and do not count",
            err=True,
        )
