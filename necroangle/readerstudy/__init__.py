"""Reader studies: who reads what in which order, what may be seen, and what is locked."""

from necroangle.readerstudy.adjudicate import Adjudication, CommonPlane, Outline, ViewDifference
from necroangle.readerstudy.cases import (
    CaseItem,
    Progress,
    ReadingClock,
    Status,
    case_list,
    clock_doubt,
    conduct_of,
    next_case,
    progress_of,
)
from necroangle.readerstudy.order import ListedCase, reading_list
from necroangle.readerstudy.reader_worklist import (
    ReaderState,
    ReaderWorklist,
    SavedReading,
    reader_folder,
)
from necroangle.readerstudy.worklist import (
    CONSENSUS,
    SUFFIX,
    StudyCase,
    Worklist,
    cases_of_csv,
    count_of_repeats,
    load_worklist,
    make_worklist,
    save_worklist,
    worklist_id,
)

__all__ = [
    "CONSENSUS",
    "SUFFIX",
    "Adjudication",
    "CaseItem",
    "CommonPlane",
    "ListedCase",
    "Outline",
    "Progress",
    "ReaderState",
    "ReaderWorklist",
    "ReadingClock",
    "SavedReading",
    "Status",
    "StudyCase",
    "ViewDifference",
    "Worklist",
    "case_list",
    "cases_of_csv",
    "clock_doubt",
    "conduct_of",
    "count_of_repeats",
    "load_worklist",
    "make_worklist",
    "next_case",
    "progress_of",
    "reader_folder",
    "reading_list",
    "save_worklist",
    "worklist_id",
]
