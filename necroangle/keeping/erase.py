"""All that a study holds of a patient whose consent was withdrawn: found, then erased."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from necroangle.errors import CohortError, system_words
from necroangle.ledger.erasure import Erased, events_of
from necroangle.ledger.store import CohortStore
from necroangle.storage import remove
from necroangle.study import Study

_TEXTS = frozenset({".csv", ".html", ".json", ".jsonl", ".txt", ".toml", ".autosave", ".part"})
_BACKUPS = ("*.bak", "*.zip")
_MOST_BYTES = 1 << 28


@dataclass(frozen=True, slots=True)
class Traces:
    """Where a study holds something of a patient.

    Attributes
    ----------
    events
        Events of the ledger.
    readings
        Reading files and unsaved ones, which are removed.
    made
        Exports (folders) and reports, which are removed: they can be made again.
    others
        Files that name the patient among others: they stay, and are for a person to mend.
    backups
        Backups from before: they stay, and hold the patient.
    kept
        Of the readings and what was made, what could not be removed, and why.
    """

    events: int
    readings: tuple[Path, ...]
    made: tuple[Path, ...]
    others: tuple[Path, ...]
    backups: tuple[Path, ...]
    kept: tuple[tuple[Path, str], ...] = ()


def find_traces(study: Study, subject: str) -> Traces:
    """Look through a study for a patient; nothing is changed.

    Raises
    ------
    CohortError
        If nothing is known of the patient.
    """
    with CohortStore.open(study.cohort, create=False, study=study).reading() as connection:
        events = len(events_of(connection, subject))
    readings, made, others = set[Path](), set[Path](), set[Path]()
    for file in _naming(study, subject):
        if file.is_relative_to(study.readings):
            (readings if _is_theirs(file, subject) else others).add(file)
        elif file.is_relative_to(study.exports):
            made.add(_export_of(file, study.exports))
        elif file.is_relative_to(study.reports) or file.suffix == ".html":
            made.add(file)
        else:
            others.add(file)
    if not events and not readings:
        raise CohortError(f"{study.folder}: nothing is known of a patient {subject!r:.80}")
    printed = set(study.reports.rglob("*.pdf")) if made else set()
    backups = {one for name in _BACKUPS for one in study.folder.glob(name)}
    return Traces(
        events,
        tuple(sorted(readings)),
        tuple(sorted(made)),
        tuple(sorted(others | printed)),
        tuple(sorted(backups)),
    )


def erase(study: Study, subject: str, *, actor: str, reason: str) -> tuple[Traces, Erased | None]:
    """Erase a patient from the ledger, then remove their reading files, exports and reports.

    Raises
    ------
    CohortError
        If nothing is known of the patient, or the reason is empty or names them.
    """
    found = find_traces(study, subject)
    store = CohortStore.open(study.cohort, create=False, study=study)
    erased = store.erase(subject, actor=actor, reason=reason) if found.events else None
    kept = []
    for one in (*found.readings, *found.made):
        try:
            remove(one)
        except OSError as error:
            kept.append((one, system_words(error)))
    return replace(found, kept=tuple(kept)), erased


def _naming(study: Study, subject: str) -> Iterator[Path]:
    """Text files of a study that hold a pseudonym as a word of its own."""
    word = re.compile(rb"(?<![\w-])" + re.escape(subject.encode()) + rb"(?![\w-])")
    cohort = study.cohort
    for file in sorted(study.folder.rglob("*")):
        if file == cohort or file.is_symlink() or not file.is_file():
            continue
        is_text = file.suffix in _TEXTS and file.stat().st_size <= _MOST_BYTES
        if _is_theirs(file, subject) or (is_text and word.search(file.read_bytes())):
            yield file


def _is_theirs(file: Path, subject: str) -> bool:
    """Whether a file's name says that it is a reading of the patient, saved or not.

    A Mac's share may give an accent or a Korean syllable back in parts.
    """
    name = unicodedata.normalize("NFC", file.name.lstrip("."))
    return name.startswith(unicodedata.normalize("NFC", f"{subject}__"))


def _export_of(file: Path, exports: Path) -> Path:
    """The folder of an export that holds a file."""
    return exports / file.relative_to(exports).parts[0]
