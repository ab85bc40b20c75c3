"""The study's list of subjects and hips, from a table."""

from pathlib import Path

from necroangle.clinical.cells import parse_key_part
from necroangle.clinical.headings import understood
from necroangle.clinical.raw_table import RawTable
from necroangle.clinical.table_files import read_table
from necroangle.errors import CohortError

_BOTH = frozenset(
    {"both", "bilateral", "lr", "rl", "l r", "r l", "양측", "両側", "双侧", "beidseits"}
)
_EITHER = frozenset({"", "either", "any"})


def read_list(path: Path) -> dict[str, frozenset[str]]:
    r"""Read a list of subjects.

    Parameters
    ----------
    path
        CSV, TSV, XLSX, XLS or ODS with a column ``subject`` and, where it is known which hips are
        studied, a column ``laterality``: ``L``, ``R`` or ``both``. Other columns are not read. Both
        headings may be in any language that the importer knows.

    Returns
    -------
    dict
        Subject to its sides; none: either.

    Raises
    ------
    CohortError
        Naming file and row: no such column, a name that is no pseudonym, a side that is none.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> path = Path(mkdtemp()) / "subjects.csv"
    >>> _ = path.write_text("subject,laterality\nKT-001,L\nKT-001,R\nKT-002,\n")
    >>> {subject: sorted(sides) for subject, sides in read_list(path).items()}
    {'KT-001': ['L', 'R'], 'KT-002': []}
    """
    table = read_table(path)
    said = {place: understood(heading) for place, heading in enumerate(table.headings)}
    columns = {one.to: place for place, one in reversed(said.items()) if one is not None}
    if "subject" not in columns:
        raise CohortError(f"{path.name}: no column subject; name it in the heading row")
    found: dict[str, frozenset[str]] = {}
    for number, subject, side in _rows(table, columns):
        try:
            name, sides = parse_key_part("subject", subject), sides_of(side)
        except ValueError as error:
            raise CohortError(f"{path.name}: row {number}: {error}") from error
        found[name] = found.get(name, frozenset()) | sides
    if not found:
        raise CohortError(f"{path.name}: no subject in it")
    return found


def sides_of(text: str) -> frozenset[str]:
    """The sides that a text names; none: either.

    Raises
    ------
    ValueError
        Saying what is allowed.

    Examples
    --------
    >>> sorted(sides_of("both")), sorted(sides_of("left")), sorted(sides_of(""))
    (['L', 'R'], ['L'], [])
    """
    word = text.strip().casefold()
    if word in _BOTH:
        return frozenset("LR")
    if word in _EITHER:
        return frozenset()
    try:
        return frozenset(parse_key_part("laterality", text))
    except ValueError as error:
        raise ValueError(f"{error}, both; or leave it empty") from error


def _rows(table: RawTable, columns: dict[str, int]) -> list[tuple[int, str, str]]:
    side = columns.get("laterality")
    return [
        (row.number, row.cells[columns["subject"]], "" if side is None else row.cells[side])
        for row in table.rows
    ]
