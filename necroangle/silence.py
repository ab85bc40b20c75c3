"""Libraries that say nothing: what they log and warn of quotes names, numbers and addresses."""

import logging
import threading
import warnings
from contextlib import ExitStack

__all__ = ["silence"]

_TALKERS = (
    *("pydicom", "highdicom", "pylibjpeg", "openjpeg"),
    *("pynetdicom", "dicomweb_client", "urllib3", "requests", "retrying"),
)
for _name in _TALKERS:
    logging.getLogger(_name).addHandler(logging.NullHandler())


class _Silence:
    """Keeps warnings and log records in while any thread is inside.

    Both are settings of the whole process: the first thread in sets them, the last one out puts
    them back. A thread of its own that reads ahead would else open the other's mouth.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._undo = ExitStack()

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                self._undo.enter_context(warnings.catch_warnings())
                warnings.simplefilter("ignore")
                for logger in map(logging.getLogger, _TALKERS):
                    self._undo.callback(setattr, logger, "propagate", logger.propagate)
                    logger.propagate = False

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._undo.close()


silence = _Silence()
"""The one of this process: ``with silence:`` round a call of such a library."""
