"""The ``necroangle`` command: one module per sub-command, loaded only when it is called."""

from importlib import import_module
from typing import NoReturn

import click

from necroangle import __version__
from necroangle.cli.screen import spell_for_consoles
from necroangle.errors import NecroangleError

__all__ = ["main"]

_COMMANDS = {
    "agree": "How well readers agree: correlation, limits, smallest real change, kappas.",
    "audit-geometry": "Check the planes of readings against the DICOM files on disk.",
    "calibrate": "How a reader marks: phantom hips to read, and the report.",
    "baseline": "Table 1, the flow of patients and hips, and the results in sentences.",
    "change": "Compare two visits of a hip: how much, how sure, at which boundary.",
    "demo": "Re-measure the sample readings beside their truth, with pictures.",
    "edit": "Change one clinical record, cell by cell, with a reason.",
    "export": "Export the cohort for SPSS, Stata, SAS, R, Excel, REDCap, with codebook.",
    "history": "Print who changed a clinical record, when, what and why.",
    "import": "Put a clinical table (CSV, XLSX, XLS, ODS) in the cohort, or list what is wrong.",
    "index": "Index whole trees of DICOM files; a second run reads only what changed.",
    "init": "Make a study folder.",
    "measure": "Measure reading files and put their rows in a cohort table.",
    "outcome": "The quantities of the study: stages, failure, change, scores, replacements.",
    "overlay": "Draw the quality picture of every reading.",
    "pack": "Pack reading files into one Parquet file, byte for byte.",
    "phantom": "Write phantom hips with known truth as DICOM studies.",
    "read": "Open a study in the reading window.",
    "remeasure": "Measure readings again: folders, archives, packs, a cluster.",
    "samples": "Put the sample studies in a folder of your own.",
    "report": "One file to look at: flow, baseline, figures, agreement, a page for each hip.",
    "schema": "Print the JSON Schema of the reading file.",
    "selftest": "Prove that this installed copy measures right.",
    "series": "List the series of a folder with their geometry.",
    "survival": "Time to failure, collapse or replacement: curves, tests, models, foretelling.",
    "table": "Print the cohort table.",
    "unpack": "Give back the reading files of a pack.",
    "verify": "Verify the cohort: chain, rows, every angle, readings and files.",
    "worklist": "Make the worklist of a reader study and follow its readers.",
}


def _module(command: str) -> str:
    """The module of a command: its name, as Python can say it."""
    return "import_table" if command == "import" else command.replace("-", "_")


class _Commands(click.Group):
    """Sub-commands known by name; their modules, and all they need, are imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _COMMANDS:
            return None
        command = import_module(f"necroangle.cli.{_module(cmd_name)}").command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="necroangle")
def cli() -> None:
    """Measure the combined necrotic angle of the femoral head."""


def main() -> NoReturn:
    """Run the command; a refusal is one line on standard error and exit code 2."""
    spell_for_consoles()
    try:
        cli.main(prog_name="necroangle", standalone_mode=True)
    except NecroangleError as error:
        click.echo(f"necroangle: {error}", err=True)
        raise SystemExit(2) from error
    raise SystemExit(0)
