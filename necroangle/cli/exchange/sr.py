"""``necroangle sr``: readings as DICOM objects for the archive."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from necroangle.cli.given import (
    images_option,
    out_option,
    reading_files,
    readings_argument,
    refusals_told,
    told_if_not_written,
)
from necroangle.cli.screen import bars, say

if TYPE_CHECKING:
    from necroangle.interop.headers import Hidden


@click.command("sr")
@readings_argument
@images_option(
    "Folder with the DICOM files; give it again for several. Their headers name the patient.",
    required=True,
)
@out_option("Where the objects go.")
@click.option(
    "--flavour",
    type=click.Choice(["standard", "ohif", "both"]),
    default="standard",
    show_default=True,
    help="standard: all that was read and measured. ohif: angles that OHIF opens for editing.",
)
@click.option("--capture", is_flag=True, help="A secondary capture of the picture as well.")
@click.option("--method", "method_name", metavar="NAME", help="Method, by default by image kind.")
@click.option(
    "--deidentified",
    is_flag=True,
    help="The pseudonym for the patient, other identifiers, no dates and no notes.",
)
@click.option(
    "--secret",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --deidentified: the study's secret. Identifiers are then the same in every run.",
)
@click.pass_context
def command(
    context: click.Context,
    readings: tuple[Path, ...],
    images: tuple[Path, ...],
    out: Path,
    flavour: Literal["standard", "ohif", "both"],
    capture: bool,
    method_name: str | None,
    deidentified: bool,
    secret: Path | None,
) -> None:
    """Write readings as DICOM: a structured report, presentation states, key objects.

    The objects go back to the archive that the images came from, so they carry the patient of the
    images; with --deidentified they carry the pseudonym. A reading whose images are not found is
    refused, and the others are written. Writing twice gives the same bytes.
    Exit code: 0 if all were written, 1 if some were refused, 2 if there was nothing to write.
    """
    from necroangle.annotation import load_reading
    from necroangle.batch import method_of_study, settings_of_study
    from necroangle.dicom import GuardedReader
    from necroangle.errors import NecroangleError
    from necroangle.extras import need_extra
    from necroangle.measurement import method_named
    from necroangle.plain_text import counted
    from necroangle.review import index_images
    from necroangle.study import study_here

    need_extra("interop", "highdicom")
    from necroangle.interop.objects import write_objects

    if secret is not None and not deidentified:
        raise click.UsageError("--secret goes with --deidentified")
    hidden = _hidden(secret) if deidentified else None
    files, shut = reading_files(readings)
    method = method_named(method_name) if method_name else method_of_study(study_here())
    settings = settings_of_study(study_here())
    written, refused = 0, [str(one) for one in shut]
    with bars() as shown, ExitStack() as stack:
        decoder = stack.enter_context(GuardedReader()) if capture else None
        places = index_images(images, shown.begin("finding the images").to)
        bar = shown.begin("writing", len(files))
        stack.enter_context(told_if_not_written(out))
        for file in files:
            try:
                reading = load_reading(file)
                written += len(
                    write_objects(
                        reading,
                        places.slices_of(reading),
                        out,
                        flavours=("standard", "ohif") if flavour == "both" else (flavour,),
                        hidden=hidden,
                        method=method,
                        settings=settings,
                        decoder=decoder,
                    )
                )
            except NecroangleError as error:
                refused.append(
                    f"{file.name}: {error}".replace(f"{file.name}: {file.name}", file.name)
                )
            bar.on()
    told = refusals_told(refused)
    done = counted(len(files) - len(refused) + len(shut), "reading")
    say(f"{counted(written, 'object')} of {done} in {out}{told}")
    if not deidentified and written:
        say("they carry the patient of the images: send them to the archive they came from")
    context.exit(1 if refused else 0)


def _hidden(secret: Path | None) -> Hidden:
    from necroangle.dicom.pseudonym import IdentifierCodes, SubjectNames, new_key
    from necroangle.interop.headers import Hidden

    key = None if secret is None else SubjectNames.from_secret_file(secret).code_key()
    return Hidden(IdentifierCodes(key or new_key()))
