"""Readings held beside their images and beside what they measured: pictures, audit, differences."""

from typing import TYPE_CHECKING

from necroangle.later import later

if TYPE_CHECKING:
    from necroangle.review.audit import ViewAudit, audit_reading
    from necroangle.review.difference_report import as_csv, as_html, as_text
    from necroangle.review.differences import (
        Cause,
        Differences,
        RowDifference,
        compare_rows,
        merged,
    )
    from necroangle.review.pictures import (
        ImagePlaces,
        PictureReport,
        draw_files,
        index_images,
        write_contact_sheet,
    )

__all__ = [
    "Cause",
    "Differences",
    "ImagePlaces",
    "PictureReport",
    "RowDifference",
    "ViewAudit",
    "as_csv",
    "as_html",
    "as_text",
    "audit_reading",
    "compare_rows",
    "draw_files",
    "index_images",
    "merged",
    "write_contact_sheet",
]

__getattr__ = later(
    __name__,
    {
        ".audit": "ViewAudit audit_reading",
        ".difference_report": "as_csv as_html as_text",
        ".differences": "Cause Differences RowDifference compare_rows merged",
        ".pictures": "ImagePlaces PictureReport draw_files index_images write_contact_sheet",
    },
)
