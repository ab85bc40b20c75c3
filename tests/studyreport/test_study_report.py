"""The report of a study: whole, offline, without a name, the same for the same cohort."""

import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pydicom
import pytest
from click.testing import CliRunner
from cohortmaker import STUDY, VISITS, plain_cohort, store_cohort
from hipmaker import make_reading
from msgspec.structs import replace

from necroangle.annotation import encode_reading, file_name, load_reading
from necroangle.cli.analyses.report import command as report_command
from necroangle.cli.readings.measure import command as measure
from necroangle.clinical.queries import find_queries, settle
from necroangle.ledger.store import CohortStore
from necroangle.measurement import measure as measured
from necroangle.measurement import method_named
from necroangle.protocol.study import NO_STUDY, new_protocol, study_toml
from necroangle.review import index_images
from necroangle.studyreport import Look, StudyReport, gather, write_html, write_pdf

pytest.importorskip("jinja2", reason="a report needs the extra report")
pytest.importorskip("matplotlib", reason="a report needs the extra report")

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("report") / "cohort.sqlite"
    store_cohort(place, plain_cohort(STUDY))
    return place


@pytest.fixture(scope="module")
def report(cohort: Path) -> StudyReport:
    return gather(cohort, replace(NO_STUDY, study="onfh", visits=VISITS), MADE)


