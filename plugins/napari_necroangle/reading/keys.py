"""The table of commands: key, name, words, group, and the finding that a command says."""

from dataclasses import dataclass

from necroangle.terms import Finding, Observation, UnreadReason

__all__ = [
    "FINDING_COMMANDS",
    "GROUPS",
    "KEYS",
    "OBSERVATION_COMMANDS",
    "Shortcut",
    "finding_command",
    "key_label",
    "keys_of",
]

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

    Attributes
    ----------
    key
        As napari writes it.
    name
        The command.
    words
        What it does, for the reader.
    group
        Under which heading it stands.
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
    Shortcut("Home", "reset_view", "show all again as at first", _LOOK),
    Shortcut("J", "jump", "slice at the head's centre", _LOOK),
    Shortcut("Up", "slice_up", "next slice", _LOOK),
    Shortcut("Down", "slice_down", "slice before", _LOOK),
    Shortcut("O", "overlay", "marks on / off", _LOOK),
    Shortcut("B", "ghost", "other visit's marks on / off", _LOOK),
    Shortcut("R", "recall", "slice of the other visit's marks", _LOOK),
    Shortcut("W", "window", "next contrast preset", _LOOK),
    Shortcut("K", "layout", "one canvas / two", _LOOK),
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

_LABELS = {"Control": "Ctrl", "PageDown": "Page↓", "PageUp": "Page↑", "Up": "↑", "Down": "↓"}


def key_label(name: str) -> str:
    """The key of a command as a reader knows it.

    Examples
    --------
    >>> key_label("save_next"), key_label("go_on")
    ('Ctrl+Enter', 'Enter')
    """
    key = next(one.key for one in KEYS if one.name == name)
    return "+".join(_LABELS.get(part, part) for part in key.split("-"))


def keys_of(group: str) -> tuple[tuple[str, str], ...]:
    """The keys of a group and their words, each command once."""
    names = dict.fromkeys(one.name for one in KEYS if one.group == group)
    words = {one.name: one.words for one in KEYS}
    return tuple((key_label(name), words[name]) for name in names)
