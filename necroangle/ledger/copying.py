"""A cohort copied whole, event by event, to another file or database."""

from pathlib import Path

import sqlalchemy as sa

from necroangle.errors import CohortError
from necroangle.ledger.schema import copy_tables, found_version
from necroangle.ledger.store import CohortStore, open_engine, refusal, writing


def copy_cohort(store: CohortStore, place: Path | str) -> None:
    """Copy every table to a place that has none; hashes and all stay as they are.

    Free pages of the old file, and with them what was erased, are not copied.

    Raises
    ------
    CohortError
        If there is a cohort already, or a database refuses.
    """
    engine, name = open_engine(place, create=True)
    try:
        with store.reading() as source, writing(engine).begin() as target:
            if found_version(target) is not None:
                raise CohortError(f"{name}: there is a cohort already; give an empty place")
            copy_tables(source, target)
    except sa.exc.SQLAlchemyError as error:
        raise CohortError(f"{name}: {refusal(error)}") from error
    finally:
        engine.dispose()
