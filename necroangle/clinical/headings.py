"""Headings as clinics write them, in five languages: which field, which visit, which side.

English, Korean, Japanese, Chinese and German. A heading is taken apart: what names a visit (``6m``,
``術前``, ``수술 후 6개월``) and a side is taken out, and what is left must be a known word, or the
heading is not understood. Nothing is guessed from a part of a word.
"""

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from necroangle.entries import CLINICAL_FIELDS, LATERALITIES
from necroangle.protocol.study import NO_STUDY, StudyProtocol


class Understood(NamedTuple):
    """What a heading says.

    Attributes
    ----------
    to
        Target of a mapping's rule.
    months
        Of the visit that it names; None where it names none.
    laterality, event
        Where it names them.
    """

    to: str
    months: float | None = None
    laterality: str | None = None
    event: str | None = None


_WORDS: Mapping[str, str] = {
    "subject": (
        "id|no|nr|patient id|study id|study no|subject|subject id|case|case no|pt|pt id|code"
        "|pseudonym|pat nr|patient|patienten nr|patientennummer|patienten id|fall|fall nr"
        "|fallnummer|proband|studien id|연구번호|연구 번호|연구id|대상자|대상자번호"
        "|대상자 번호|환자번호|환자 번호|증례|증례번호|번호|症例|症例番号|症例no|被験者"
        "|被験者番号|対象者|対象者番号|病歷號碼|病歷號|病人編號|個案編號|患者番号|患者id|研究番号|登録番号|编号|病例|病例号|病例编号|患者编号"
        "|受试者|受试者编号|研究编号|序号"
    ),
    "laterality": (
        "side|laterality|lat|hip|hip side|affected side|r/l|l/r|seite|hüfte|hüftseite|좌우|측"
        "|방향|환측|부위|患側|左右|側|罹患側|侧别|患侧|侧|側別|左/右"
    ),
    "visit": (
        "visit|timepoint|time point|time|follow up|fu|f/u|visite|zeitpunkt|방문|시점|추적"
        "|besuch|kontrolle|訪視|追蹤時間"
        "|추적 시점|방문시점|時期|評価時期|来院|受診|時点|随访|时间点|访视|随访时间|时期"
    ),
    "visit.visit_date": (
        "date|visit date|date of visit|exam date|examination date|mri date|mr date|datum"
        "|untersuchungsdatum|visitendatum|untersuchung am|검사일|검사 일자|방문일|내원일"
        "|촬영일|mri 촬영일|受診日|検査日|来院日|撮影日|mri撮影日|检查日期|随访日期|就诊日期"
        "|检查日|日期|날짜|日付"
    ),
    "visit.arco": (
        "arco|arco stage|arco stadium|stage|stage arco|stadium|stadium arco|arco 병기|병기"
        "|병기 arco|arco 단계|arco病期|arco分類|arco stage分類|病期 arco|arco分期|分期"
        "|分期 arco|arco期"
    ),
    "visit.jic_stage": (
        "jic stage|stage jic|jic stadium|jic 병기|病期|病期分類|jic病期|jic stage分類|病期 jic"
    ),
    "visit.jic": ("jic|jic type|type|type jic|病型|病型分類|jic分類|jic病型|jic 유형|jic分型"),
    "visit.ficat": ("ficat|ficat stage|ficat arlet|ficat stadium|ficat 병기|ficat分期"),
    "visit.steinberg": ("steinberg|steinberg stage|steinberg stadium|steinberg 병기|steinberg分期"),
    "visit.vas": (
        "vas|pain|pain vas|vas pain|nrs|pain score|통증|통증 vas|vas 통증|통증 점수|疼痛"
        "|疼痛vas|vas疼痛|痛み|疼痛评分|vas评分|schmerz|schmerzen|schmerz vas|vas schmerz"
        "|schmerzskala"
    ),
    "visit.vas_scale": ("vas scale|scale|vas max|pain scale"),
    "visit.hhs": (
        "hhs|harris|harris hip score|harris score|hhs total|해리스|해리스 점수|고관절 점수"
        "|hhs 점수|ハリス|ハリススコア|ハリスヒップスコア|harris评分|hhs评分|harris髋关节评分"
        "|harris 점수"
    ),
    "visit.womac": (
        "womac|womac total|womac score|womac 점수|womac 총점|womac総点|womac合計|womac总分"
        "|womac评分|womac gesamt"
    ),
    "subject.sex": ("sex|gender|m/f|성별|性別|性别|geschlecht"),
    "subject.age_at_index_years": (
        "age|age years|age at surgery|age at op|나이|연령|만나이|수술 시 나이|年齢|手術時年齢"
        "|年龄|手术年龄|alter|alter bei op"
    ),
    "subject.bmi_kg_m2": ("bmi|body mass index|체질량지수|bmi kg m2"),
    "subject.aetiology": (
        "etiology|aetiology|cause|risk factor|원인|위험인자|위험 인자|病因|原因|誘因|背景因子"
        "|ursache|ätiologie"
    ),
    "subject.smoking": ("smoking|smoker|흡연|喫煙|吸烟|raucher|nikotin"),
    "hip.treatment_date": (
        "op date|date of op|surgery date|date of surgery|operation date|op day"
        "|date of operation|treatment date|index surgery|수술일|수술 일자|수술 날짜|시술일"
        "|手術日|手術年月日|手术日期|手术日|手术时间|op datum|operationsdatum|datum op"
        "|datum der op"
    ),
    "hip.bilateral": ("bilateral|양측성|両側性|双侧|beidseits|bilateral disease"),
    "treatment.treatment": (
        "procedure|surgery|operation|op|treatment|수술|수술명|치료|치료법|術式|治療|治療法"
        "|手术方式|治疗|治疗方式|手术|eingriff|therapie|behandlung"
    ),
    "ignore": (
        "remark|remarks|comment|comments|note|notes|비고|메모|備考|コメント|备注|bemerkung"
        "|bemerkungen|anmerkung|kommentar"
    ),
}

