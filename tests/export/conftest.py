"""What the tests of the exports share."""

import pytest
from exportmaker import readings, source_of

from necroangle.export import ExportSource


@pytest.fixture(scope="session")
def source() -> ExportSource:
    """The small cohort with its clinical rows."""
    return source_of(readings())
