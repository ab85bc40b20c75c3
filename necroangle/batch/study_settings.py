"""How a study measures: its method and its noise, for every command and the reading window."""

from dataclasses import replace

from necroangle.batch.stream import settings_of_repeats
from necroangle.errors import MethodError
from necroangle.measurement import DEFAULTS, Method, Settings, method_named
from necroangle.study import Study

__all__ = ["method_of_study", "settings_of_study"]


def method_of_study(study: Study | None) -> Method | None:
    """The method that a study states; None: by the kind of image.

    Examples
    --------
    >>> method_of_study(None) is None
    True
    """
    stated = study.protocol.method if study is not None else None
    return None if stated is None else method_named(stated)


def settings_of_study(study: Study | None) -> Settings:
    """How marks are weighed in a study: as its ``[noise]`` says.

    What it says of a reader goes before that reader's repeat reads, which do not show a habit.
    Where it asks for repeat reads and there are too few yet, what it declares stands in.

    Examples
    --------
    >>> settings_of_study(None) == DEFAULTS
    True
    """
    if study is None:
        return DEFAULTS
    noise = study.protocol.noise
    stated = {one.reader: one.of_ends for one in noise.readers}
    settings = Settings(noise.of_ends, tuple(sorted(stated.items())))
    if not noise.from_repeats:
        return settings
    try:
        found = settings_of_repeats([study.readings], settings, noise.repeats_needed)
    except MethodError:
        return settings
    return replace(found, of_readers=tuple(sorted({**dict(found.of_readers), **stated}.items())))
