"""Free words that tell who somebody is are refused when they are entered; plain reasons pass."""

from pathlib import Path

import pytest

from necroangle.cohort import CohortStore
from necroangle.errors import CohortError
from necroangle.ledger.records import Entry
from necroangle.protocol.free_text import free_text_problem

TELLING = [
    "Mr. Hong asked for it",
    "Frau Müller rief an",
    "patient: Gildong Hong",
    "patient name Maria Schmidt",
    "홍길동 환자 요청",
    "홍길동님 전화",
    "이름: 홍길동",
    "山田さんの希望",
    "氏名 山田太郎",
    "born 1961-04-03",
    "DOB 03/04/1961",
    "geb. 3.4.1961",
    "1961년 4월 3일생",
    "생년월일 610403",
    "see 19610403",
    "chart number 20114578",
    "call 010-1234-5678",
    "850101-1234567",
    "kim@hospital.org",
]
PLAIN = [
    "",
    "typing error",
    "import of table 12345678901234567890123456789012: month 6",
    "seen again on the form of 2026-05-02",
    "VAS 3.5 and not 35",
    "입력 오류 정정",
    "왼쪽 고관절 수술 후 재판독",
    "記載ミスの訂正",
    "Stage 3A by Harris Hip Score sheet",
    "consent of 2 May",
    "wrong side: L, not R; row 1204",
    "the scale is 0 to 100",
]


@pytest.mark.parametrize("text", TELLING)
def test_what_tells_who_somebody_is_is_refused(text: str, tmp_path: Path) -> None:
    assert free_text_problem(text)
    store = CohortStore.open(tmp_path / "cohort.sqlite")
    with pytest.raises(CohortError, match="the reason holds what looks like a"):
        store.record([Entry("subject", ("S01",), {"sex": "F"}, text)], actor="kim")
    assert store.current("subject") == []


@pytest.mark.parametrize("text", PLAIN)
def test_plain_reasons_pass(text: str) -> None:
    assert free_text_problem(text) == ""
