"""Lines straight on the canvas: a scene overlay whose every change is one upload, no layer.

napari has no public way to draw an overlay of one's own: this is the only module that reaches into
its private ones, and nothing is drawn here unless they are as they were found. A caller asks
:func:`can_draw` first.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from napari._vispy.overlays.base import ViewerOverlayMixin, VispySceneOverlay
    from napari._vispy.utils.visual import overlay_to_visual
    from napari.components import ViewerModel
    from napari.components.overlays import SceneOverlay
    from vispy.gloo import VertexBuffer
    from vispy.scene.visuals import create_visual_node
    from vispy.visuals import Visual
except ImportError:
    _IS_KNOWN = False
else:
    _IS_KNOWN = True

__all__ = ["can_draw", "new_overlay", "ribbons"]

Ribbons = NDArray[np.float32]

_CORNER = np.dtype([("position", "f4", 2), ("colour", "f4", 4), ("across", "f4", 2)])
_TO_TRIANGLES = np.array((0, 1, 2, 2, 1, 3))
_EDGE_PX = 1.0
"""How much wider than the line its ribbon is, on either side: room for the soft edge."""

_VERTEX = """
attribute vec2 a_position;
attribute vec4 a_colour;
attribute vec2 a_across;
varying vec4 v_colour;
varying vec2 v_across;
void main() {
    v_colour = a_colour;
    v_across = a_across;
    gl_Position = $transform(vec4(a_position, 0.0, 1.0));
}
"""
_FRAGMENT = """
varying vec4 v_colour;
varying vec2 v_across;
void main() {
    float inside = clamp(v_across.y + 0.5 - abs(v_across.x), 0.0, 1.0);
    gl_FragColor = vec4(v_colour.rgb, v_colour.a * inside);
}
"""


def ribbons(
    vectors: NDArray[np.float64],
    colours: NDArray[np.float64],
    widths_px: NDArray[np.float64],
    zoom: float,
) -> Ribbons:
    """Corners of the triangles of lines that are as wide on the screen at every zoom.

    Parameters
    ----------
    vectors
        (N, 2, 2) start and direction as (v, u), plane mm.
    colours
        (N, 4) red, green, blue, opacity, each 0 to 1.
    widths_px
        (N,) widths on the screen.
    zoom
        Pixels a millimetre.

    Returns
    -------
    NDArray[np.float32]
        (6 N, 8): u and v, the colour, the distance from the line's middle and half its width in
        pixels.

    Examples
    --------
    >>> line = np.array([[[0.0, 0.0], [0.0, 9.0]]])
    >>> corners = ribbons(line, np.ones((1, 4)), np.array([4.0]), 2.0)
    >>> corners[[0, 1, 2, 5], :2].tolist()
    [[0.0, 1.5], [0.0, -1.5], [9.0, 1.5], [9.0, -1.5]]
    """
    start, along = vectors[:, 0, ::-1], vectors[:, 1, ::-1]
    length = np.hypot(*along.T)
    across = along[:, ::-1] * (-1.0, 1.0) / np.where(length > 0.0, length, 1.0)[:, None]
    half_px = widths_px / 2
    out_px = half_px + _EDGE_PX
    aside = across * (out_px / zoom)[:, None]
    ends = (start, start, start + along, start + along)
    corners = np.empty((len(vectors), 4, 8), dtype=np.float32)
    for number, (end, side) in enumerate(zip(ends, (1, -1, 1, -1), strict=True)):
        corners[:, number, :2] = end + side * aside
        corners[:, number, 6] = side * out_px
    corners[:, :, 2:6] = colours[:, None]
    corners[:, :, 7] = half_px[:, None]
    return corners[:, _TO_TRIANGLES].reshape(-1, 8)


if _IS_KNOWN:

    class _RibbonsVisual(Visual):  # type: ignore[misc]
        """Triangles with a colour and a soft edge, in one draw call."""

        def __init__(self) -> None:
            super().__init__(vcode=_VERTEX, fcode=_FRAGMENT)
            self._corners = VertexBuffer(np.zeros(3, _CORNER))
            self._bind()
            self._is_empty = True
            self._draw_mode = "triangles"
            self.set_gl_state("translucent", depth_test=False, cull_face=False)
            self.freeze()

        def set_corners(self, corners: Ribbons) -> None:
            """Draw other triangles."""
            self._is_empty = not len(corners)
            if not self._is_empty:
                self._corners.set_data(corners.view(_CORNER).reshape(-1))
                self._bind()
            self.update()

        def _bind(self) -> None:
            """Tell the program of the buffer: it keeps how long it was."""
            for name in _CORNER.names or ():
                self.shared_program[f"a_{name}"] = self._corners[name]

        def _prepare_transforms(self, view: Any) -> None:
            view.view_program.vert["transform"] = view.transforms.get_transform()

        def _prepare_draw(self, view: Any) -> bool:  # noqa: ARG002
            return not self._is_empty

    _RibbonsNode = create_visual_node(_RibbonsVisual)

    class RibbonsOverlay(SceneOverlay):  # type: ignore[misc]
        """Lines over the scene; ``corners`` as :func:`ribbons` gives them."""

        corners: Any = None

    class _VispyRibbons(ViewerOverlayMixin, VispySceneOverlay):  # type: ignore[misc]
        """What napari draws for the overlay."""

        def __init__(self, **kwargs: Any) -> None:
            super().__init__(node=_RibbonsNode(), **kwargs)
            self.overlay.events.corners.connect(self._on_corners)
            self.reset()
            self._on_corners()

        def _on_corners(self) -> None:
            if self.overlay.corners is not None:
                self.node.set_corners(self.overlay.corners)

        def _on_blending_change(self) -> None:
            """Keep the blending of the soft edge."""

        def close(self) -> None:
            self.overlay.events.corners.disconnect(self._on_corners)
            super().close()


def can_draw() -> bool:
    """Whether the installed napari draws overlays the way that is known here."""
    if not _IS_KNOWN:
        return False
    overlay = RibbonsOverlay(corners=np.zeros((6, 8), dtype=np.float32))
    try:
        drawn = _VispyRibbons(overlay=overlay, viewer=ViewerModel(), font_info=None, parent=None)
        drawn.close()
        overlay_to_visual[RibbonsOverlay] = _VispyRibbons
    except (AttributeError, KeyError, TypeError, ValueError):
        return False
    return True


def new_overlay(order: int) -> Any:
    """An overlay that draws nothing yet; ``order`` is that of the layers, from 0."""
    return RibbonsOverlay(visible=True, order=order)
