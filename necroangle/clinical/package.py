"""The parts of an XLSX file, opened with limits: sizes first, no DTD, no entity, no link.

The parts are read here and not through a spreadsheet library, so that every number is the text
that stands in the file, every formula is seen, and no size is believed before it is checked.
"""

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from xml.parsers import expat

from necroangle.errors import CohortError

__all__ = ["Package", "open_package", "relations", "walk"]

MAX_PARTS = 2_000
MAX_PART_BYTES = 96 << 20
MAX_TOTAL_BYTES = 256 << 20
MAX_RATIO = 200
RATIO_FROM_BYTES = 4 << 20
"""A part is refused as a bomb above 4 MiB where it shrank to less than 1/200."""

MAX_ELEMENTS = 3_000_000
_CHUNK = 1 << 16
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

OnStart = Callable[[str, Mapping[str, str]], None]
OnEnd = Callable[[str], None]
OnText = Callable[[str], None]


class Package:
    """An opened XLSX file; made by :func:`open_package`."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._names = frozenset(archive.namelist())

    def __contains__(self, part: str) -> bool:
        return part in self._names

    def chunks(self, part: str) -> Generator[bytes, None, None]:
        """The bytes of a part, piece by piece.

        Raises
        ------
        CohortError
            If the file has no such part, or it is damaged.
        """
        if part not in self:
            raise CohortError(f"the workbook has no part {part!r:.80}")
        try:
            with self._archive.open(part) as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except (zipfile.BadZipFile, EOFError, OSError, zlib.error) as error:
            raise CohortError(f"the workbook's part {part!r:.80} is damaged") from error


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open an XLSX file.

    Raises
    ------
    CohortError
        If it is no ZIP archive, is damaged or encrypted, or its parts are too many, too large or
        shrunk too far to be a table.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_bombs(archive.infolist())
            yield Package(archive)
    except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError, ValueError) as error:
        if isinstance(error, CohortError):
            raise
        raise CohortError("this is no whole XLSX file; save it again") from error


def walk(
    chunks: Generator[bytes, None, None],
    on_start: OnStart,
    on_end: OnEnd | None = None,
    on_text: OnText | None = None,
) -> None:
    """Call back for each element (its local name) and each text of an XML part, then close it.

    Raises
    ------
    CohortError
        If it is no well-formed XML, states a document type or entities, or has too many elements.

    Examples
    --------
    >>> def pieces(text):
    ...     yield text
    >>> walk(pieces(b"<a><b/></a>"), lambda name, _: print(name))
    a
    b
    >>> walk(pieces(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"), lambda name, _: None)
    Traceback (most recent call last):
    ...
    necroangle.errors.CohortError: a document type or entities in the workbook: not a table
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_document_type
    left = MAX_ELEMENTS

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise CohortError("the workbook has too many elements to be a table")
        on_start(name if ":" not in name else name.rpartition(":")[2], attributes)

    parser.StartElementHandler = start
    if on_end is not None:
        parser.EndElementHandler = lambda name: on_end(name.rpartition(":")[2])
    parser.CharacterDataHandler = on_text
    try:
        with closing(chunks):
            for chunk in chunks:
                parser.Parse(chunk, False)
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise CohortError(f"the workbook's XML is damaged: {error}") from error


def relations(package: Package, part: str) -> dict[str, tuple[str, str]]:
    """Relations of a part: id to (kind, the other part); links to outside are left out.

    Parameters
    ----------
    part
        ``"xl/workbook.xml"``, or ``""`` for the file itself.
    """
    folder, name = posixpath.split(part)
    found: dict[str, tuple[str, str]] = {}

    def on_start(element: str, attributes: Mapping[str, str]) -> None:
        if element == "Relationship" and attributes.get("TargetMode") != "External":
            target = posixpath.normpath(posixpath.join("/", folder, attributes.get("Target", "")))
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = kind, target.lstrip("/")

    walk(package.chunks(posixpath.join(folder, "_rels", f"{name}.rels")), on_start)
    return found


def _refuse_document_type(*_: object) -> None:
    raise CohortError("a document type or entities in the workbook: not a table")


def _refuse_bombs(parts: list[zipfile.ZipInfo]) -> None:
    if len(parts) > MAX_PARTS or len({part.filename for part in parts}) != len(parts):
        raise CohortError("the workbook's parts are too many, or two have one name")
    if sum(part.file_size for part in parts) > MAX_TOTAL_BYTES:
        raise CohortError("the workbook unpacks to more than 256 MiB: refused unread")
    for part in parts:
        shrunk = part.file_size > MAX_RATIO * part.compress_size
        if part.file_size > MAX_PART_BYTES or (part.file_size > RATIO_FROM_BYTES and shrunk):
            raise CohortError(
                f"a part of the workbook unpacks from {part.compress_size:,} to "
                f"{part.file_size:,} bytes: refused unread"
            )
        if part.flag_bits & 1 or part.compress_type not in _METHODS:
            raise CohortError("a part of the workbook is encrypted, or packed in an unknown way")
