"""A study of a server, fetched as the commands do it, without a wait between tries."""

from pathlib import Path

from patientstudies import PatientStudy

from necroangle.pacs.query import Query
from necroangle.pacs.servers import Server
from necroangle.pacs.transfer import Fetched, connect, fetch_studies, find_studies

__all__ = ["fetched", "files", "never"]


def never(_: float) -> None:
    """Do not wait."""


def fetched(server: Server, study: PatientStudy, folder: Path) -> Fetched:
    """What came of the study with its accession number."""
    connection = connect(server)
    wanted = find_studies(connection, [Query(accession=study.accession)], sleep=never)
    connection.close()
    (done,) = fetch_studies(server, wanted, folder, sleep=never)
    return done


def files(folder: Path) -> list[Path]:
    """What lies in a folder, but for an index."""
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".sqlite"]
