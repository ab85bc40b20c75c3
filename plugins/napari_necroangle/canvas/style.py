"""Colours, symbols and sizes: what each thing on the picture looks like.

The colours are Okabe and Ito's, told apart by every kind of colour vision; each role also has a
shape of its own.
"""

from napari_necroangle.reading.draft import Role

__all__ = [
    "ARC_COLOUR",
    "ARC_WIDTH_PX",
    "CIRCLE_COLOUR",
    "GHOST_ARC_WIDTH_PX",
    "GHOST_COLOUR",
    "GHOST_WIDTH_PX",
    "LABEL_BOX",
    "LABEL_COLOUR",
    "LINE_WIDTH_PX",
    "MARK_COLOURS",
    "MARK_SIZES_PX",
    "MARK_SYMBOLS",
    "MOUSE_HELP",
    "OUTLINE_COLOUR",
    "PURPLE",
    "RAY_COLOUR",
    "READER_ARC_WIDTH_PX",
    "READER_WIDTH_PX",
    "REFERENCE_COLOUR",
    "SELECTED_COLOUR",
    "THIN_WIDTH_PX",
    "YELLOW",
]

SKY = "#56b4e9"
ORANGE = "#e69f00"
VERMILLION = "#d55e00"
YELLOW = "#f0e442"
PURPLE = "#cc79a7"
GREEN = "#009e73"

MARK_COLOURS = {
    Role.RIM: SKY,
    Role.START: ORANGE,
    Role.END: ORANGE,
    Role.VIA: YELLOW,
    Role.LANDMARK: PURPLE,
    Role.CONTOUR: YELLOW,
}
MARK_SYMBOLS = {
    Role.RIM: "disc",
    Role.START: "square",
    Role.END: "square",
    Role.VIA: "diamond",
    Role.LANDMARK: "cross",
    Role.CONTOUR: "ring",
}
MARK_SIZES_PX = {
    Role.RIM: 9.0,
    Role.START: 12.0,
    Role.END: 12.0,
    Role.VIA: 13.0,
    Role.LANDMARK: 15.0,
    Role.CONTOUR: 7.0,
}
CIRCLE_COLOUR = SKY
RAY_COLOUR = ORANGE
ARC_COLOUR = VERMILLION
OUTLINE_COLOUR = YELLOW
GHOST_COLOUR = PURPLE
REFERENCE_COLOUR = GREEN
SELECTED_COLOUR = "#ffffff"
LABEL_COLOUR = "#f5f5f5"
LABEL_BOX = (0.0, 0.0, 0.0, 0.55)
LINE_WIDTH_PX = 2.0
ARC_WIDTH_PX = 5.0
THIN_WIDTH_PX = 1.5
GHOST_WIDTH_PX = 2.0
GHOST_ARC_WIDTH_PX = 3.5
READER_WIDTH_PX = 1.8
READER_ARC_WIDTH_PX = 4.5
MOUSE_HELP = (
    "click: set   drag a point: move   Shift+drag: draw rim or arc   wheel: slices   "
    "Ctrl+wheel: zoom   right-drag: contrast"
)
