"""The report of a calibration: text, and one page with a picture."""

import html
from collections.abc import Iterator

from necroangle.calibration.estimates import (
    LEAST_HIPS,
    CalibrationResult,
    ReaderError,
    by_stratum,
    reader_error,
)
from necroangle.plain_text import harmless
from necroangle.protocol.noise import UNKNOWN_READER
from necroangle.protocol.study import noise_toml

_FEW_HIPS = 10
_Row = tuple[str, str, str, str]

_HEAD: _Row = ("", "bias (95 %)", "spread (95 %)", "of")


def as_text(result: CalibrationResult) -> str:
    """The report as text, with what ``study.toml`` takes at its end."""
    rows = (_HEAD, *_rows(result))
    widths = [max(len(row[at]) for row in rows) for at in range(4)]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
    parts = ("\n".join(table), *_sentences(result), noise_toml(result.noise))
    return "\n\n".join((_title(result), *parts)) + "\n"


def as_html(result: CalibrationResult) -> str:
    """One page that needs no other file."""
    head = "".join(f"<th>{html.escape(cell)}</th>" for cell in _HEAD)
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>"
        for row in _rows(result)
    )
    words = "".join(f"<p>{html.escape(one)}</p>" for one in _sentences(result))
    title = html.escape(_title(result))
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1>"
        f"<table><tr>{head}</tr>{rows}</table>{picture_svg(result)}{words}"
        f"<pre>{html.escape(noise_toml(result.noise))}</pre></body></html>\n"
    )


_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; color: #1a1a1a }
h1 { font-size: 1.3rem } table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid #ddd;
  font-variant-numeric: tabular-nums }
pre { background: #f4f4f4; padding: .8rem }
"""


def _title(result: CalibrationResult) -> str:
    reads = len(result.reads) - len(result.firsts)
    again = f", {reads} of them twice" if reads else ""
    return harmless(
        f"Calibration of reader {result.calibration.reader}: {len(result.firsts)} of "
        f"{len(result.calibration.hips)} hips{again}"
    )


def _rows(result: CalibrationResult) -> Iterator[_Row]:
    yield _row("arc ends, mm outward", result.ends, "ends", 2)
    yield _row("rim, mm outward", result.rim, "marks", 2)
    yield _row("slice, mm further than the nearest", result.slices, "views", 2)
    for place, letter in enumerate("AB"):
        yield _row(f"{letter} on the marked slices, °", result.angles(place, on_slices=True))
    yield _row("CNA on the marked slices, °", result.cna(on_slices=True))
    yield _row("CNA against the centre planes, °", result.cna(on_slices=False))
    for name, ends in by_stratum(result).items():
        if sum(map(bool, ends)) >= LEAST_HIPS:
            yield _row(f"arc ends, {name}, mm", reader_error(ends), "ends", 2)


def _row(name: str, error: ReaderError, what: str = "hips", digits: int = 1) -> _Row:
    bias = (error.bias, error.bias_low, error.bias_high)
    spread = (error.sd, error.sd_low, error.sd_high)
    signed = [f"{one:+.{digits}f}" for one in bias]
    plain = [f"{one:.{digits}f}" for one in spread]
    return (
        name,
        f"{signed[0]} ({signed[1]} to {signed[2]})",
        f"{plain[0]} ({plain[1]} to {plain[2]})",
        f"{error.count} {what}",
    )


def _sentences(result: CalibrationResult) -> Iterator[str]:
    views = 2 * len(result.firsts)
    yield (
        f"The slice nearest to the head's centre was marked in {result.nearest_count} of {views} "
        "views."
    )
    if result.again:
        shifts = [second - first for first, second in result.again]
        mean = sum(shifts) / len(shifts)
        spread = (sum(one * one for one in shifts) / len(shifts) / 2) ** 0.5
        yield (
            f"Marked again, an end lay {mean:+.2f} mm further out; one marking differs from the "
            f"next by a spread of {spread:.2f} mm ({len(shifts)} ends)."
        )
    wide, held, count = result.intervals(UNKNOWN_READER)
    own, held_own, _ = result.intervals(result.noise.of_ends)
    yield (
        f"What it buys on these hips: the 95 % interval of CNA is {own:.0f}° wide and holds the "
        f"truth of {held_own} of {count}; as a reader nobody knows it is {wide:.0f}° wide and "
        f"holds {held}."
    )
    if len(result.firsts) < _FEW_HIPS:
        yield (
            f"Of {len(result.firsts)} hips: below {_FEW_HIPS} the spread of a reader nobody knows "
            "is as good as this one."
        )
    if result.left_out:
        yield f"Left out: {harmless('; '.join(result.left_out))}."
    yield (
        "The bias is not taken off any angle: it widens the interval. The block below goes into "
        "study.toml."
    )


# ---- the picture -------------------------------------------------------------------------------

_WIDE, _HIGH, _LEFT, _TOP = 880, 300, 46, 26
_LEAST_MM = 3.0


def picture_svg(result: CalibrationResult) -> str:
    """Every arc end, case by case in the order in which they were read."""
    reads = sorted(result.reads, key=lambda one: one.reading.conduct.read_order or 0)
    ends = [end for one in reads for end in result.kept(one)]
    most = max(_LEAST_MM, *(abs(end) for end in ends)) * 1.1
    step = (_WIDE - _LEFT - 10) / len(reads)

    def across(place: int) -> float:
        return _LEFT + (place + 0.5) * step

    def down(value_mm: float) -> float:
        return _TOP + (_HIGH - 2 * _TOP) * (1 - value_mm / most) / 2

    error = result.ends
    parts = [
        _band(down(error.bias + error.sd), down(error.bias - error.sd), "#dfe9f5"),
        _band(down(error.bias_high), down(error.bias_low), "#a9c4e4"),
        *(_grid(down(one), f"{one:+d}" if one else "0") for one in _ticks(most)),
        *(
            f'<text x="{across(place):.1f}" y="{_HIGH - 8}" text-anchor="middle">'
            f"{one.reading.conduct.read_order or ''}</text>"
            for place, one in enumerate(reads)
        ),
        *(
            _dot(across(place), down(end), again=one.reading.read_no > 1)
            for place, one in enumerate(reads)
            for end in result.kept(one)
        ),
        f'<text x="{_LEFT}" y="14">arc ends, mm outward, case by case; dark: bias with its 95 % '
        "interval; light: spread; rings: shown again</text>",
    ]
    return (
        f'<svg viewBox="0 0 {_WIDE} {_HIGH}" width="100%" xmlns="http://www.w3.org/2000/svg" '
        f'font-family="sans-serif" font-size="12">{"".join(parts)}</svg>'
    )


def _ticks(most: float) -> range:
    step = 1 if most < 6 else 2 if most < 12 else 5
    reach = int(most // step) * step
    return range(-reach, reach + 1, step)


def _band(top: float, bottom: float, colour: str) -> str:
    return (
        f'<rect x="{_LEFT}" y="{top:.1f}" width="{_WIDE - _LEFT - 10}" '
        f'height="{max(bottom - top, 1):.1f}" fill="{colour}"/>'
    )


def _grid(y: float, words: str) -> str:
    strong = "#666" if words == "0" else "#ddd"
    return (
        f'<line x1="{_LEFT}" x2="{_WIDE - 10}" y1="{y:.1f}" y2="{y:.1f}" stroke="{strong}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{words}</text>'
    )


def _dot(x: float, y: float, *, again: bool) -> str:
    look = 'fill="none" stroke="#b3470f"' if again else 'fill="#1f4e86"'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.4" {look}/>'
