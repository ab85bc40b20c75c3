"""What would tell who a patient is, told from headings and from the shape of values."""

import re

from necroangle.protocol.free_text import holds_person_number
from necroangle.protocol.visits import IDENTIFIER

_WORDS = re.compile(
    r"(sur|fore|first|last|full|family|given|patient)?names?|mrn|ssn|rrn|dob|birth(day|date)?"
    r"|geburts(datum|tag)|geb(datum)?|vorname|nachname|telefon|adresse|anschrift"
    r"|(tele)?phone|tel|mobile|e?mail|address|passport|initials"
    r"|chart(no|number|id)?|hospital(no|number|id)|medicalrecord(no|number|id)?"
)
"""A word of a heading, or all its words together."""

_MAY_BE_SUBJECT = re.compile(r"(patient|person|pt|p|record)(id|no|number)|id(no|number)?")
"""All words of a heading together: a patient's number, or the pseudonym where it is so mapped."""

_NUMBER_MARKS = re.compile("환자번호|患者番号|患者编号|患者ID")
_MARKS = re.compile(
    "이름|성명|환자명|생년월일|생일|주민|등록번호|병록|차트|전화|연락처|주소|여권"
    "|氏名|姓名|患者名|生年月日|誕生日|カルテ|電話|住所"
    "|出生日期|出生年月|身份证|住院号|病历号|病案号|门诊号|电话|地址"
)


def heading_tells_identity(heading: str, *, as_subject: bool = False) -> bool:
    """Whether a heading names what tells who a patient is.

    Parameters
    ----------
    heading
        The column's heading.
    as_subject
        Whether a mapping says that this column holds the pseudonym: ``patient_id`` may then.

    Examples
    --------
    >>> heading_tells_identity("Patient Name"), heading_tells_identity("생년월일")
    (True, True)
    >>> heading_tells_identity("patient_id"), heading_tells_identity("patient_id", as_subject=True)
    (True, False)
    >>> heading_tells_identity("months_nominal"), heading_tells_identity("hip_id")
    (False, False)
    """
    words = re.findall(r"[a-z]+", re.sub(r"([a-z])([A-Z])", r"\1 \2", heading).lower())
    together = "".join(words)
    if any(_WORDS.fullmatch(word) for word in (*words, together)) or _MARKS.search(heading):
        return True
    is_number = _MAY_BE_SUBJECT.fullmatch(together) or _NUMBER_MARKS.search(heading)
    return bool(is_number) and not as_subject


def refuse_as_name(text: str) -> str:
    """Why a text is no name of a visit, a reader or an actor; empty where it is one.

    Examples
    --------
    >>> refuse_as_name("m06")
    ''
    >>> refuse_as_name("6 months")
    'no name: up to 64 letters, digits, dots, dashes and single underscores, no blanks'
    """
    if re.search(IDENTIFIER, text):
        return ""
    return "no name: up to 64 letters, digits, dots, dashes and single underscores, no blanks"


def refuse_as_subject(text: str) -> str:
    """Why a text is no pseudonym; empty where it may be one. The text itself is not told.

    Examples
    --------
    >>> refuse_as_subject("00123")
    ''
    >>> refuse_as_subject("850101-1234567")
    "looks like a person's number; a subject has a pseudonym"
    """
    if holds_person_number(text):
        return "looks like a person's number; a subject has a pseudonym"
    return "" if re.search(IDENTIFIER, text) else f"no pseudonym: {refuse_as_name(text)[9:]}"


def short_text(text: str) -> str:
    """A cell's text for a message: in full where it is short and no name or number of a person.

    A table whose columns have slipped must not put names or days of birth on a screen.

    Examples
    --------
    >>> short_text("IIIa"), short_text("22,5"), short_text("Hong Gildong"), short_text("19850101")
    ("'IIIa'", "'22,5'", 'a text of 12 letters', 'a text of 8 letters')
    """
    digits = sum(letter.isdigit() for letter in text)
    is_short = len(text) <= 4 or (len(text) <= 12 and 0 < digits < 6)
    return repr(text) if text.isascii() and is_short else f"a text of {len(text)} letters"
