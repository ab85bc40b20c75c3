"""``necroangle take``: what was drawn in other tools becomes draft readings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from necroangle.cli.given import (
    images_option,
    names_options,
    out_option,
    refusals_told,
    subject_names,
)
from necroangle.cli.screen import ScreenColumn, bars, say, show_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from necroangle.annotation import HipReading
    from necroangle.dicom.pseudonym import SubjectNames
    from necroangle.interop.drafts import Whose
    from necroangle.interop.drawings import Taken

_COLUMNS = (
    ScreenColumn("file", wraps=True),
    ScreenColumn("what", wraps=True),
    ScreenColumn("value", is_number=True),
    ScreenColumn("unit"),
    ScreenColumn("by its points", is_number=True),
    ScreenColumn("taken as", wraps=True),
)


@click.command("take")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@images_option("Folder with the DICOM files that were drawn on; give it again for several.")
@click.option(
    "--image",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The DICOM file that was drawn on, for files that do not name it.",
)
@out_option("Where the readings go.", "taken")
@click.option("--subject", metavar="NAME", help="The pseudonym, where the images do not say it.")
@click.option("--visit", metavar="NAME", help="The visit, where the images do not say it.")
@click.option("--side", type=click.Choice(["L", "R"]), help="The side, where it is not known.")
@click.option("--reader", metavar="NAME", help="The reader, by default the name of the tool.")
@names_options
@click.pass_context
def command(
    context: click.Context,
    files: tuple[Path, ...],
    images: tuple[Path, ...],
    image: Path | None,
    out: Path,
    subject: str | None,
    visit: str | None,
    side: str | None,
    reader: str | None,
    subjects: Path | None,
    secret: Path | None,
) -> None:
    """Take in FILES of other tools: structured reports, or folders of them.

    A report of ours comes back as the reading it was. Angles that others drew become draft
    readings: their values are calculated again from their points, and where the number that was
    written with them is another by more than 0.5 degrees, it is said. A circle that was drawn round
    the head is the head circle. No reading in the folder is overwritten.
    Exit code: 0 if all were taken in, 1 if some were not, 2 if there was nothing to take.
    """
    from necroangle.errors import NecroangleError
    from necroangle.interop.drafts import Whose
    from necroangle.interop.taking import readings_of
    from necroangle.plain_text import counted
    from necroangle.terms import Laterality

    taken, refused = _taken(files, image)
    if not taken and not refused:
        raise click.UsageError("nothing that can be taken in")
    _show(taken)
    whose = Whose(subject, visit, None if side is None else Laterality(side), reader)
    readings: list[tuple[HipReading, tuple[str, ...]]] = [(one, ()) for one in readings_of(taken)]
    notes = [f"{found.file}: {note}" for found in taken for note in found.notes]
    try:
        drafts, more = _drafts(taken, images, whose, subject_names(subjects, secret))
    except NecroangleError as error:
        raise click.ClickException(str(error)) from error
    written = 0
    for reading, doubts in [*readings, *drafts]:
        problem = _save(reading, out)
        written += not problem
        notes += [f"{reading.key}: {one}" for one in doubts]
        refused += [problem] if problem else []
    refusals_told([*notes, *more])
    told = refusals_told(refused)
    counts = f"{len(readings)} as they were, {counted(len(drafts), 'draft')}"
    say(f"{counted(written, 'reading')} in {out}: {counts}{told}")
    context.exit(1 if refused or more or not written else 0)


def _taken(files: Sequence[Path], image: Path | None) -> tuple[list[Taken], list[str]]:
    """What the files hold; of a folder, what is nothing to take is left out in silence."""
    from dataclasses import replace

    from necroangle.errors import NecroangleError
    from necroangle.interop.taking import files_of, image_named, take_file

    named = None if image is None else image_named(image)
    taken, refused = [], []
    for path, is_named in files_of(files):
        try:
            found = take_file(path)
        except NecroangleError as error:
            refused += [str(error)] if is_named else []
            continue
        if named is not None:
            drawings = tuple(
                replace(one, image=named) if one.image is None and one.points.shape[1] == 2 else one
                for one in found.drawings
            )
            found = replace(found, drawings=drawings)
        taken.append(found)
    return taken, refused


def _drafts(
    taken: Sequence[Taken], images: Sequence[Path], whose: Whose, names: SubjectNames | None
) -> tuple[list[tuple[HipReading, tuple[str, ...]]], list[str]]:
    from necroangle.interop.drafts import drafts_of
    from necroangle.review import index_images

    drawings = [one for found in taken for one in found.drawings]
    if not drawings:
        return [], []
    with bars() as shown:
        places = index_images(images, shown.begin("finding the images").to, names)
    made = drafts_of(drawings, places, whose)
    return [(one.reading, one.notes) for one in made.drafts], list(made.notes)


def _save(reading: HipReading, folder: Path) -> str:
    """Save a reading, over nothing that lies there; gives why it could not be."""
    from necroangle.annotation import file_name, save_reading
    from necroangle.errors import NecroangleError, system_words

    try:
        folder.mkdir(parents=True, exist_ok=True)
        save_reading(reading, folder / file_name(reading))
    except NecroangleError as error:
        return str(error)
    except OSError as error:
        return f"{folder}: cannot be written: {system_words(error)}"
    return ""


def _show(taken: Sequence[Taken]) -> None:
    rows = list(_rows(taken))
    if rows:
        show_table(_COLUMNS, rows)
        say()


def _rows(taken: Sequence[Taken]) -> Iterator[tuple[str, ...]]:
    for found in taken:
        for one in found.numbers:
            points = "" if one.from_points is None else f"{one.from_points:.2f}"
            yield found.file, one.what, f"{one.value:.6g}", one.unit, points, one.note
