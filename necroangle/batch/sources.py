"""Where readings come from: files, folders, globs, ZIP archives, manifests, packs and URLs."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from necroangle.batch.files import FileSource, find_paths, open_zip
from necroangle.batch.leaf import Source
from necroangle.batch.packed import open_pack
from necroangle.batch.remote import open_remote
from necroangle.batch.worker import Refusal

__all__ = ["open_sources"]

PACK_SUFFIX, MANIFEST_SUFFIX, ZIP_SUFFIX = ".parquet", ".txt", ".zip"


def open_sources(places: Iterable[Path | str]) -> tuple[list[Source], list[Refusal]]:
    """The sources of readings among some places, and what cannot be opened.

    Parameters
    ----------
    places
        Reading files; folders, searched with all their sub-folders for ``*.reading.json``; globs;
        ``.zip`` archives; manifests (``.txt``: a path a line, relative to the manifest); packs
        (``.parquet``, as ``necroangle pack`` writes them); and URLs (``s3://bucket/study``), which
        fsspec opens.

    Examples
    --------
    >>> sources, refusals = open_sources(["no.zip", "a.reading.json"])
    >>> [source.count for source in sources], [str(one) for one in refusals]
    ([1], ['no.zip: there is no such file'])
    """
    plain: list[Path] = []
    sources: list[Source] = []
    refusals: list[Refusal] = []
    for place in sorted({str(one) for one in places}):
        path = Path(place)
        if "://" in place:
            sources.append(open_remote(place))
        elif path.suffix.lower() in (ZIP_SUFFIX, PACK_SUFFIX) and not path.is_dir():
            is_pack = path.suffix.lower() == PACK_SUFFIX
            found = open_pack(path) if is_pack else open_zip(path)
            (refusals if isinstance(found, Refusal) else sources).append(found)  # type: ignore[arg-type]
        elif path.suffix.lower() == MANIFEST_SUFFIX and path.is_file():
            plain.extend(_manifest(path, refusals))
        elif any(sign in place for sign in "*?[") and not path.exists():
            plain.extend(_globbed(path))
        else:
            plain.append(path)
    files, shut = find_paths(plain)
    if files:
        sources.insert(0, FileSource(tuple(files)))
    return sources, [*refusals, *shut]


def _globbed(pattern: Path) -> list[Path]:
    """The paths that a pattern finds below the first of its folders that is named in full."""
    parts = pattern.parts
    wild = next(place for place, part in enumerate(parts) if set(part) & set("*?["))
    return sorted(Path(*parts[:wild]).glob(str(Path(*parts[wild:]))))


def _manifest(path: Path, refusals: list[Refusal]) -> Sequence[Path]:
    """The paths that a manifest lists; empty lines and those after ``#`` say nothing."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        refusals.append(Refusal(str(path), "", f"not a manifest that can be read: {error}"))
        return ()
    wanted = (line.strip() for line in lines)
    return [path.parent / line for line in wanted if line and not line.startswith("#")]
