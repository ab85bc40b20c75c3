"""The commands that say what was found on a view."""

from necroangle.terms import Finding, Observation, UnreadReason

__all__ = ["FINDING_COMMANDS", "OBSERVATION_COMMANDS", "finding_command"]

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
