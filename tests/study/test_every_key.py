"""Every key of study.toml changes what some command says, or the change is refused."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from fullprotocol import write_full_protocol
from hipmaker import make_reading
from msgspec import Struct, convert, to_builtins
from msgspec.structs import fields, replace

from necroangle.annotation import encode_reading, file_name, sha256_of
from necroangle.cli.analyses.outcome import command as outcome
from necroangle.cli.images.series import command as series
from necroangle.cli.readings.change import command as change
from necroangle.cli.readings.measure import command as measure
from necroangle.cli.records.anchor import command as anchor
from necroangle.cli.records.export import command as export
from necroangle.cli.records.import_table import command as import_table
from necroangle.cohort import CohortStore, to_row
from necroangle.errors import NecroangleError
from necroangle.ledger.records import Entry
from necroangle.measurement import measure as run_measure
from necroangle.protocol.study import NO_STUDY, StudyProtocol, decode_protocol, study_toml
from necroangle.protocol.visits import Visit
from necroangle.study import init_study, open_study
from necroangle.terms import ArcoStage

VISITS = (Visit("m00", 0, 90, 14), Visit("m12", 12, 60, 60), Visit("m24", 24, 60, 60))
TABLE = "subject,side,visit,visit_date,vas,vas_scale,hhs\nS9,L,m00,2020-01-01,-97,10,\n"


def said(command: Any, *arguments: str) -> str:
    """All that a command says, a refusal too."""
    try:
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    except NecroangleError as error:
        return f"refused: {error}"
    return result.output


def quantities() -> str:
    return said(outcome, "--csv")


def visits() -> str:
    return said(outcome, "--table", "visits", "--csv")


def exported() -> str:
    told = said(export, "--to", "csv", "--unit", "hip_visit", "--out", "out", "--by", "test")
    data = Path("out", "cohort.csv")
    return told + (data.read_text("utf-8") if data.exists() else "")


def provenance() -> str:
    said(export, "--to", "csv", "--unit", "hip_visit", "--out", "out", "--by", "test")
    text = Path("out", "provenance.json").read_text("utf-8")
    return text[text.index('"query"') : text.index('"unit"')]


def measured() -> str:
    return said(measure, "readings", "--cohort", "again.sqlite", "--json")


def anchored() -> str:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    Path("sign.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return str("signature" in said(anchor))


def compared() -> str:
    """Two visits of one hip by one reader."""
    pair = (min(Path("readings").glob(f"S1*{visit}*alice*")) for visit in ("m12", "m24"))
    return said(change, *map(str, pair))


def offered() -> str:
    return said(series, "images")


def imported() -> str:
    Path("table.csv").write_text(TABLE, "utf-8")
    told = said(import_table, "table.csv", "--as", "nurse")
    records = CohortStore.open("cohort.sqlite").current("visit", ("S9",))
    return told + str([record.values for record in records])


PROBES: dict[str, tuple[Any, Callable[[], str]]] = {
    "format": ("other.study", provenance),
    "version": (2, quantities),
    "study": ("another", provenance),
    "method": ("max_extent", measured),
    "readers": (["bob"], visits),
    "consensus": (False, visits),
    "index_visit": ("m12", quantities),
    "index_day": (["visit"], visits),
    "cohort": ("other.sqlite", quantities),
    "secret": ("other.key", exported),
    "signing_key": ("sign.key", anchored),
    "events": (["collapse", "tha"], exported),
    "weightings": (["STIR"], offered),
    "cut_offs.change_deg": (45.0, quantities),
    "noise.end_sd_mm": (2.5, measured),
    "noise.end_bias_mm": (1.5, measured),
    "noise.end_dof": (50.0, measured),
    "noise.from_repeats": (True, measured),
    "noise.repeats_needed": (1000, quantities),
    "noise.readers": (
        [{"reader": "alice", "end_sd_mm": 0.6, "end_bias_mm": 0.1, "end_dof": 45}],
        measured,
    ),
    "noise.angle": ([{"who": "same reader", "sd_deg": 9.5, "dof": 40}], quantities),
    "failure.rule": ("arco_progression", quantities),
    "failure.reaches": (["4"], quantities),
    "failure.tha": (False, quantities),
    "statistics.quantiles": (6, quantities),
    "statistics.wilcoxon": ("normal", quantities),
    "statistics.zeros": ("pratt", quantities),
    "missing.not_applicable": (-1, imported),
    "missing.not_readable": (-97, imported),
    "missing.not_done": (-97, imported),
    "missing.empty": ("not readable", imported),
    "visits.name": ("other", visits),
    "visits.months": (18.0, visits),
    "visits.before_days": (1, visits),
    "visits.after_days": (1, visits),
}
"""Of every key: another value, and the command whose words must differ."""


def keys_of(kind: type[Struct] = StudyProtocol, before: str = "") -> list[str]:
    """Every key of the file, told by the schema itself."""
    found = []
    for one in fields(kind):
        inner: Any = Visit if one.name == "visits" else type(getattr(NO_STUDY, one.name, None))
        if not before and issubclass(inner, Struct):
            found += keys_of(inner, f"{one.name}.")
        else:
            found.append(before + one.name)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of four hips with repeats, a consensus, a replacement and a stranger's reading."""
    place = tmp_path_factory.mktemp("study") / "odd"
    study = init_study(place, "odd", readers=("alice", "bob"))
    write_full_protocol(place / "images")
    protocol = replace(study.protocol, visits=VISITS)
    (place / "study.toml").write_bytes(study_toml(protocol))
    shutil.copy(place / "secret.key", place / "other.key")
    (place / "other.key").write_bytes(b"another secret, which is long enough")
    (place / "other.key").chmod(0o600)
    for name, angles in {
        "S1": (130, 100, 90),
        "S2": (90, 90, 120),
        "S3": (80, 110, 100),
        "S4": (70, 60, 40),
    }.items():
        for visit, angle in zip(("m00", "m12", "m24"), angles, strict=True):
            reads = [("alice", 1, 0.0), ("alice", 2, 4.0), ("bob", 1, 9.0)]
            made = [
                make_reading(
                    angle + more, 80.0, subject=name, visit=visit, reader=reader, read_no=read
                )
                for reader, read, more in reads
            ]
            if (name, visit) == ("S1", "m12"):
                joint = make_reading(150.0, 80.0, subject=name, visit=visit, reader="joint")
                pair = tuple(sha256_of(encode_reading(one)) for one in (made[0], made[2]))
                made.append(replace(joint, consensus_of=pair))
            for one in made:
                (study.readings / file_name(one)).write_bytes(encode_reading(one))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        said(measure, "readings")
        entries = [Entry("hip", ("S1", "L"), {"treatment_date": "2020-01-09"})]
        stages = {"S1": "2333", "S2": "2224", "S3": "2222", "S4": "1223"}
        pains = {
            "S1": (5.0, 5.0, 4.0),
            "S2": (6.0, 5.0, 2.5),
            "S3": (7.0, 1.0, 7.0),
            "S4": (3, 1, 9),
        }
        for name, pain in pains.items():
            year = "2021-01-25" if name == "S4" else "2020-12-20"
            days = ("2020-01-06", year, "2022-01-30")
            for at, (visit, day) in enumerate(zip(("m00", "m12", "m24"), days, strict=True)):
                stage = {"1": "1", "2": "2", "3": "3B", "4": "4"}[stages[name][at]]
                values: dict[str, Any] = {
                    "visit_date": day,
                    "arco": str(ArcoStage(stage)),
                    "vas": float(pain[at]),
                }
                entries.append(Entry("visit", (name, "L", visit), {**values, "vas_scale": 10}))
        entries.append(Entry("event", ("S3", "L", "tha", "1"), {"event_date": "2022-06-01"}))
        CohortStore.open("cohort.sqlite").record(entries, actor="test")
    return place


