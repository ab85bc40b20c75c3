"""What commands are given: reading files, images, a cohort, a folder or a file to write."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.screen import say
from necroangle.errors import system_words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from necroangle.batch import Refusal
    from necroangle.dicom.pseudonym import SubjectNames

    Decorator = Callable[[Callable[..., None]], Callable[..., None]]

NO_READINGS = "no reading files (*.reading.json) in what was given"

readings_argument = click.argument(
    "readings", nargs=-1, required=True, type=click.Path(path_type=Path)
)

cohort_option = click.option(
    "--cohort", metavar="FILE", help="The cohort table.  [default: the study's]"
)

method_option = click.option(
    "--method", metavar="NAME", help="Measuring method, where the cohort has several."
)

new_subjects_option = click.option(
    "--new-subjects",
    is_flag=True,
    help="Take hips that are not in the study's list, and put them in it; needs --as.",
)

output_option = click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the data to FILE, as UTF-8, in place of the screen.",
)
"""A shell may write what it is given in another encoding."""


def together(*options: Decorator) -> Decorator:
    """Several options as one decorator, in their order."""

    def with_options(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def images_option(
    help_text: str = "Folder with the DICOM files; give it again for several.",
    *,
    required: bool = False,
) -> Decorator:
    """The folders of images, any number of them."""
    return click.option(
        "--images",
        multiple=True,
        required=required,
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help=help_text,
    )


def out_option(help_text: str, default: str | None = None) -> Decorator:
    """The folder that files are written to; it must be named where there is no default."""
    return click.option(
        "-o",
        "--out",
        required=default is None,
        default=None if default is None else Path(default),
        show_default=True,
        type=click.Path(file_okay=False, path_type=Path),
        help=help_text,
    )


def reading_files(readings: Sequence[Path]) -> tuple[list[Path], list[Refusal]]:
    """The reading files among what was given, and the folders that stay shut.

    Raises
    ------
    click.UsageError
        If there is none.
    """
    from necroangle.batch import find_readings

    files, shut = find_readings(readings)
    if not files:
        raise click.UsageError(NO_READINGS)
    return files, shut


def refusals_told(refused: Sequence[object]) -> str:
    """Say on standard error what was refused; gives the end of the last line that counts it."""
    for line in refused:
        say(str(line), err=True)
    return f"; {len(refused)} refused" if refused else ""


# ---- what is written ---------------------------------------------------------------------------


@contextmanager
def told_if_not_written(place: Path | str) -> Iterator[None]:
    """End the command with a line where a file, or a folder's files, cannot be written.

    Raises
    ------
    click.ClickException
        If the system refuses.
    """
    try:
        yield
    except OSError as error:
        words = system_words(error)
        raise click.ClickException(f"{place}: cannot be written: {words}") from error


def data_only(output: Path | None, is_data: bool, options: str) -> None:
    """Refuse a file for words that are for the screen.

    Raises
    ------
    click.UsageError
        If a file was named, and no data are written.
    """
    if output is not None and not is_data:
        raise click.UsageError(f"-o goes with {options}")


def write_data(data: str | bytes, output: Path | None) -> None:
    """Write data as UTF-8 with plain line ends, whatever the system's habit; or print it.

    A file that is there is replaced whole, where a link leads to it, too. A device or a pipe is
    written to, and stays what it is.

    Raises
    ------
    click.ClickException
        If the file cannot be written.
    """
    raw = data.encode() if isinstance(data, str) else data
    if output is None:
        click.echo(raw, nl=False)
        return
    from necroangle.storage import write_atomically

    with told_if_not_written(output):
        if output.exists() and not output.is_file():
            output.write_bytes(raw)
        else:
            write_atomically(output.resolve(), raw)


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
names_options = together(
    click.option(
        "--subjects", type=_FILE, help="CSV of the study: patient_id,pseudonym. Names the subjects."
    ),
    click.option(
        "--secret",
        type=_FILE,
        help="The study's secret: names the subjects by a keyed hash, and keys codes in JSON.",
    ),
)
"""The options that say how subjects are named."""


def subject_names(subjects: Path | None, secret: Path | None) -> SubjectNames | None:
    """The study's names, from the options.

    Raises
    ------
    click.UsageError
        If both are given.
    DicomError
        If the file cannot be used.
    """
    if subjects is None and secret is None:
        return None
    from necroangle.dicom.pseudonym import SubjectNames

    if subjects is not None and secret is not None:
        raise click.UsageError("--subjects or --secret: subjects have one name each")
    if subjects is not None:
        return SubjectNames.from_mapping(subjects)
    assert secret is not None  # noqa: S101
    return SubjectNames.from_secret_file(secret)
