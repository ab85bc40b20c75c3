"""The table of commands: key, name, words, group, and the finding that a command says.

A reader's own keys take the place of the table's: see :func:`with_own`. What is heard and what is
shown is the table in use.
"""

import re
from dataclasses import dataclass, replace
from difflib import get_close_matches

from msgspec import Struct

from necroangle.decoding import MalformedError, from_toml
from necroangle.errors import ReadingError
from necroangle.terms import Finding, Observation, UnreadReason

FINDING_COMMANDS: dict[str, Finding | UnreadReason | None] = {
    "necrosis": Finding.NECROSIS,
    "not_done": UnreadReason.NOT_DONE,
    "no_necrosis": Finding.NO_NECROSIS,
    "not_subchondral": Finding.NOT_SUBCHONDRAL,
    "off_midslice": Finding.OFF_MIDSLICE,
    "not_readable": UnreadReason.NOT_READABLE,
    "prosthesis": UnreadReason.PROSTHESIS,
    "undecided": None,
}
OBSERVATION_COMMANDS = {"flattened": Observation.FLATTENED, "track": Observation.POSTOP_TRACK}


def finding_command(choice: Finding | UnreadReason | None) -> str:
    """The command that says a finding.

    Examples
    --------
    >>> finding_command(Finding.NO_NECROSIS), finding_command(None)
    ('no_necrosis', 'undecided')
    """
    return next(name for name, found in FINDING_COMMANDS.items() if found is choice)


@dataclass(frozen=True, slots=True)
class Shortcut:
    """A key.

    ``key``: as napari writes it.
    """

    key: str
    name: str
    words: str
    group: str


_STEPS, _POINTS, _FIND = "Steps", "Next click sets", "Finding of this view"
_LOOK, _HIP = "Look", "Hip"

GROUPS = (_STEPS, _POINTS, _FIND, _LOOK, _HIP)

KEYS = (
    Shortcut("Enter", "go_on", "next open step", _STEPS),
    Shortcut("Shift-Enter", "go_back", "step before", _STEPS),
    Shortcut("V", "other_view", "other view", _STEPS),
    Shortcut("M", "move_to_best", "move the marks to the slice at the centre", _STEPS),
    Shortcut("N", "normal", "no necrosis in both views", _STEPS),
    Shortcut("Shift-N", "normal_next", "the same, save, next hip", _STEPS),
    Shortcut("1", "rim", "rim points", _POINTS),
    Shortcut("2", "start", "one arc end", _POINTS),
    Shortcut("3", "end", "other arc end", _POINTS),
    Shortcut("4", "via", "point between", _POINTS),
    Shortcut("A", "another_arc", "another arc", _POINTS),
    Shortcut("L", "landmark", "next landmark", _POINTS),
    Shortcut("C", "outline", "outline of the lesion", _POINTS),
    Shortcut("U", "scale", "scale of a radiograph by a marker", _POINTS),
    Shortcut("E", "beside", "neighbouring slices on / off", _POINTS),
    Shortcut("Delete", "remove", "take the last touched point away", _POINTS),
    Shortcut("Backspace", "remove", "take the last touched point away", _POINTS),
    Shortcut("5", "no_necrosis", "no necrosis (on a neighbour: free)", _FIND),
    Shortcut("6", "not_subchondral", "not reaching the surface", _FIND),
    Shortcut("7", "off_midslice", "on other slices only", _FIND),
    Shortcut("8", "not_readable", "not readable", _FIND),
    Shortcut("9", "prosthesis", "hip replaced", _FIND),
    Shortcut("0", "undecided", "not decided", _FIND),
    Shortcut("F", "flattened", "head flattened", _FIND),
    Shortcut("T", "track", "core track or graft", _FIND),
    Shortcut("X", "second_look", "second look at the arc ends", _LOOK),
    Shortcut("G", "magnify", "magnifying at arc ends on / off", _LOOK),
    Shortcut("Z", "head", "zoom to the head / all", _LOOK),
    Shortcut("Home", "reset_view", "show the active view again as at first", _LOOK),
    Shortcut("J", "jump", "slice at the head's centre", _LOOK),
    Shortcut("Up", "slice_up", "next slice", _LOOK),
    Shortcut("Down", "slice_down", "slice before", _LOOK),
    Shortcut("O", "overlay", "marks on / off", _LOOK),
    Shortcut("B", "ghost", "other visit's marks on / off", _LOOK),
    Shortcut("R", "recall", "slice of the other visit's marks", _LOOK),
    Shortcut("W", "window", "next contrast preset", _LOOK),
    Shortcut("Shift-W", "window_reset", "contrast as stored", _LOOK),
    Shortcut("Y", "link", "contrast of both views at once / each", _LOOK),
    Shortcut("I", "invert", "low grey values bright / dark", _LOOK),
    Shortcut("P", "cursor", "cross of the mouse in the other view on / off", _LOOK),
    Shortcut("Q", "loupe", "loupe at the mouse on / off", _LOOK),
    Shortcut("D", "second_picture", "next series or visit beside", _LOOK),
    Shortcut("K", "layout", "one canvas / two", _LOOK),
    Shortcut("F11", "full_screen", "full screen on / off", _LOOK),
    Shortcut("H", "help", "all keys", _LOOK),
    Shortcut("F1", "help", "all keys", _LOOK),
    Shortcut("S", "save", "save", _HIP),
    Shortcut("Control-S", "save", "save", _HIP),
    Shortcut("Control-Enter", "save_next", "save (or submit) and open the next hip", _HIP),
    Shortcut("Shift-S", "submit", "submit and lock (reader study)", _HIP),
    Shortcut("PageDown", "next_hip", "next hip", _HIP),
    Shortcut("PageUp", "previous_hip", "hip before", _HIP),
    Shortcut("Control-Z", "undo", "undo", _HIP),
    Shortcut("Control-Shift-Z", "redo", "redo", _HIP),
    Shortcut("Control-Y", "redo", "redo", _HIP),
)

