"""The batch: the row of the file is the row of the reading, and one fault costs one row."""

import os
import random
from functools import partial
from pathlib import Path

import pytest
from hipmaker import make_reading, make_rim
from hipstrategy import hip_angles_deg, spacings_mm, turns_deg
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from necroangle.annotation import HipReading, ReadView, encode_reading, save_reading, sha256_of
from necroangle.batch import BatchResult, Refusal, measure_file, measure_files, open_stream
from necroangle.cohort import CohortRow, CohortStore, to_row
from necroangle.measurement import measure, measure_draft, method_named
from necroangle.measurement.marks import ReadingBatch
from necroangle.measurement.measuring import measure_batch
from necroangle.terms import View


def put(path: Path, reading: HipReading) -> CohortRow:
    """Save a reading; the row that the screen would show for it."""
    sha256 = save_reading(reading, path)
    return to_row(reading, measure(reading), sha256)


@settings(deadline=None, max_examples=30)
@given(
    st.tuples(hip_angles_deg, hip_angles_deg),
    turns_deg,
    spacings_mm,
    st.sampled_from((View.SAGITTAL, View.FROG_LEG)),
)
def test_file_batch_and_store_keep_every_bit(
    tmp_path_factory: pytest.TempPathFactory,
    angles: tuple[float | None, float | None],
    turn_deg: tuple[float, float, float],
    spacing_mm: tuple[float, float],
    b_view: View,
) -> None:
    folder = tmp_path_factory.mktemp("batch")
    reading = make_reading(*angles, turn_deg=turn_deg, spacing_mm=spacing_mm, b_view=b_view)
    assume(not measure_draft(reading).blocked)  # an arc over the neck gives no row
    shown = put(folder / "a.reading.json", reading)
    result = measure_files([folder])
    assert repr(result) == repr(BatchResult((shown,), ()))
    store = CohortStore.open(folder / "cohort.sqlite")
    store.upsert(result.rows)
    assert repr(store.rows()) == repr((shown,))


def test_rows_and_refusals_do_not_depend_on_the_order_given(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.reading.json" for number in range(8)]
    rows = [put(file, make_reading(subject=f"S{9 - n}")) for n, file in enumerate(files[:6])]
    for file in files[6:]:
        file.write_bytes(b"{}")
    expected = measure_files(files)
    assert expected.rows == tuple(reversed(rows))
    assert [refusal.file for refusal in expected.refusals] == [str(file) for file in files[6:]]
    mixed = files * 2
    random.Random(1).shuffle(mixed)
    assert measure_files(mixed) == expected
    assert measure_files([tmp_path, *mixed]) == expected


def test_folders_are_searched_for_reading_files_alone(tmp_path: Path) -> None:
    put(tmp_path / "study" / "reader 2" / "a.reading.json", make_reading())
    (tmp_path / "study" / "notes.json").write_text("{}")
    (tmp_path / "study" / ".a.reading.json.x1.part").write_text("{")
    result = measure_files([tmp_path])
    assert [row.key.subject for row in result.rows] == ["S01"]
    assert result.refusals == ()
    assert measure_files([tmp_path / "study" / "notes.json"]).refusals != (), "named, so measured"


def test_names_are_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "bad.reading.json").write_bytes(b"{\n  1")
    monkeypatch.chdir(tmp_path)
    (refusal,) = measure_files([Path("study")]).refusals
    assert refusal.file == str(Path("study", "bad.reading.json"))
    assert refusal.place == "line 2, column 3"
    assert str(refusal).startswith(f"{refusal.file}: line 2, column 3: ")
    (refusal,) = measure_files([Path("gone.reading.json")]).refusals
    assert refusal == Refusal("gone.reading.json", "", "there is no such file")


def test_a_key_claimed_by_two_files_is_refused_for_both(tmp_path: Path) -> None:
    one, other = tmp_path / "one.reading.json", tmp_path / "other.reading.json"
    put(one, make_reading(100.0))
    put(other, make_reading(120.0))
    kept = put(tmp_path / "third.reading.json", make_reading(read_no=2))
    result = measure_files([tmp_path])
    assert result.rows == (kept,)
    assert [refusal.file for refusal in result.refusals] == [str(one), str(other)]
    for refusal, rival in zip(result.refusals, (other, one), strict=True):
        assert str(rival) in refusal.problem
        assert "S01 L m00, reader r1, read 1" in refusal.problem


