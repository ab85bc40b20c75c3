"""Sheets as clinics keep them: how many lines of the proposed mapping a person has to edit.

Korean, Japanese, Chinese, German and English; titles, two rows of headings, merged cells, Roman
stages, decimal commas, days of 1904, UTF-16. Each sheet says which lines of its proposal are
changed, and what stands in the cohort when it was imported. All that is edited is counted.
"""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import median

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from necroangle.clinical import open_table, plan_import, write_import
from necroangle.clinical.importing import suggest_mapping
from necroangle.clinical.mapping import decode_mapping
from necroangle.cohort import CohortStore
from necroangle.errors import CohortError
from necroangle.protocol.study import new_protocol

PROTOCOL = new_protocol("onfh", "ha_mr_midslice")
Rows = list[list[object]]
Key = tuple[str, ...]


@dataclass(frozen=True)
class Sheet:
    """A table, the edits that its proposed mapping needs, and what must come of it.

    Attributes
    ----------
    name
        Of the test.
    rows
        The cells.
    how
        What kind of file it is: an encoding with its delimiter, or ``"xlsx"``, ``"1904"``.
    edits
        What is replaced in the proposal by what: each is one edit.
    wanted
        Kind and key to some values.
    merged
        Cells that are merged, in a workbook.
    """

    name: str
    rows: Rows
    how: str
    wanted: dict[tuple[str, Key], dict[str, object]]
    edits: tuple[tuple[str, str], ...] = ()
    merged: tuple[str, ...] = ()
    options: dict[str, object] = field(default_factory=dict)


def visit(
    subject: str, side: str, name: str, **values: object
) -> dict[tuple[str, Key], dict[str, object]]:
    return {("visit", (subject, side, name)): values}


