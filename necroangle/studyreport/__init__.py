"""The report of a study: one HTML file that opens offline, and a PDF, for people who look."""

from necroangle.studyreport.content import StudyReport, gather
from necroangle.studyreport.pages import write_html
from necroangle.studyreport.sheets import write_pdf

__all__ = ["StudyReport", "gather", "write_html", "write_pdf"]