def test_a_copy_of_a_file_gives_one_row(tmp_path: Path) -> None:
    row = put(tmp_path / "a.reading.json", make_reading())
    copy = tmp_path / "backup" / "a.reading.json"
    copy.parent.mkdir()
    copy.write_bytes((tmp_path / "a.reading.json").read_bytes())
    assert measure_files([tmp_path]) == BatchResult((row,), ())


def test_marks_that_give_no_circle_are_refused_by_view(tmp_path: Path) -> None:
    reading = make_reading()
    view = reading.views[1]
    assert isinstance(view, ReadView)
    short = make_rim(view.plane.plane(), (50.0, 50.0), directions_deg=(0, 10, 20, 30))
    broken = replace(reading, views=(reading.views[0], replace(view, rim=short)))
    save_reading(broken, tmp_path / "a.reading.json")
    (refusal,) = measure_files([tmp_path]).refusals
    assert "sagittal view: the rim points span only" in str(refusal)


def test_a_method_for_other_images_is_refused(tmp_path: Path) -> None:
    put(tmp_path / "a.reading.json", make_reading())
    radiograph = put(tmp_path / "b.reading.json", make_reading(b_view=View.FROG_LEG, subject="X"))
    result = measure_files([tmp_path], method_named("kerboul_radiograph"))
    assert result.rows == (radiograph,)
    assert "measures radiographs" in result.refusals[0].problem


def test_an_error_of_the_program_costs_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a.reading.json", make_reading())
    put(tmp_path / "b.reading.json", make_reading(subject="S02"))

    def fail(batch: ReadingBatch, *arguments: object) -> object:
        if "S01" in batch.hips.subject:
            raise ZeroDivisionError("division by zero")
        return measure_batch(batch, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("necroangle.batch.worker.measure_batch", fail)
    result = measure_files([tmp_path])
    assert [row.key.subject for row in result.rows] == ["S02"]
    (refusal,) = result.refusals
    assert refusal.problem == "internal error: ZeroDivisionError('division by zero')"
    assert refusal.place.startswith("test_batch_of_readings.py line ")


def test_an_error_that_no_reading_shows_alone_is_not_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a.reading.json", make_reading())
    put(tmp_path / "b.reading.json", make_reading(subject="S02"))

    def fail(batch: ReadingBatch, *arguments: object) -> object:
        if batch.size > 1:
            raise IndexError("a fault of the program")
        return measure_batch(batch, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("necroangle.batch.worker.measure_batch", fail)
    with pytest.raises(IndexError, match="a fault of the program"):
        measure_files([tmp_path])


def test_progress_is_told_after_every_chunk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a.reading.json", make_reading())
    (tmp_path / "b.reading.json").write_bytes(b"")
    monkeypatch.setattr("necroangle.batch.stream.open_stream", partial(open_stream, chunk=1))
    told: list[tuple[int, int]] = []
    measure_files([tmp_path], progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 2), (2, 2)]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_pipes_and_loops_are_refused_and_do_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.reading.json")
    (tmp_path / "loop.reading.json").symlink_to("loop.reading.json")
    (tmp_path / "folder.reading.json").mkdir()
    result = measure_files([tmp_path])
    assert [Path(refusal.file).name for refusal in result.refusals] == [
        "loop.reading.json",
        "pipe.reading.json",
    ]


def test_a_folder_that_stays_shut_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def shut(folder: Path) -> object:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr("os.scandir", shut)
    (refusal,) = measure_files([tmp_path]).refusals
    assert refusal == Refusal(str(tmp_path), "", "cannot be read: Permission denied")


def test_the_row_carries_the_hash_of_the_very_bytes(tmp_path: Path) -> None:
    raw = encode_reading(make_reading()).replace(b"\n", b"\r\n")
    (tmp_path / "a.reading.json").write_bytes(raw)
    row = measure_file(tmp_path / "a.reading.json")
    assert isinstance(row, CohortRow)
    assert row["annotation_sha256"] == sha256_of(raw)