SHEETS = (
    Sheet(
        "korean, one row a hip, visits side by side",
        [
            [
                "연구번호",
                "성별",
                "나이",
                "좌우",
                "수술일",
                "수술 전 VAS",
                "수술 후 6개월 VAS",
                "비고",
            ],
            ["KT-001", "남", "45", "우측", "2020-03-04", "70", "30", "재수술"],
            ["KT-002", "여", "51", "좌측", "2020-05-06", "65", "ND", ""],
        ],
        "utf-8,",
        {
            ("subject", ("KT-001",)): {"sex": "M", "age_at_index_years": 45.0},
            ("hip", ("KT-001", "R")): {"treatment_date": "2020-03-04"},
            **visit("KT-001", "R", "m06", vas=30.0, vas_scale=100),
            **visit("KT-002", "L", "m06", vas=None, vas_missing="not done"),
        },
    ),
    Sheet(
        "korean, CP949, one row a visit",
        [
            ["환자번호", "측", "시점", "검사일", "병기", "통증", "해리스 점수"],
            ["A01", "우", "수술 전", "2021.03.04", "IIIA", "7", "55"],
            ["A01", "우", "6개월", "2021.09.04", "3 a", "3", "78"],
            ["A01", "우", "1년", "2022.03.04", "3기 B", "2", "81"],
            ["A02", "좌", "수술전", "2021.04.01", "II", "8", "49"],
        ],
        "cp949,",
        {
            **visit("A01", "R", "m00", arco="3A", vas=7.0, vas_scale=10, hhs=55.0),
            **visit("A01", "R", "m12", arco="3B", visit_date="2022-03-04"),
            **visit("A02", "L", "m00", arco="2"),
        },
        options={"encoding": "cp949"},
    ),
    Sheet(
        "korean, title rows and two rows of headings, merged",
        [
            ["대퇴골두 무혈성 괴사 등록", None, None, None, None, None, None],
            ["2024년 3월", None, None, None, None, None, None],
            ["연구번호", "좌우", "수술 전", None, "수술 후 12개월", None, "원인"],
            [None, None, "VAS", "HHS", "VAS", "HHS", None],
            ["KT-001", "R", 7, 50, 3, 80, "음주"],
            ["KT-002", "L", 6, 55, 2, 88, "스테로이드"],
        ],
        "xlsx",
        {
            **visit("KT-001", "R", "m12", vas=3.0, vas_scale=10, hhs=80.0),
            **visit("KT-002", "L", "m00", vas=6.0, hhs=55.0),
            ("subject", ("KT-002",)): {"aetiology": "steroid"},
        },
        merged=("A1:G1", "C3:D3", "E3:F3", "A3:A4", "B3:B4", "G3:G4"),
    ),
    Sheet(
        "korean, a cause of their own and hospital numbers",
        [
            ["등록번호", "대상자 번호", "방향", "원인", "BMI", "흡연"],
            ["12345678", "H01", "오른쪽", "루푸스", "23.4", "예"],
            ["12345679", "H02", "왼쪽", "특발성", "25.1", "아니오"],
        ],
        "utf-16,",
        {
            ("subject", ("H01",)): {"aetiology": "steroid", "bmi_kg_m2": 23.4, "smoking": 1},
            ("subject", ("H02",)): {"aetiology": "idiopathic", "smoking": 0},
        },
        edits=(('"루푸스" = "?"', '"루푸스" = "steroid"'),),
    ),
    Sheet(
        "japanese, one row a visit, Roman stages",
        [
            ["症例番号", "患側", "時期", "検査日", "病期", "病型", "VAS", "備考"],
            ["J-01", "右", "術前", "2019年4月1日", "Ⅱ", "C2", "60", ""],
            ["J-01", "右", "術後6か月", "2019年10月1日", "ⅢA", "C2", "35", "転倒"],
            ["J-02", "左", "術前", "2019年5月7日", "Ⅰ", "B", "40", ""],
        ],
        "cp932,",
        {
            **visit("J-01", "R", "m00", jic_stage="2", jic="C2", vas=60.0, vas_scale=100),
            **visit("J-01", "R", "m06", jic_stage="3A", visit_date="2019-10-01"),
            **visit("J-02", "L", "m00", jic_stage="1", jic="B"),
        },
        options={"encoding": "cp932"},
    ),
    Sheet(
        "japanese, wide, with a title",
        [
            ["大腿骨頭壊死症 経過表", "", "", "", "", "", ""],
            [
                "症例",
                "左右",
                "手術日",
                "術前 HHS",
                "術後1年 HHS",
                "術後2年 HHS",
                "人工股関節置換日",
            ],
            ["T1", "右側", "2018/04/02", "52", "78", "80", ""],
            ["T2", "左側", "2018/06/11", "47", "70", "62", "2020/08/09"],
        ],
        "utf-8,",
        {
            **visit("T1", "R", "m24", hhs=80.0),
            **visit("T2", "L", "m12", hhs=70.0),
            ("event", ("T2", "L", "tha", "1")): {"event_date": "2020-08-09"},
        },
    ),
    Sheet(
        "japanese, full-width digits and a workbook",
        [
            ["研究番号", "側", "性別", "年齢", "誘因", "BMI"],
            ["Ｊ７", "右", "男", "５２", "アルコール", "２４．５"],
            ["Ｊ８", "左", "女", "３９", "ステロイド", "２１．０"],
        ],
        "xlsx",
        {
            ("subject", ("Ｊ７",)): {"sex": "M", "age_at_index_years": 52.0, "bmi_kg_m2": 24.5},
            ("subject", ("Ｊ８",)): {"aetiology": "steroid"},
        },
    ),
    Sheet(
        "japanese, both sides in the headings",
        [
            ["症例No", "右ARCO", "左ARCO", "検査日"],
            ["Y1", "3A", "2", "2022-01-10"],
            ["Y2", "4", "1", "2022-02-11"],
        ],
        "utf-8;",
        {**visit("Y1", "R", "m00", arco="3A"), **visit("Y2", "L", "m00", arco="1")},
        edits=(('visit = "?"', 'visit = "m00"'),),
    ),
    Sheet(
        "chinese, one row a visit",
        [
            ["病例号", "侧别", "随访时间", "检查日期", "ARCO分期", "疼痛评分", "Harris评分"],
            ["C-1", "右侧", "术前", "2020/1/5", "II期", "6", "58"],
            ["C-1", "右侧", "术后6个月", "2020/7/5", "IIIA期", "4", "70"],
            ["C-2", "左侧", "术前", "2020/2/9", "I期", "5", "66"],
        ],
        "gb18030,",
        {
            **visit("C-1", "R", "m06", arco="3A", vas=4.0, vas_scale=10, hhs=70.0),
            **visit("C-2", "L", "m00", arco="1", visit_date="2020-02-09"),
        },
        options={"encoding": "gb18030"},
    ),
    Sheet(
        "chinese, wide, with names and remarks",
        [
            [
                "编号",
                "姓名",
                "性别",
                "年龄",
                "患侧",
                "手术日期",
                "手术方式",
                "术前VAS",
                "术后3个月VAS",
                "备注",
            ],
            ["P01", "某某", "男", "38", "左", "2019-08-01", "髓芯减压", "7", "3", "门诊"],
            ["P02", "某某", "女", "44", "右", "2019-09-02", "打压植骨", "6", "4", ""],
        ],
        "utf-8,",
        {
            ("subject", ("P01",)): {"sex": "M"},
            **visit("P02", "R", "m03", vas=4.0, vas_scale=10),
            ("treatment", ("P02", "R", "1")): {"treatment": "other"},
        },
        edits=(('"打压植骨" = "?"', '"打压植骨" = "other"'),),
    ),
    Sheet(
        "chinese, two rows of headings as text",
        [
            ["受试者编号", "侧", "术前", "", "", "术后12个月", "", ""],
            ["", "", "VAS", "HHS", "WOMAC", "VAS", "HHS", "WOMAC"],
            ["Z1", "左", "55", "60", "40", "20", "85", "12"],
            ["Z2", "右", "70", "48", "55", "30", "77", "20"],
        ],
        "utf-8,",
        {
            **visit("Z1", "L", "m12", vas=20.0, vas_scale=100, hhs=85.0, womac=12.0),
            **visit("Z2", "R", "m00", womac=55.0),
        },
    ),
    Sheet(
        "german, decimal commas and dots in days",
        [
            ["Pat.-Nr.", "Seite", "Visite", "Datum", "ARCO-Stadium", "Schmerz (VAS)", "BMI"],
            ["D1", "rechts", "präop", "04.03.2020", "IIIa", "6,5", "24,3"],
            ["D1", "rechts", "6 Monate", "02.09.2020", "IIIb", "3,0", "24,3"],
            ["D2", "links", "präop", "15.05.2020", "II", "7,5", "27,8"],
        ],
        "cp1252;",
        {
            ("subject", ("D1",)): {"bmi_kg_m2": 24.3},
            **visit("D1", "R", "m06", arco="3B", vas=3.0, vas_scale=10, visit_date="2020-09-02"),
            **visit("D2", "L", "m00", vas=7.5),
        },
        options={"encoding": "cp1252"},
    ),
    Sheet(
        "german, wide, with a birth date",
        [
            [
                "Proband",
                "Geburtsdatum",
                "Geschlecht",
                "Alter bei OP",
                "Ursache",
                "Hüfte",
                "OP-Datum",
                "HHS präop",
                "HHS 1 Jahr",
                "TEP-Datum",
                "Bemerkung",
            ],
            [
                "G-01",
                "01.02.1970",
                "männlich",
                "50",
                "Kortison",
                "re",
                "03.04.2020",
                "51",
                "80",
                "",
                "",
            ],
            [
                "G-02",
                "05.06.1981",
                "weiblich",
                "39",
                "Alkohol",
                "li",
                "13.05.2020",
                "47",
                "63",
                "20.12.2021",
                "Sturz",
            ],
        ],
        "utf-8;",
        {
            ("subject", ("G-01",)): {"sex": "M", "aetiology": "steroid"},
            **visit("G-02", "L", "m12", hhs=63.0),
            ("event", ("G-02", "L", "tha", "1")): {"event_date": "2021-12-20"},
        },
    ),
    Sheet(
        "german, title and UTF-16 without mark",
        [
            ["Register Hüftkopfnekrose, Stand 2024", "", "", ""],
            ["", "", "", ""],
            ["Patienten-Nr", "Seite", "Raucher", "Ätiologie"],
            ["R1", "links", "ja", "idiopathisch"],
            ["R2", "rechts", "nein", "Sichelzellanämie"],
        ],
        "utf-16-le\t",
        {("subject", ("R1",)): {"smoking": 1, "aetiology": "idiopathic"}},
        edits=(('"Sichelzellanämie" = "?"', '"Sichelzellanämie" = "other"'),),
    ),
    Sheet(
        "english, American days",
        [
            ["Study ID", "Side", "Date of surgery", "VAS preop", "VAS 6 mo", "THA", "Date of THA"],
            ["US1", "Right", "03/24/2019", "65", "20", "No", ""],
            ["US2", "Left", "11/05/2019", "70", "50", "Yes", "02/14/2021"],
        ],
        "utf-8,",
        {
            ("hip", ("US2", "L")): {"treatment_date": "2019-11-05"},
            **visit("US1", "R", "m06", vas=20.0),
            ("event", ("US2", "L", "tha", "1")): {"event_date": "2021-02-14"},
        },
    ),
    Sheet(
        "english, days that tell no order, codes of their own",
        [
            ["Patient", "Hip", "Visit", "Exam date", "Stage", "Sex", "Group"],
            ["E1", "R", "baseline", "03/04/2019", "ARCO 2", "1", "A"],
            ["E1", "R", "12 months", "05/04/2020", "ARCO 3A", "1", "A"],
            ["E2", "L", "baseline", "07/08/2019", "ARCO IIIB", "2", "B"],
        ],
        "utf-8\t",
        {
            ("subject", ("E2",)): {"sex": "F"},
            **visit("E1", "R", "m12", arco="3A", visit_date="2020-04-05"),
            **visit("E2", "L", "m00", arco="3B"),
        },
        edits=(
            ('dates = "?"', 'dates = "DD/MM/YYYY"'),
            ('"1" = "?", "2" = "?"', '"1" = "M", "2" = "F"'),
        ),
    ),
    Sheet(
        "english, workbook of 1904",
        [
            ["Case No.", "Side", "Op date", "Follow-up", "Visit date", "HHS"],
            ["M1", "Lt", date(2018, 5, 4), "pre-op", date(2018, 5, 1), 52],
            ["M1", "Lt", date(2018, 5, 4), "24 months", date(2020, 5, 2), 84],
        ],
        "1904",
        {
            ("hip", ("M1", "L")): {"treatment_date": "2018-05-04"},
            **visit("M1", "L", "m24", visit_date="2020-05-02", hhs=84.0),
        },
    ),
    Sheet(
        "english, visits in columns with a stage and both scores",
        [
            [
                "ID",
                "Laterality",
                "Preop ARCO",
                "Preop VAS (0-100)",
                "m12 ARCO",
                "m12 VAS",
                "m24 ARCO",
            ],
            ["Q1", "left", "II", "55", "IIIA", "30", "IIIA"],
            ["Q2", "right", "I", "44", "II", "n/a", "IIIB"],
        ],
        "utf-8,",
        {
            **visit("Q1", "L", "m00", arco="2", vas=55.0, vas_scale=100),
            **visit("Q2", "R", "m12", arco="2", vas=None, vas_missing="not applicable"),
            **visit("Q2", "R", "m24", arco="3B"),
        },
        edits=(
            (
                '"Preop VAS (0-100)" = "ignore"',
                '"Preop VAS (0-100)" = { to = "visit.vas", visit = "m00" }',
            ),
        ),
    ),
    Sheet(
        "english, a baseline sheet",
        [
            ["Registry of osteonecrosis", None, None, None, None],
            [None, None, None, None, None],
            ["Subject ID", "Gender", "Age", "Etiology", "Smoking"],
            ["B-1", "F", 41, "steroids", "yes"],
            ["B-2", "M", 36, "alcohol", "no"],
        ],
        "xlsx",
        {
            ("subject", ("B-1",)): {"sex": "F", "aetiology": "steroid", "smoking": 1},
            ("subject", ("B-2",)): {"aetiology": "alcohol"},
        },
        merged=("A1:E1",),
    ),
    Sheet(
        "english, loss and death with their days",
        [
            ["Code", "R/L", "Date of death", "Lost date", "Comments"],
            ["L1", "R", "", "2021-03-04", "moved"],
            ["L2", "L", "2022-05-06", "", ""],
        ],
        "utf-8|",
        {
            ("event", ("L1", "R", "lost", "1")): {"event_date": "2021-03-04"},
            ("event", ("L2", "L", "death", "1")): {"event_date": "2022-05-06"},
        },
    ),
)