def test_every_key_of_the_schema_has_its_probe() -> None:
    assert keys_of() == list(PROBES)
    text = study_toml(replace(NO_STUDY, visits=VISITS, method="m", index_visit="m00")).decode()
    written = {
        line.split(" = ")[0] for line in text.splitlines() if " = " in line and line[0] != "#"
    }
    blocks = {key for key in keys_of() if f"# [[{key}]]" in text}
    assert blocks == {"noise.readers", "noise.angle"}
    assert {key.rpartition(".")[2] for key in keys_of()} == written | {"angle"}


@pytest.mark.parametrize("key", PROBES)
def test_a_changed_key_changes_an_answer_or_is_refused(
    key: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    value, probe = PROBES[key]
    answers = []
    for name, changed in (("before", False), ("after", True)):
        place = shutil.copytree(folder, tmp_path / name)
        values = to_builtins(open_study(place).protocol)
        if changed:
            table, _, inner = key.rpartition(".")
            within = (
                values["visits"][1] if table == "visits" else values[table] if table else values
            )
            assert within[inner] != value
            within[inner] = value
        (place / "study.toml").write_bytes(_text_of(values))
        monkeypatch.chdir(place)
        answers.append(probe())
    assert not answers[0].startswith("refused"), answers[0]
    assert answers[0] != answers[1], key


def _text_of(values: dict[str, Any]) -> bytes:
    """The file of these values; another format or version, which no protocol holds, by its text."""
    name, version = values["format"], values["version"]
    plain = {**values, "format": NO_STUDY.format, "version": NO_STUDY.version}
    text = study_toml(convert(plain, StudyProtocol)).decode()
    text = text.replace(f'"{NO_STUDY.format}"', f'"{name}"', 1)
    return text.replace("version = 1", f"version = {version}", 1).encode()


def test_change_and_the_panel_hear_the_threshold(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shutil.copytree(folder, tmp_path / "study")
    monkeypatch.chdir(place)
    assert "decreased by more than 20°: " in compared()
    text = (place / "study.toml").read_text("utf-8")
    (place / "study.toml").write_text(
        text.replace("change_deg = 20.0", "change_deg = 7.5"), "utf-8"
    )
    assert "decreased by more than 7.5°: " in compared()
    text = re.sub(r"repeats_needed = \d+", "repeats_needed = 1000", text)  # what is declared counts
    (place / "study.toml").write_text(text, "utf-8")
    wide = compared()
    (place / "study.toml").write_text(text.replace("end_sd_mm = 1.0", "end_sd_mm = 3.0"), "utf-8")
    assert decode_protocol((place / "study.toml").read_bytes()).noise.end_sd_mm == 3.0
    assert compared().splitlines()[1] != wide.splitlines()[1], "its interval holds the noise"


def test_change_refuses_a_visit_after_the_hip_was_replaced(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shutil.copytree(folder, tmp_path / "study")
    monkeypatch.chdir(place)
    early = Entry("event", ("S1", "L", "tha", "1"), {"event_date": "2021-06-01"})
    CohortStore.open("cohort.sqlite").record([early], actor="test")
    told = compared()
    assert told.startswith("refused: S1 L, visit m24: after the hip was replaced there is no angle")


def test_a_reader_who_is_none_of_the_studys_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shutil.copytree(folder, tmp_path / "study")
    monkeypatch.chdir(place)
    stranger = make_reading(90.0, 80.0, subject="S1", reader="zed")
    Path("zed.reading.json").write_bytes(encode_reading(stranger))
    told = said(measure, "zed.reading.json")
    assert "zed.reading.json: reader zed is none of the study's (alice, bob)" in told
    assert "0 measured" in told
    assert "left out: zed" not in said(outcome)


def test_a_strangers_reading_that_was_measured_before_does_not_count(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = shutil.copytree(folder, tmp_path / "study")
    monkeypatch.chdir(place)
    stranger = make_reading(90.0, 80.0, subject="S1", reader="zed")
    raw = encode_reading(stranger)
    row = to_row(stranger, run_measure(stranger), sha256_of(raw))
    CohortStore.open("cohort.sqlite").upsert([row], {sha256_of(raw): raw}, "zed")
    assert "readers who are none of the study's, left out: zed (1 reading)" in said(outcome)
