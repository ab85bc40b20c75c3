"""One sheet of an XLSX file as a table of texts."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from necroangle.clinical.number_text import is_date_format
from necroangle.clinical.package import Package, open_package, relations, walk
from necroangle.clinical.shared_texts import SharedTexts
from necroangle.clinical.sheet import Sheet, build_sheet
from necroangle.clinical.worksheet import Formats, WorksheetReader
from necroangle.errors import CohortError

__all__ = ["read_workbook"]

MAX_FORMATS = 70_000


@dataclass(frozen=True, slots=True)
class _SheetEntry:
    name: str
    visible: bool
    relation: str


def read_workbook(path: Path, sheet: str | None = None) -> Sheet:
    """Read one sheet of an XLSX file.

    Parameters
    ----------
    path
        The file.
    sheet
        The sheet's name; may be left out where only one is visible.

    Raises
    ------
    CohortError
        If the file is damaged or hostile, or it does not say which sheet.
    """
    with open_package(path) as package:
        workbook = _workbook_part(package)
        entries, from_1904 = _entries(package, workbook)
        entry = _chosen(entries, sheet)
        related = relations(package, workbook)
        kind, part = related.get(entry.relation, ("", ""))
        if kind != "worksheet":
            raise CohortError(f"sheet {entry.name!r:.60} is no sheet of cells")
        places = {kind: target for kind, target in related.values() if kind != "worksheet"}
        texts = _shared_texts(package, places.get("sharedStrings"))
        formats = _formats(package, places.get("styles"))
        reader = WorksheetReader(texts, formats, from_1904)
        walk(package.chunks(part), reader.on_start, reader.on_end, reader.on_text)
    return build_sheet(
        f"sheet {entry.name!r:.60}", reader.records(), reader.problems(), rectangular=False
    )


def _workbook_part(package: Package) -> str:
    if "_rels/.rels" in package:
        for kind, part in relations(package, "").values():
            if kind == "officeDocument" and part.endswith(".xml"):
                return part
    raise CohortError("this ZIP archive holds no XLSX workbook; save the table as .xlsx or CSV")


def _entries(package: Package, workbook: str) -> tuple[list[_SheetEntry], bool]:
    entries: list[_SheetEntry] = []
    from_1904 = False

    def on_start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal from_1904
        if element == "sheet":
            relation = next(
                (value for name, value in attributes.items() if name.endswith(":id")), ""
            )
            visible = attributes.get("state", "visible") == "visible"
            entries.append(_SheetEntry(attributes.get("name", ""), visible, relation))
        elif element == "workbookPr":
            from_1904 = attributes.get("date1904") in {"1", "true"}

    walk(package.chunks(workbook), on_start)
    return entries, from_1904


def _chosen(entries: list[_SheetEntry], name: str | None) -> _SheetEntry:
    names = ", ".join(f"{entry.name!r:.60}" for entry in entries[:20])
    if name is not None:
        for entry in entries:
            if entry.name == name:
                return entry
        raise CohortError(f"there is no sheet {name!r:.60}; there are: {names}")
    visible = [entry for entry in entries if entry.visible]
    if len(visible) != 1:
        raise CohortError(f"say which sheet, with --sheet NAME; there are: {names}")
    return visible[0]


def _shared_texts(package: Package, part: str | None) -> list[str]:
    """The workbook's texts by number."""
    if part is None:
        return []
    reader = SharedTexts()
    walk(package.chunks(part), reader.on_start, reader.on_end, reader.on_text)
    return reader.texts


def _formats(package: Package, part: str | None) -> Formats:
    """For each cell style: the code of its number format, and whether that shows a date."""
    codes: dict[int, str] = {}
    numbers: list[int] = []
    in_cell_styles = False

    def on_start(element: str, attributes: Mapping[str, str]) -> None:
        nonlocal in_cell_styles
        if element in {"cellXfs", "cellStyleXfs", "dxfs", "cellStyles"}:
            in_cell_styles = element == "cellXfs"
        elif element == "numFmt":
            codes[_whole(attributes.get("numFmtId"))] = attributes.get("formatCode", "")
        elif element == "xf" and in_cell_styles and len(numbers) < MAX_FORMATS:
            numbers.append(_whole(attributes.get("numFmtId")))

    if part is not None:
        walk(package.chunks(part), on_start)
    known = {number: is_date_format(number, codes.get(number)) for number in set(numbers)}
    return tuple((codes.get(number), known[number]) for number in numbers)


def _whole(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else 0
