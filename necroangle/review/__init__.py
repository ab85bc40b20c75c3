"""Readings held beside the images they were made on: quality pictures, and the geometry audit."""

from necroangle.review.audit import ViewAudit, audit_reading
from necroangle.review.contact_sheet import write_contact_sheet
from necroangle.review.pictures import PictureReport, draw_files
from necroangle.review.places import ImagePlaces, index_images

__all__ = [
    "ImagePlaces",
    "PictureReport",
    "ViewAudit",
    "audit_reading",
    "draw_files",
    "index_images",
    "write_contact_sheet",
]
