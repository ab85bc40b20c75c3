"""The ``necroangle`` command: one module per sub-command, loaded only when it is called."""

import atexit
import gc
import os
from importlib import import_module
from typing import NoReturn

import click

from necroangle import __version__
from necroangle.cli.screen import say, spell_for_consoles
from necroangle.errors import NecroangleError, system_words

__all__ = ["main"]

_SECTIONS = {
    "Images": {
        "series": "List the series of a folder with their geometry.",
        "index": "Index whole trees of DICOM files; a second run reads only what changed.",
        "overlay": "Draw the quality picture of every reading.",
        "audit-geometry": "Check the planes of readings against the DICOM files on disk.",
        "phantom": "Write phantom hips with known truth as DICOM studies.",
        "samples": "Put the sample studies in a folder of your own.",
        "servers": "List the hospital's servers; is one there, and what does it accept?",
        "fetch": "Fetch studies from a server into a folder, by DICOMweb or DICOM.",
        "send": "Send files to a server, with the patient's identity; asks first.",
    },
    "Readings": {
        "read": "Open a study in the reading window.",
        "worklist": "Make the worklist of a reader study and follow its readers.",
        "measure": "Measure reading files and put their rows in a cohort table.",
        "remeasure": "Measure readings again: folders, archives, packs, a cluster.",
        "change": "Compare two visits of a hip: how much, how sure, at which boundary.",
        "calibrate": "How a reader marks: phantom hips to read, and the report.",
        "pack": "Pack reading files into one Parquet file, byte for byte.",
        "unpack": "Give back the reading files of a pack.",
        "schema": "Print the JSON Schema of the reading file.",
    },
    "Other tools": {
        "sr": "Readings as DICOM objects: structured report, presentation states, key objects.",
        "give": "Readings as 3D Slicer markups, or their marks as a table.",
        "fhir": "A reading as a FHIR bundle: report, observations, imaging selections.",
        "trial": "A trial's delivery: CDISC SDTM domains MK, PR, RELREC, and define.xml.",
        "take": "Take in what was drawn in other tools, and reports of ours.",
    },
    "Table of the study": {
        "init": "Make a study folder.",
        "enrol": "Keep the study's list of subjects and hips: who may enter the table.",
        "init-server": "Make a cohort on PostgreSQL, with roles for each kind of user.",
        "import": "Put a clinical table (CSV, XLSX, XLS, ODS) in, or list what is wrong.",
        "edit": "Change one clinical record, cell by cell, with a reason.",
        "queries": "List what a monitor would ask, answer it, accept it with a reason.",
        "withdraw": "Take a reading or a record out, with a reason; its history stays.",
        "undo": "Take back an import of a clinical table.",
        "history": "Print who changed a clinical record, when, what and why.",
        "table": "Print the cohort table.",
        "verify": "Verify the cohort: chain, anchors, rows, every angle, readings and files.",
        "anchor": "Print what the ledger is now, to be kept elsewhere as a proof.",
        "audit": "The audit trail: who did what, when and why, readings included.",
        "lock": "Lock a named state for analysis, or open it again.",
        "backup": "Write the whole study to one file.",
        "restore": "Put a study back from its backup, here or on another machine.",
        "erase": "Erase a patient whose consent was withdrawn.",
        "export": "Export the cohort for SPSS, Stata, SAS, R, Excel, REDCap, with codebook.",
    },
    "Results": {
        "outcome": "The quantities of the study: stages, failure, change, scores, replacements.",
        "baseline": "Table 1, the flow of patients and hips, and the results in sentences.",
        "agree": "How well readers agree: correlation, limits, smallest real change, kappas.",
        "survival": "Time to failure, collapse or replacement: curves, tests, models, prediction.",
        "report": "One file to look at: flow, baseline, figures, agreement, a page for each hip.",
    },
    "This copy": {
        "demo": "Re-measure the sample readings beside their truth, with pictures.",
        "selftest": "Prove that this installed copy measures right.",
    },
}
"""Commands by what they are about, each with its line of help."""

_ROOMS = {
    "Images": "images.",
    "Readings": "readings.",
    "Other tools": "exchange.",
    "Table of the study": "records.",
    "Results": "analyses.",
    "This copy": "",
}
"""The package that holds the modules of a section."""

_MODULES = {
    name: f"necroangle.cli.{_ROOMS[section]}{name.replace('-', '_')}"
    for section, commands in _SECTIONS.items()
    for name in commands
} | {"import": "necroangle.cli.records.import_table"}  # "import" is a word of Python


class _Commands(click.Group):
    """Sub-commands known by name; their modules, and all they need, are imported when called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _MODULES:
            return None
        command = import_module(_MODULES[cmd_name]).command
        assert isinstance(command, click.Command)  # noqa: S101
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        for section, commands in _SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(commands.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="necroangle")
def cli() -> None:
    """Measure the combined necrotic angle of the femoral head."""


def main() -> NoReturn:
    """Run the command; a refusal is one line on standard error and exit code 2.

    What was stopped by Ctrl-C, or by the answer to a question, ends with exit code 130.
    """
    # a start makes many objects, and no garbage: looking for it was a tenth of the time; the most
    # memory held, with 5,000 readings: measure 182 MiB (181 without this line), verify 141 (141)
    gc.set_threshold(200_000, 10, 10)
    atexit.register(gc.freeze)  # nor at the end, where it was a seventh
    # with matrices as small as those of a hip more threads of OpenBLAS only wait for each other:
    # agree, on 160 readings, took 3.2 s of CPU instead of 1.2
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    spell_for_consoles()
    try:
        code = cli.main(prog_name="necroangle", standalone_mode=False)  # None where all went well
    except click.Abort as stop:
        is_key = isinstance(stop.__cause__, KeyboardInterrupt)
        say("stopped; run the same command again to go on" if is_key else "stopped", err=True)
        code = 130
    except click.ClickException as error:
        _say_error(error)
        code = error.exit_code
    except NecroangleError as error:
        say(*f"necroangle: {error}".split("\n"), err=True)
        code = 2
    except OSError as error:  # a disk that is full, a folder that cannot be entered
        place = f"{error.filename}: " if error.filename else ""
        say(f"necroangle: {place}{system_words(error)}", err=True)
        code = 2
    raise SystemExit(code or 0)


def _say_error(error: click.ClickException) -> None:
    """The usage, where the words of the command were wrong, and what was wrong with them."""
    if isinstance(error, click.UsageError) and error.ctx is not None:
        say(*error.ctx.get_usage().split("\n"), err=True)
        say(f"Try '{error.ctx.command_path} --help' for help.", "", err=True)
    say(*f"Error: {error.format_message()}".replace("\t", "  ").split("\n"), err=True)
