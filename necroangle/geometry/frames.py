"""The three frames in which a point can stand, as types that cannot be mixed up.

- ``PixelPoints``: (N, 2) as (row, column); the centre of the first pixel is (0, 0).
- ``PlanePoints``: (N, 2) as (u, v) in mm; u along a row (towards growing column index), v down a
  column (towards growing row index); the centre of the first pixel is (0, 0).
- ``PatientPoints``: (N, 3) in mm in the patient frame LPS: +x left, +y posterior, +z head.

Patient millimetres are the truth. Angles are computed from plane millimetres, never from pixels.
"""

from typing import NewType

import numpy as np
from numpy.typing import NDArray

PixelPoints = NewType("PixelPoints", NDArray[np.float64])
PlanePoints = NewType("PlanePoints", NDArray[np.float64])
PatientPoints = NewType("PatientPoints", NDArray[np.float64])
