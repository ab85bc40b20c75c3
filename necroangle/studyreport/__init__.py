"""Reports to look at: of a study, from flow to each hip; and of one reading."""

from necroangle.studyreport.content import Look, StudyReport, gather
from necroangle.studyreport.one import (
    page_of,
    reading_html,
    reading_pdf,
    write_reading_html,
    write_reading_pdf,
)
from necroangle.studyreport.pages import write_html
from necroangle.studyreport.sheets import write_pdf

__all__ = [
    "Look",
    "StudyReport",
    "gather",
    "page_of",
    "reading_html",
    "reading_pdf",
    "write_html",
    "write_pdf",
    "write_reading_html",
    "write_reading_pdf",
]