_EVENTS: Mapping[str, str] = {
    "tha": (
        "tha|thr|total hip|hip replacement|conversion to tha|인공관절|인공관절치환"
        "|인공관절 치환술|인공고관절|人工関節|人工股関節|人工股関節置換|人工関節置換|置换"
        "|关节置换|髋关节置换|全髋置换|tep|hüft tep|hüfttep"
    ),
    "death": ("death|died|사망|死亡|tod|verstorben"),
    "lost": ("lost|lost to follow up|ltfu|추적소실|추적 소실|脱落|追跡不能|失访|lost to fu"),
    "collapse": ("collapse|함몰|붕괴|圧潰|塌陷|kollaps|einbruch"),
}
_DATES_OF = (
    "date of {0}|{0} date|date {0}|{0}일|{0} 일자|{0} 수술일|{0}日|{0}施行日|{0}日期"
    "|{0} datum|datum {0}"
)

_FILLERS = re.compile(
    r"post ?operative|post ?op|postop|nach op|nach operation|수술 ?후|술후|術後|术后|後|后|후"
    r"|時|시점|nach|follow ?up|fu|f/u|at|score|value|점수|点数|スコア|评分|評価|결과|points"
    r"|punkte|点|점"
)
_BEFORE = (
    r"pre ?operative(?:ly)?|pre ?op|preop|baseline|before (?:op|surgery)|präoperativ|präop|prä ?op"
    r"|vor op|수술 ?전|술 ?전|초진|術前|手術前|初診時?|术前|手术前|基线|기저치"
)
_MONTH = (
    r"(?:months?|mos?|mths?|m|monat(?:e|en)?|mon)(?![a-z])|개월|달|か月|ヶ月|ヵ月|カ月|ケ月|月|个月"
)
_YEAR = r"(?:years?|yrs?|y|jahr(?:e|en)?|j)(?![a-z])|년|年"
_TIME = re.compile(
    rf"(?P<before>{_BEFORE})"
    rf"|(?<![a-z0-9])(?P<months>\d+(?:\.\d+)?) ?(?:{_MONTH})"
    rf"|(?<![a-z0-9])(?P<years>\d+(?:\.\d+)?) ?(?:{_YEAR})"
    r"|(?<![a-z])(?:m|mo|month|monat) ?(?P<month>\d+(?:\.\d+)?)(?![0-9])"
    r"|(?<![a-z])(?:y|yr|year|jahr) ?(?P<year>\d+(?:\.\d+)?)(?![0-9])"
)
_SIDE = re.compile(
    r"(?<![a-z])(?P<R>right|rt|r|rechts|re)(?![a-z])|(?<![a-z])(?P<L>left|lt|l|links|li)(?![a-z])"
    r"|(?P<우>우측|오른쪽|右側|右股関節|右侧|右髋|右|우)|(?P<좌>좌측|왼쪽|左側|左股関節|左侧|左髋|左|좌)"
)
_OF_SIDE = {"R": "R", "L": "L", "우": "R", "좌": "L"}