@pytest.fixture(scope="module")
def page(report: StudyReport, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_html(report, path)
    return path.read_text("utf-8")


def test_rows_and_readings_are_asked_for_once_however_many_visits(
    cohort: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    for name in ("rows", "contents"):
        real = getattr(CohortStore, name)

        def counted(*given: Any, _real: Any = real, _name: str = name) -> Any:
            asked.append(_name)
            return _real(*given)

        monkeypatch.setattr(CohortStore, name, counted)
    found = gather(cohort, replace(NO_STUDY, study="onfh", visits=VISITS), MADE)
    assert sum(len(hip.visits) for hip in found.hips) > 2
    assert sorted(asked) == ["contents", "rows"]


class Outside(HTMLParser):
    """What a page would ask for, and its elements."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.names: set[str] = set()
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and value and not value.startswith("#"):
                self.asked.append(value)
            if name == "href" and value and value.startswith("#") and tag == "a":
                self.links.append(value[1:])
            if name == "id" and value:
                self.names.add(value)


def test_it_asks_for_nothing_and_runs_nothing(page: str) -> None:
    found = Outside(page)
    assert found.asked == []
    assert "script" not in found.tags
    assert "default-src 'none'" in page
    assert "@import" not in page
    assert "url(http" not in page


def test_every_link_leads_somewhere_and_headings_are_in_order(page: str) -> None:
    found = Outside(page)
    assert set(found.links) <= found.names
    levels = [int(tag[1]) for tag in found.tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))
    assert found.tags.count("main") == 1


def test_it_says_what_the_paper_says(page: str) -> None:
    for words in (
        "18 patients with 22 hips were analysed",
        "2 of 14 hips with ARCO 2 (14.3 %",
        "P = 0.052",
        "performed in 4 of 22 hips",
        "Cumulative incidence of failure",
        "replaced before",
    ):
        assert words in page
    assert "nan" not in re.sub(r"[a-z]*nan[a-z]+|[a-z]+nan", "", page.lower())
    assert "None" not in page


def test_every_figure_is_a_picture_with_its_rows(report: StudyReport) -> None:
    assert [one.name for one in report.figures] == [
        "flow", "angle_over_time", "change_of_angle", "stages", "incidence", "survival",
        "prediction", "shares", "failure_rules",
    ]  # fmt: skip
    for one in report.figures:
        assert ET.fromstring(one.svg()).tag.endswith("svg")
        assert one.rows
        assert one.caption.endswith(".")
    first = report.figures[0]
    assert first.svg() == first.svg()
    assert first.png(50).startswith(b"\x89PNG")


def test_the_pdf_has_real_text(report: StudyReport, tmp_path: Path) -> None:
    path = tmp_path / "report.pdf"
    pages = write_pdf(report, path)
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    assert pages == content.count(b"/Type /Page ") >= 9
    assert b"/TrueType" in content or b"/CIDFontType2" in content


def test_the_command_writes_all_of_it_and_hips_have_their_drawings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("readings").mkdir()
    for subject in ("S1", "S2", "S3"):
        for reader, more in (("kim", 0.0), ("lee", 7.0)):
            one = make_reading(
                90 + more + 7 * int(subject[1]), 80.0 + more, subject=subject, visit="m00",
                reader=reader,
            )  # fmt: skip
            Path("readings", file_name(one)).write_bytes(encode_reading(one))
    CliRunner().invoke(measure, ["readings", "--cohort", "c.sqlite"], catch_exceptions=False)
    result = CliRunner().invoke(
        report_command,
        ["--cohort", "c.sqlite", "--out", "r.html", "--figures", "figures"],
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.output
    page = Path("r.html").read_text("utf-8")
    assert page.count('aria-label="coronal ') == 3
    assert "Agreement of the readers" in page
    assert "left out: no hip is at risk" in result.output
    assert {path.suffix for path in Path("figures").iterdir()} == {".svg", ".png", ".csv"}


def test_one_reading_is_a_page_with_its_slices_below_one_megabyte(tmp_path: Path) -> None:
    samples = Path(__file__).parents[2] / "sample_dicoms"
    reading = samples / "readings" / "PHANTOM-01__L__baseline__truth__1.reading.json"
    images = tmp_path / "images"  # the index goes beside them
    shutil.copytree(samples / "plain", images)
    out, pdf = tmp_path / "hip.html", tmp_path / "hip.pdf"
    words = [
        "--reading",
        str(reading),
        "--images",
        str(images),
        "--out",
        str(out),
        "--pdf",
        str(pdf),
    ]
    result = CliRunner().invoke(report_command, words, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    page = out.read_text("utf-8")
    assert page.count("data:image/jpeg;base64,") == 2
    assert Outside(page.replace("data:image/jpeg;base64,", "#")).asked == []
    assert "CNA 134.3°" in page
    assert max(out.stat().st_size, pdf.stat().st_size) < 1_000_000
    assert pdf.read_bytes().count(b"/Type /Page ") == 1


def test_the_page_of_a_reading_is_measured_as_its_study_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says the number of the table, on the page alone as in a bundle."""
    samples = Path(__file__).parents[2] / "sample_dicoms"
    reading = str(samples / "readings" / "PHANTOM-01__L__baseline__truth__1.reading.json")
    (tmp_path / "study.toml").write_bytes(study_toml(new_protocol("onfh", "centre_plane")))
    monkeypatch.chdir(tmp_path)
    method = method_named("centre_plane")
    plain, found = (measured(load_reading(Path(reading)), one) for one in (None, method))
    words = f"CNA {found.cna_deg:.1f}°"
    assert words != f"CNA {plain.cna_deg:.1f}°"
    done = CliRunner().invoke(report_command, ["--reading", reading, "--out", "hip.html"])
    assert done.exit_code == 0, done.output
    page = Path("hip.html").read_text("utf-8")
    assert words in page
    assert "A, radius of the head" in page


def test_pictures_of_slices_have_marks_that_can_be_switched_off(tmp_path: Path) -> None:
    samples = Path(__file__).parents[2] / "sample_dicoms"
    images = tmp_path / "images"
    shutil.copytree(samples / "plain", images)
    readings = sorted((samples / "readings").glob("PHANTOM-01__L*"))
    result = CliRunner().invoke(
        measure,
        [*map(str, readings), "--cohort", str(tmp_path / "c.sqlite")],
        catch_exceptions=False,
    )
    assert result.exit_code == 0, result.output
    made = gather(tmp_path / "c.sqlite", NO_STUDY, MADE, Look(index_images([images])))
    (hip,) = made.hips
    with_marks, bare = hip.visits[0].pictures
    assert with_marks.startswith(b"\xff\xd8")
    assert with_marks != bare
    write_html(made, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text("utf-8")
    assert 'type="checkbox"' in page
    assert page.count("data:image/jpeg") == 2 + 2 * 5  # and two slices on each side


def test_no_identity_of_the_images_reaches_the_report(tmp_path: Path) -> None:
    """Every identifying attribute, the identifiers, the names of the files and of their folder."""
    samples = Path(__file__).parents[2] / "sample_dicoms"
    planted = {
        keyword: f"CANARY{number}"
        for number, keyword in enumerate(
            (
                "PatientName", "OtherPatientIDs", "PatientAddress", "PatientComments",
                "InstitutionName", "InstitutionAddress", "ReferringPhysicianName",
                "OperatorsName", "StationName", "StudyDescription", "SeriesDescription",
                "ProtocolName", "AccessionNumber", "StudyID", "ImageComments", "BodyPartExamined",
            )
        )
    }  # fmt: skip
    images = tmp_path / "CANARY_HONG"
    identifiers: set[str] = set()
    for number, path in enumerate(sorted((samples / "plain").rglob("*.dcm"))):
        dataset = pydicom.dcmread(path)
        for keyword, words in planted.items():
            setattr(dataset, keyword, words)
        dataset.PatientBirthDate, dataset.StudyDate = "19630521", "20240229"
        keywords = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
        identifiers.update(str(getattr(dataset, keyword)) for keyword in keywords)
        images.mkdir(exist_ok=True)
        dataset.save_as(images / f"CANARY_{number}.dcm")
    readings = sorted((samples / "readings").glob("PHANTOM-01__*"))
    cohort = str(tmp_path / "c.sqlite")
    filled = CliRunner().invoke(measure, [*map(str, readings), "--cohort", cohort])
    assert filled.exit_code == 0, filled.output
    out = tmp_path / "out"
    out.mkdir()
    asked = ["--cohort", cohort, "--out", str(out / "r.html"), "--pdf", str(out / "r.pdf")]
    asked += ["--figures", str(out / "figures"), "--images", str(images)]
    made = CliRunner().invoke(report_command, asked, catch_exceptions=False)
    assert made.exit_code == 0, made.output
    page = (out / "r.html").read_text("utf-8")
    assert page.count("data:image/jpeg") >= 4  # the slices were found and drawn
    texts = [path.read_text("utf-8") for path in out.rglob("*") if path.suffix in (".csv", ".svg")]
    if shutil.which("pdftotext") is not None:  # Debian: poppler-utils
        asked = ["pdftotext", str(out / "r.pdf"), "-"]
        texts.append(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    everything = "\n".join([page, made.output, filled.output, *texts])
    assert "PHANTOM-01" in everything
    secrets = ("CANARY", "HONG", "19630521", "20240229", "1963-05-21", "2024-02-29", *identifiers)
    assert [secret for secret in secrets if secret in everything] == []


def test_queries_stand_in_the_report_with_their_state(tmp_path: Path) -> None:
    place = tmp_path / "cohort.sqlite"
    store_cohort(place, plain_cohort(STUDY))
    protocol = replace(NO_STUDY, study="onfh", visits=VISITS)
    with CohortStore.open(place) as store:
        first, second, *_ = find_queries(store, protocol, today=MADE.date())
        settle(store, [first, second], [first.id], "accepted", actor="kim", reason="seen")
    found = gather(place, protocol, MADE)
    states = {one.id: one.state for one in found.queries}
    assert (states[first.id], states[second.id]) == ("accepted", "open")
    write_html(found, tmp_path / "r.html")
    page = (tmp_path / "r.html").read_text("utf-8")
    assert "accepted: seen" in page
    assert second.issue.message in unescape(page)
