"""What free words must not hold: a person's name, number or day of birth, told by their shape.

Words that are entered stay in the record of who did what. No rule finds every name; what these
find is refused, so that it never gets there. A name that passes is still the writer's to leave out.
"""

import re

_NUMBERS = re.compile(
    r"(?<!\d)(?:"
    r"\d{6}-?[1-8]\d{6}"  # Korean resident registration number
    r"|\d{17}[\dXx]"  # Chinese identity number
    r"|01\d-?\d{3,4}-?\d{4}"  # Korean mobile telephone
    r")(?!\d)"
)
_MAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@]+")
_RECORD = re.compile(r"(?<![\w.])\d{7,}(?![\w.])")
"""A number as long as a hospital's or a telephone's."""

_DAY = r"\d{4}\s?[-./年년]\s?\d{1,2}\s?[-./月월]\s?\d{1,2}|\d{1,2}[-./]\d{1,2}[-./]\d{4}"
_BIRTH = re.compile(
    r"(?:born|birth|d\.?o\.?b|geboren|geb\.|생년월일|생일|生年月日|出生)\W{0,3}(?:on |am )?"
    rf"(?:{_DAY}|\d{{2,8}})|(?:{_DAY})\s?(?:생|生|born)",
    re.IGNORECASE,
)
_OLD_DAY = re.compile(
    r"(?<!\d)(?:(?:19\d\d|200\d)\s?[-./年년]\s?\d{1,2}\s?[-./月월]\s?\d{1,2}"
    r"|\d{1,2}[-./]\d{1,2}[-./](?:19\d\d|200\d)|(?:19\d\d|200\d)[01]\d[0-3]\d)(?!\d)"
)
"""A day before 2010 is a day of birth rather than of a visit."""

_TITLE = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Herr|Frau|Monsieur|Madame|Señora?)\b\.?\s+[A-ZÀ-Þ]\w+"
    r"|[가-힣]{2,4}\s?(?:씨|님)(?![가-힣])|[一-龯々]{1,4}\s?(?:さん|様|殿|女士)"
)
_SAID = re.compile(
    r"(?i:\b(?:patient|pt|name|called|named|환자|이름|성명|氏名|患者|姓名)\s?(?:is|:|=|명)?\s*)"
    r"(?:[A-ZÀ-Þ][a-zà-þ]+[\s,]+[A-ZÀ-Þ][a-zà-þ]+|[가-힣]{3}(?![가-힣])|[一-龯]{2,4}(?![一-龯]))"
)
_HANGUL = re.compile(r"(?<![가-힣])[가-힣]{3}\s(?:환자|교수|간호사|선생)")
_TABLE = re.compile(r"\bimport of table [0-9a-f]{8,64}")
"""What the program itself writes."""


def holds_person_number(text: str) -> bool:
    """Whether a text holds a person's number or mail address, by its shape.

    Examples
    --------
    >>> holds_person_number("850101-1234567"), holds_person_number("CNA-0123")
    (True, False)
    """
    return bool(_NUMBERS.search(text) or _MAIL.search(text))


def free_text_problem(text: str) -> str:
    """What free words hold that tells who somebody is; empty where nothing is found.

    Examples
    --------
    >>> free_text_problem("typing error, seen on the form of 2 May 2026")
    ''
    >>> free_text_problem("Mrs. Miller called"), free_text_problem("born 3.4.1961")
    ("a person's name", 'a day of birth')
    >>> free_text_problem("see chart 20114578"), free_text_problem("홍길동 환자")
    ("a person's number", "a person's name")
    """
    words = _TABLE.sub("", text)
    if holds_person_number(words) or _RECORD.search(words):
        return "a day of birth" if _OLD_DAY.search(words) else "a person's number"
    if _BIRTH.search(words) or _OLD_DAY.search(words):
        return "a day of birth"
    if any(one.search(words) for one in (_TITLE, _SAID, _HANGUL)):
        return "a person's name"
    return ""