def written(sheet: Sheet, folder: Path) -> Path:
    """The sheet as a file."""
    if sheet.how in ("xlsx", "1904"):
        path = folder / "t.xlsx"
        book = openpyxl.Workbook()
        if sheet.how == "1904":
            book.epoch = CALENDAR_MAC_1904
        page = book.active
        assert page is not None
        for row in sheet.rows:
            page.append(row)
        for place in sheet.merged:
            page.merge_cells(place)
        book.save(path)
        return path
    path = folder / "t.csv"
    encoding, delimiter = (
        (sheet.how, ",") if sheet.how == "utf-16" else (sheet.how[:-1], sheet.how[-1])
    )
    lines = [
        delimiter.join("" if cell is None else str(cell) for cell in row) for row in sheet.rows
    ]
    path.write_bytes("\r\n".join(lines).encode(encoding))
    return path


def edited(sheet: Sheet, proposed: str) -> tuple[str, int]:
    """The proposal as a person finishes it, and how many edits that took."""
    for old, new in sheet.edits:
        assert old in proposed, f"{old} is not in\n{proposed}"
        proposed = proposed.replace(old, new, 1)
    return proposed, len(sheet.edits)


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.name)
def test_a_sheet_is_imported_by_its_proposed_mapping(sheet: Sheet, tmp_path: Path) -> None:
    path = written(sheet, tmp_path)
    proposed = suggest_mapping(open_table(path, **sheet.options), PROTOCOL).decode()  # type: ignore[arg-type]
    if any('"?"' in old for old, _ in sheet.edits):
        with pytest.raises(CohortError, match="must decide"):
            decode_mapping(proposed.encode())
    text, _ = edited(sheet, proposed)
    table = open_table(path, decode_mapping(text.encode()), **sheet.options)  # type: ignore[arg-type]
    store = CohortStore.open(tmp_path / "cohort.sqlite")
    plan = plan_import(store, table, protocol=PROTOCOL)
    assert not plan.is_fatal, f"{[str(one) for one in plan.problems]}\n{text}"
    write_import(store, plan, actor="kim")
    for (kind, key), values in sheet.wanted.items():
        (found,) = [one for one in store.current(kind, key) if one.key == key]
        assert {name: found.values.get(name) for name in values} == values, text


def test_the_median_of_the_hand_edits_is_at_most_two() -> None:
    counts = [len(sheet.edits) for sheet in SHEETS]
    assert len(SHEETS) >= 20
    assert median(counts) <= 2
    assert max(counts) <= 4
