"""What is remembered of a reader between starts, beside napari's own settings: the tour's offer."""

import os
import sys
from contextlib import suppress
from pathlib import Path

__all__ = ["config_folder", "note_offer", "was_offered"]

_NOTE = "tour-offered"


def config_folder() -> Path:
    """The reader's folder for settings on this platform, with our own name; it need not be there.

    Examples
    --------
    >>> config_folder().name
    'necroangle'
    """
    if sys.platform == "win32":
        named, otherwise = "APPDATA", Path.home() / "AppData" / "Roaming"
    elif sys.platform == "darwin":
        named, otherwise = "", Path.home() / "Library" / "Application Support"
    else:
        named, otherwise = "XDG_CONFIG_HOME", Path.home() / ".config"
    return Path(os.environ.get(named) or otherwise) / "necroangle"


def was_offered() -> bool:
    """Whether the tour has been offered to this reader before."""
    return (config_folder() / _NOTE).exists()


def note_offer() -> None:
    """Remember that it has been; where nothing can be written, it is offered again."""
    with suppress(OSError):
        config_folder().mkdir(parents=True, exist_ok=True)
        (config_folder() / _NOTE).touch()
