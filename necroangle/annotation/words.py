"""The kinds of text in a reading file."""

from typing import Annotated

from msgspec import Meta

_END = (
    r"(?![\s\S])"  # the very end, in Python and in ECMA alike ("$" lets a newline pass in Python)
)

Identifier = Annotated[
    str,
    Meta(
        pattern=rf"^(?!.*__)(?!_)\w[\w.-]{{0,63}}(?<!_){_END}",
        description="letters of any script, digits, dot, dash, single underscores within",
    ),
]
Uid = Annotated[
    str,
    Meta(
        pattern=rf"^[0-9A-Za-z]+([.-][0-9A-Za-z]+)*{_END}",
        max_length=64,
        description="a DICOM UID; letters pass, since de-identified files carry hexadecimal ones",
    ),
]
ReadNo = Annotated[int, Meta(ge=1, le=999)]
Software = Annotated[str, Meta(min_length=1, max_length=100)]
Text = Annotated[str, Meta(max_length=2000)]
Sha256 = Annotated[str, Meta(pattern=rf"^[0-9a-f]{{64}}{_END}")]
UtcTime = Annotated[str, Meta(pattern=rf"^\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{{3}}Z{_END}")]