REPEATED = frozenset(("slice_up", "slice_down", "undo", "redo"))
"""What a key that is held does again and again.

All else is done once a press: on a slow machine a key lies longer than its reader means, and the
next hip would be found normal, saved or submitted unseen.
"""

_LABELS = {"Control": "Ctrl", "PageDown": "Page↓", "PageUp": "Page↑", "Up": "↑", "Down": "↓"}
_MODIFIERS = {"Ctrl": "Control", "Control": "Control", "Alt": "Alt", "Shift": "Shift"}
_NAMED = (
    *("Enter", "Delete", "Backspace", "Insert", "Home", "End", "PageUp", "PageDown"),
    *("Up", "Down", "Left", "Right", "Comma", "Period", "Minus", "Equal", "Slash"),
    *(f"F{number}" for number in range(1, 13)),
)
_TAKEN = {"Space": "pans the picture", "Escape": "closes a dialog", "Tab": "goes to the next field"}


_WINDOW = {"Control-O": "opens a folder", "Control-Q": "closes the window"}


class _InUse:
    """The one table that is heard and shown."""

    table: tuple[Shortcut, ...] = KEYS


def keys_in_use() -> tuple[Shortcut, ...]:
    """The table of commands as it is now."""
    return _InUse.table


def use_keys(table: tuple[Shortcut, ...]) -> None:
    """Hear and show this table from now on."""
    _InUse.table = table


class _OwnKeys(Struct, forbid_unknown_fields=True):
    """A file of keys."""

    keys: dict[str, str | list[str]] = {}


def with_own(raw: bytes, *, file: str = "keys.toml") -> tuple[Shortcut, ...]:
    r"""The table with a reader's own keys: a command that is named has these and no other.

    ``raw``: TOML: a table ``[keys]`` of commands, each with one key or a list of keys.

    Raises
    ------
    ReadingError
        If it is no such file, names no command or no key, or gives one key to two commands.

    Examples
    --------
    >>> own = with_own(b'[keys]\nsave = ["F2", "Ctrl+S"]')
    >>> [one.key for one in own if one.name == "save"]
    ['F2', 'Control-S']
    >>> with_own(b'[keys]\nsave = "F"')
    Traceback (most recent call last):
    ...
    necroangle.errors.ReadingError: keys.toml: F is the key of 'flattened' (head flattened) and ...
    """
    try:
        own = from_toml(raw, _OwnKeys).keys
        wanted = {name: _keys(keys, name) for name, keys in own.items()}
        table = tuple(
            replace(first, key=key)
            for name in dict.fromkeys(one.name for one in KEYS)
            for first in [next(one for one in KEYS if one.name == name)]
            for key in wanted.get(name, [one.key for one in KEYS if one.name == name])
        )
        _refuse_conflicts(table, wanted)
    except MalformedError as error:
        raise ReadingError(error.problem, place=error.place, file=file) from error
    except ReadingError as error:
        raise ReadingError(error.problem, file=file) from error
    return table