def understood(heading: str) -> Understood | None:
    """What a heading says; None where a word of it is not known.

    Examples
    --------
    >>> understood("수술 후 6개월 VAS")
    Understood(to='visit.vas', months=6.0, laterality=None, event=None)
    >>> understood("術前 ARCO病期"), understood("Harris Hip Score (12 Monate)")[:2]
    (Understood(to='visit.arco', months=0.0, laterality=None, event=None), ('visit.hhs', 12.0))
    >>> understood("Date of THA")
    Understood(to='event.event_date', months=None, laterality=None, event='tha')
    >>> understood("MRI no. of the clinic")
    """
    text = _plain(heading)
    whole = _known().get(text)
    if whole is not None:
        return whole
    months, rest = _without_visit(text)
    side = None
    found = _target(rest)
    if found is None and (sided := _SIDE.search(rest)):
        side = _OF_SIDE[str(sided.lastgroup)]
        found = _target(_squeezed(f"{rest[: sided.start()]} {rest[sided.end() :]}"))
    if found is None and months is not None and not _squeezed(_FILLERS.sub(" ", rest)):
        return None  # a visit and nothing of it
    return None if found is None else found._replace(months=months, laterality=side)


def visit_said(text: str, protocol: StudyProtocol = NO_STUDY) -> str:
    """The visit that a cell of a visit column names, as the study calls it; empty where none is.

    Examples
    --------
    >>> from necroangle.protocol.study import new_protocol
    >>> onfh = new_protocol("onfh", "ha_mr_midslice")
    >>> [visit_said(text, onfh) for text in ("術前", "6 Monate", "2년", "M12", "late")]
    ['m00', 'm06', 'm24', 'm12', '']
    """
    plain = _plain(text)
    months, rest = _without_visit(plain)
    if _squeezed(_FILLERS.sub(" ", rest)) or months is None:
        months = float(plain) if re.fullmatch(r"\d{1,3}", plain) else None
    return "" if months is None else visit_of_months(months, protocol)


def visit_of_months(months: float, protocol: StudyProtocol) -> str:
    """The study's visit of so many months; where it plans none, ``m06``."""
    planned = (one.name for one in protocol.visits if one.nominal_months == months)
    name = f"m{int(months):02}" if months == int(months) else f"m{months:g}"
    return next(planned, name)


_FIRST_ROWS = 15
"""Headings stand within so many rows that hold something."""


