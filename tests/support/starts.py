"""How commands are started, and which libraries each may load: told to a test and a benchmark."""

import os
from pathlib import Path

import click
from documents import Act, perform, prepare

from necroangle.cli import cli

__all__ = ["COMMANDS", "ELSEWHERE", "HEAVY", "STARTS", "make_started_study"]

COMMANDS = cli.list_commands(click.Context(cli))

CORE = {"msgspec", "sqlalchemy"}
ARRAYS = CORE | {"numpy"}
STATISTICS = ARRAYS | {"scipy"}

HEAVY = STATISTICS | {
    *("PIL", "PySide6", "alembic", "cv2", "dask", "dicomweb_client", "highdicom", "jinja2"),
    *(
        "keyring",
        "matplotlib",
        "multiprocessing",
        "napari",
        "openpyxl",
        "pandas",
        "psycopg",
        "pyarrow",
        "pydicom",
    ),
    *("pynetdicom", "pyreadstat", "python_calamine", "qtpy", "requests", "rich.console"),
    *("skimage", "sqlalchemy.orm", "unittest.mock", "xlsxwriter"),
}

EARLIER, LATER = (
    f"readings/PHANTOM-04__R__{visit}__truth__1.reading.json" for visit in ("baseline", "month_12")
)
VISIT = "visit PHANTOM-04 R month_12"

STARTS: list[tuple[str, set[str]]] = [
    ("--version", set()),
    ("--help", set()),
    *((f"{name} --help", set()) for name in COMMANDS if name != "import"),
    ("import --help", {"msgspec"}),
    ("table", CORE),
    ("table --json", CORE),
    ("table --csv --as-kept", CORE),
    ("table --all-columns", CORE),
    ("anchor", CORE),
    ("audit", CORE),
    ("queries", CORE),
    (f"history {VISIT}", CORE),
    ("enrol", CORE),
    (f"edit {VISIT} --set vas=3 --as kim --reason wrong", CORE),
    ("import clinical.csv --dry-run", CORE),
    ("import clinical.csv --as kim", CORE),
    ("undo", CORE),
    (f"withdraw {VISIT} --as kim --reason twice", CORE),
    ("lock", CORE),
    ("enrol list.csv --as kim", CORE),
    ("backup kept.tar", CORE),
    ("restore kept.tar ../restored", CORE),
    ("init ../another", CORE),
    ("schema", ARRAYS),
    ("measure readings", STATISTICS),
    ("remeasure readings", STATISTICS),
    ("verify", STATISTICS),
    ("verify --readings readings", STATISTICS),
    (f"change {EARLIER} {LATER}", STATISTICS),
    ("outcome", STATISTICS),
    ("baseline", STATISTICS),
    ("survival", STATISTICS),
    ("export --to csv --out exported", STATISTICS),
    ("erase PHANTOM-02 --as kim --reason asked --yes", STATISTICS),
]
"""Commands, and the libraries of :data:`HEAVY` that each may have loaded when it has run."""

ELSEWHERE = {
    *("audit-geometry", "index", "overlay", "phantom", "samples", "series"),  # images
    *("fetch", "send", "servers"),  # another machine
    *("agree", "calibrate", "demo", "read", "selftest"),  # hundreds of draws, phantoms, a window
    *("fhir", "give", "pack", "sr", "take", "trial", "unpack"),  # files of other libraries
    *("init-server", "report", "worklist"),
}
"""Commands that need more, or do not touch the table of a study in a file."""

_FILES = {
    "clinical.csv": "subject,laterality,visit,visit_date,vas,vas_scale\n"
    "PHANTOM-05,L,baseline,2024-02-01,6,10\n",
    "list.csv": "subject,laterality\n" + "".join(f"PHANTOM-0{n},both\n" for n in range(1, 6)),
}


def make_started_study(folder: Path) -> None:
    """Make the study in which the commands are started, and go there: ten hips, two readers."""
    os.chdir(folder)
    prepare([], folder)
    problem = perform(Act("study", "the samples"))
    if problem:
        raise AssertionError(problem)
    for name, text in _FILES.items():
        Path(name).write_text(text, "utf-8")