def keys_as_toml() -> str:
    """The table in use as a file of keys."""
    lines = ["[keys]"]
    for name in dict.fromkeys(one.name for one in keys_in_use()):
        some = [one for one in keys_in_use() if one.name == name]
        keys = ", ".join(f'"{_typed(one.key)}"' for one in some)
        lines.append(f"{name} = [{keys}]".ljust(44) + f"# {some[0].words}")
    return "\n".join(lines) + "\n"


def key_label(name: str) -> str:
    """The key of a command as a reader knows it.

    Examples
    --------
    >>> key_label("save_next"), key_label("go_on")
    ('Ctrl+Enter', 'Enter')
    """
    return _labels(name)[0]


def keys_of(group: str) -> tuple[tuple[str, str], ...]:
    """The keys of a group and their words: each command once, with every key that it has."""
    some = {one.name: one.words for one in keys_in_use() if one.group == group}
    return tuple((" or ".join(_labels(name)), words) for name, words in some.items())


def _labels(name: str) -> list[str]:
    """Every key of a command, the first that of its button."""
    keys = (one.key.split("-") for one in keys_in_use() if one.name == name)
    return ["+".join(_LABELS.get(part, part) for part in parts) for parts in keys]


def _keys(typed: str | list[str], name: str) -> list[str]:
    """The keys of one command as the table writes them."""
    if all(one.name != name for one in KEYS):
        near = get_close_matches(name, [one.name for one in KEYS], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else "; `necroangle read --keys` lists them"
        raise ReadingError(f"there is no command {name!r}{hint}")
    keys = [typed] if isinstance(typed, str) else typed
    if not keys:
        raise ReadingError(f"the command {name!r} needs a key; leave it out to keep its own")
    return list(dict.fromkeys(map(_key, keys)))


def _key(typed: str) -> str:
    """``ctrl+shift+z`` as ``Control-Shift-Z``."""
    *held, last = (part.strip() for part in typed.split("+"))
    modifiers = [_MODIFIERS.get(one.capitalize(), "") for one in held]
    name = next((one for one in (*_NAMED, *_TAKEN) if one.lower() == last.lower()), last.upper())
    if name in _TAKEN:
        raise ReadingError(f"{name} {_TAKEN[name]}, and can be no other command's key")
    if "" in modifiers or not (name in _NAMED or re.fullmatch("[A-Z0-9]", name)):
        raise ReadingError(
            f"{typed!r} is no key: a letter, a digit, F1 to F12, or one of "
            f"{', '.join(_NAMED[:15])}, with Ctrl+, Alt+ or Shift+ before it"
        )
    if "Shift" in modifiers and (name.isdigit() or name in _NAMED[12:15]):
        raise ReadingError(f"{typed!r}: Shift with this key types another sign")
    key = "-".join((*sorted(set(modifiers), key=list(_MODIFIERS.values()).index), name))
    if key in _WINDOW:
        raise ReadingError(f"{_typed(key)} {_WINDOW[key]}, and can be no other command's key")
    return key


def _refuse_conflicts(table: tuple[Shortcut, ...], wanted: dict[str, list[str]]) -> None:
    """One key is one command's."""
    owner: dict[str, Shortcut] = {}
    for one in sorted(table, key=lambda one: one.name in wanted):
        other = owner.setdefault(one.key, one)
        if other is not one:
            raise ReadingError(
                f"{_typed(one.key)} is the key of {other.name!r} ({other.words}) and is given to "
                f"{one.name!r} ({one.words}); give one of them another key in this file"
            )


def _typed(key: str) -> str:
    """A key as it is written in a file of keys."""
    return key.replace("Control", "Ctrl").replace("-", "+")
