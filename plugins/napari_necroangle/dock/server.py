"""Studies from a hospital's server into a folder, which then opens.

A thread of its own speaks with the server; the window shows how far it is and can stop it. What
has come is kept, and the same question again fetches the rest.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

from qtpy.QtCore import QEventLoop, Qt, QThread, Signal  # type: ignore[attr-defined]
from qtpy.QtWidgets import QProgressDialog, QWidget

from necroangle.dicom.pseudonym import SubjectNames
from necroangle.errors import NecroangleError
from necroangle.pacs.query import Query, read_study_list
from necroangle.pacs.servers import Server, load_servers
from necroangle.pacs.transfer import Fetched, connect, fetch_studies, find_studies

TITLE = "Open from server"
_ACCESSION, _LIST = "Accession number…", "List of studies…"
_NAMED_BY_FILES = "As the files say"
_NAMED_BY_LIST, _NAMED_BY_KEY = "By the study's list…", "By the study's secret…"
_READERS = {
    _NAMED_BY_LIST: SubjectNames.from_mapping,
    _NAMED_BY_KEY: SubjectNames.from_secret_file,
}


def fetch_in_window(
    parent: QWidget, dialogs: Any, start: Path | None, names: SubjectNames | None
) -> tuple[Path, SubjectNames | None] | None:
    """Ask which studies of which server, and fetch them.

    Without ``names`` the window asks how patients are named.

    Returns
    -------
    tuple or None
        The folder that holds what has come, and the names; None where there is nothing to open.
    """
    try:
        server = _server(dialogs)
        queries = server and _queries(dialogs, start)
        if not (server and queries):
            return None
        asked = _NAMED_BY_FILES if names is not None else _naming(dialogs)
        if asked in _READERS:
            path = dialogs.names_file(start, asked == _NAMED_BY_KEY)
            names = path and _READERS[asked](path)
        folder = dialogs.folder("Put the studies into this folder", start)
        if not folder or (asked != _NAMED_BY_FILES and names is None):
            return None
        came = _fetched(parent, dialogs, _Fetching(server, queries, folder, names))
        return (folder, names) if came else None
    except NecroangleError as error:
        dialogs.tell(TITLE, str(error))
        return None


def _server(dialogs: Any) -> Server | None:
    servers = load_servers()
    names = list(servers.named)
    name = names[0] if len(names) == 1 else dialogs.choose(TITLE, "From which server?", names)
    return None if name is None else servers.of(name)


def _queries(dialogs: Any, start: Path | None) -> list[Query]:
    asked = dialogs.choose(TITLE, "Which studies?", [_ACCESSION, _LIST])
    if asked == _LIST:
        path = dialogs.study_list(start)
        return [] if path is None else read_study_list(path)
    accession = dialogs.text(TITLE, "Accession number:") if asked == _ACCESSION else ""
    return [Query(accession=accession, place="accession number")] if accession else []


def _naming(dialogs: Any) -> str:
    words = "How are the patients named?"
    return dialogs.choose(TITLE, words, [_NAMED_BY_FILES, *_READERS]) or ""


def _fetched(parent: QWidget, dialogs: Any, fetching: "_Fetching") -> bool:
    """Fetch while the window shows how far it is; whether there is anything to open."""
    shown = QProgressDialog("Fetching objects…", "Stop", 0, 0, parent)
    shown.setWindowTitle(TITLE)
    shown.setWindowModality(Qt.WindowModality.WindowModal)
    shown.setMinimumDuration(0)
    shown.setAutoReset(False)
    shown.canceled.connect(fetching.stop)
    fetching.moved.connect(lambda _, total: shown.setMaximum(total))
    fetching.moved.connect(lambda done, _: shown.setValue(done))
    loop = QEventLoop()
    fetching.finished.connect(loop.quit)
    fetching.start()
    loop.exec()
    fetching.wait()
    shown.close()
    shown.deleteLater()
    if fetching.problem:
        dialogs.tell(TITLE, fetching.problem)
    return fetching.count > 0


class _Fetching(QThread):
    """Fetches in a thread of its own.

    ``problem``: what to say when it has ended, or nothing.
    ``count``: objects that lie in the folder.
    """

    moved = Signal(int, int)

    def __init__(
        self, server: Server, queries: list[Query], folder: Path, names: SubjectNames | None
    ) -> None:
        super().__init__()
        self._server, self._queries, self._folder = server, queries, folder
        self._names = names
        self._is_stopped = False
        self.problem, self.count = "", 0

    def stop(self) -> None:
        """End after the object that is on its way."""
        self._is_stopped = True

    def run(self) -> None:
        """What the thread does."""
        try:
            done = self._fetch()
            self.problem = "\n".join(_lacks(one) for one in done if not one.is_whole)
        except InterruptedError:
            self.problem = "Stopped. What has come is kept; the same question fetches the rest."
        except NecroangleError as error:
            self.problem = str(error)

    def _fetch(self) -> list[Fetched]:
        with closing(connect(self._server)) as connection:
            wanted = find_studies(connection, self._queries, self._names)
        fetched = fetch_studies(
            self._server, wanted, self._folder, self._names, progress=self._progress
        )
        return list(fetched)

    def _progress(self, done: int, total: int) -> None:
        self.count = done
        self.moved.emit(done, total)
        if self._is_stopped:
            raise InterruptedError


def _lacks(one: Fetched) -> str:
    """What a study lacks, and why."""
    place = one.wanted.label or one.wanted.place
    reasons = "; ".join(reason for reason, _ in one.problems)
    return f"{place}: {one.there + one.fetched} of {one.objects} objects are here. {reasons}"