def find_headings(
    rows: Sequence[tuple[int, Sequence[str]]], known: Container[str] = ()
) -> tuple[int, int]:
    """Which rows hold the headings: places of the first and the last of them.

    Titles stand above the headings, and headings may have two rows: the visit, and the score within
    it. The rows are taken by which most columns are understood; where none are, it is the first.

    Parameters
    ----------
    rows
        Number and cells of the rows that are not empty.
    known
        Further headings, in small letters: those that a mapping names.

    Examples
    --------
    >>> find_headings([(1, ["ONFH registry"]), (3, ["ID", "Side"]), (4, ["K1", "L"])])
    (1, 1)
    >>> find_headings([(1, ["ID", "Side", "Preop", ""]), (2, ["", "", "VAS", "HHS"])])
    (0, 1)
    """
    first = rows[:_FIRST_ROWS]
    single = [_score(cells, known) for _, cells in first]
    best = max(range(len(single)), key=lambda place: (single[place], -place))
    if single[best] < 2 or single[0] >= single[best]:
        best = 0
    found, most = (best, best), single[best]
    for place in range(len(first) - 1):
        score = _score(joined_headings(first[place][1], first[place + 1][1]), known)
        if score > most + 1 and not _is_data(first[place + 1][1]):
            found, most = (place, place + 1), score
    return found


def joined_headings(above: Sequence[str], below: Sequence[str]) -> list[str]:
    """Two rows of headings as one: a group's name stands over the columns on its right as well.

    Examples
    --------
    >>> joined_headings(["ID", "Preop", "", "6 m"], ["", "VAS", "HHS", "VAS"])
    ['ID', 'Preop VAS', 'Preop HHS', '6 m VAS']
    """
    width = max(len(above), len(below))
    upper = [*above, *[""] * (width - len(above))]
    lower = [*below, *[""] * (width - len(below))]
    found, group = [], ""
    for one, other in zip(upper, lower, strict=True):
        group = one or (group if other else "")
        found.append(f"{group} {other}".strip())
    return found


def _score(cells: Sequence[str], known: Container[str]) -> int:
    """How many columns are understood, each meaning counted once."""
    said = {understood(cell) for cell in cells if cell} - {None}
    return len(said) + sum(cell.casefold() in known for cell in cells if not understood(cell))


def _is_data(cells: Sequence[str]) -> bool:
    """Whether a row holds numbers or days, as no row of headings does."""
    return any(re.fullmatch(r"[+-]?[\d.,/:-]+", cell) for cell in cells if cell)


def _target(text: str) -> Understood | None:
    known = _known()
    return known.get(text) or known.get(_squeezed(_FILLERS.sub(" ", text)))


def _without_visit(text: str) -> tuple[float | None, str]:
    """The months that a text names, and the rest of it."""
    found = _TIME.search(text)
    if found is None:
        return None, text
    groups = found.groupdict()
    months = 0.0 if groups["before"] else None
    for name, factor in (("months", 1), ("month", 1), ("years", 12), ("year", 12)):
        if groups[name]:
            months = float(groups[name]) * factor
    rest = _squeezed(f"{text[: found.start()]} {text[found.end() :]}")
    return months, rest


def _plain(heading: str) -> str:
    """Small letters of plain width, marks as single blanks."""
    text = unicodedata.normalize("NFKC", heading).casefold()
    return _squeezed(re.sub(r"[\s_\-–.,:;()\[\]{}#*'\"/|→]+", " ", text))


def _squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()


@lru_cache(maxsize=1)
def _known() -> dict[str, Understood]:
    found: dict[str, Understood] = {}
    for event, words in _EVENTS.items():
        for word in words.split("|"):
            for pattern in _DATES_OF.split("|"):
                found[_plain(pattern.format(word))] = Understood("event.event_date", event=event)
            found[_plain(word)] = Understood("event.occurred", event=event)
    for target, words in _WORDS.items():
        found |= {_plain(word): Understood(target) for word in words.split("|")}
    for field in CLINICAL_FIELDS:
        if not field.path.startswith(("event.", "treatment.treatment_date")):
            for word in (field.path, field.name, field.label, *field.aliases):
                found.setdefault(_plain(word), Understood(field.path))
    for choice in LATERALITIES.choices:
        for word in choice.names:
            found.pop(_plain(word), None)
    return found
