"""The FHIR bundle of a reading, by a library of FHIR's own."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from hipmaker import make_reading

from necroangle.annotation import encode_reading, file_name, save_reading, sha256_of
from necroangle.cli import cli
from necroangle.interop.fhir import bundle_of, encoded
from necroangle.measurement import measure

Bundle = pytest.importorskip("fhir.resources.bundle").Bundle


@pytest.mark.parametrize("angles", [(100.0, 80.0), (100.0, None), (0.0, 0.0)])
def test_bundle_is_valid_and_says_what_was_measured(
    angles: tuple[float, float | None],
) -> None:
    reading = make_reading(*angles, subject="환자-01")
    measured = measure(reading)
    pages = (("text/html", b"<p>hip</p>"),)
    bundle = bundle_of(reading, measured, sha256_of(encode_reading(reading)), pages)
    Bundle.model_validate_json(encoded(bundle))
    resources = [one["resource"] for one in bundle["entry"]]
    kinds = [one["resourceType"] for one in resources]
    assert kinds.count("ImagingSelection") == 2 - angles.count(None)
    urls = {one["fullUrl"] for one in bundle["entry"]}
    report = resources[-1]
    assert {one["reference"] for one in report["result"]} <= urls
    assert base64.b64decode(report["presentedForm"][0]["data"]) == b"<p>hip</p>"
    values = {
        one["code"]["coding"][0]["code"]: one.get("valueQuantity", {}).get("value")
        for one in resources
        if one["resourceType"] == "Observation"
    }
    if measured.cna is None:
        assert values["cna_deg"] is None
        assert "not done" in report["conclusion"]
    else:
        assert values["cna_deg"] == pytest.approx(measured.cna.value, abs=1e-6)


def test_identifiers_are_replaced_unless_asked_for(tmp_path: Path) -> None:
    reading = make_reading(100.0, 80.0, notes="SECRET NOTE")
    path = tmp_path / file_name(reading)
    save_reading(reading, path)
    hidden = CliRunner().invoke(cli, ["fhir", str(path), "--no-pages"])
    plain = CliRunner().invoke(cli, ["fhir", str(path), "--identifiers"])
    assert hidden.exit_code == plain.exit_code == 0, hidden.output
    uids = {one["instance"][0]["uid"] for one in selections(plain.output)}
    assert uids == {"1.2.3.1.1", "1.2.3.2.1"}
    assert not uids & {one["instance"][0]["uid"] for one in selections(hidden.output)}
    assert "SECRET" not in hidden.output + plain.output


def test_the_report_of_the_reading_is_attached(tmp_path: Path) -> None:
    """As HTML and PDF, the same in every run; pages that are given stand in its place."""
    path = tmp_path / file_name(make_reading(100.0, 80.0))
    save_reading(make_reading(100.0, 80.0), path)
    secret = tmp_path / "secret"
    secret.write_bytes(b"7" * 64)
    secret.chmod(0o600)
    asked = ["fhir", str(path), "--secret", str(secret)]
    first, second = (CliRunner().invoke(cli, asked) for _ in range(2))
    assert first.output == second.output
    Bundle.model_validate_json(first.output)
    html, pdf = forms(first.output)
    assert html[0] == "text/html"
    assert b"CNA 180" in html[1]
    assert pdf[0] == "application/pdf"
    assert pdf[1].startswith(b"%PDF")
    own = tmp_path / "own.html"
    own.write_text("<p>own</p>", "utf-8")
    given = CliRunner().invoke(cli, [*asked, "--html", str(own)])
    assert forms(given.output) == [("text/html", b"<p>own</p>")]
    assert forms(CliRunner().invoke(cli, [*asked, "--no-pages"]).output) == []


def forms(text: str) -> list[tuple[str, bytes]]:
    report = json.loads(text)["entry"][-1]["resource"]
    listed = report.get("presentedForm", ())
    return [(one["contentType"], base64.b64decode(one["data"])) for one in listed]


def selections(text: str) -> list[dict[str, list[dict[str, str]]]]:
    entries = json.loads(text)["entry"]
    resources = [one["resource"] for one in entries]
    return [one for one in resources if one["resourceType"] == "ImagingSelection"]
