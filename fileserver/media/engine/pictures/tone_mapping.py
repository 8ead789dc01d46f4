"""Pictures with the light of the sun in the light of a page: PQ and HLG (BT.2100) to sRGB.

White paper is at 203 cd/m2 in both (BT.2408 s.2.2), and stays nearly white; what is brighter is pressed into the rest.
No matrix product of NumPy's is used: it would start threads.
"""

from functools import cache
from typing import Any, TypeAlias

import numpy as np
from av.video.reformatter import ColorTrc
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]

_WHITE = 203.0
_PEAK = 1000.0 / _WHITE
"""The brightest light that is told apart: what nearly all films are graded to."""
_KNEE = 0.5
"""Up to this light nothing is changed."""

_GAMUT = ((1.6605, -0.5876, -0.0728), (-0.1246, 1.1329, -0.0083), (-0.0182, -0.1006, 1.1187))
"""BT.2020 to BT.709 in linear light (BT.2407 s.2)."""
_LUMA = (0.2627, 0.6780, 0.0593)  # BT.2020


def in_sdr(pixels: NDArray[Any], transfer: int) -> NDArray[np.uint8]:
    """Pixels of sRGB, 8 bits deep, of such of BT.2020 that are 16 bits deep and coded by PQ or HLG."""
    light = _pq_light()[pixels] if transfer == ColorTrc.SMPTE2084 else _hlg_light(pixels)
    red, green, blue = (light[..., number] for number in range(3))
    screen = np.stack([np.maximum(r * red + g * green + b * blue, 0) for r, g, b in _GAMUT], axis=-1)
    brightest = np.maximum(screen.max(axis=-1, keepdims=True), 1e-6)
    screen *= _pressed(brightest) / brightest
    return np.asarray(np.rint(255 * _srgb(np.clip(screen, 0, 1))), dtype=np.uint8)


@cache
def _pq_light() -> Floats:
    """SMPTE ST 2084, as multiples of white, for each of 65,536 codes."""
    codes = np.arange(65_536, dtype=np.float64) / 65_535
    root = codes ** (32 / 2523)
    linear = (np.maximum(root - 3424 / 4096, 0) / (2413 / 128 - 2392 / 128 * root)) ** (16384 / 2610)
    return np.asarray(linear * (10_000 / _WHITE), dtype=np.float32)


def _hlg_light(pixels: NDArray[Any]) -> Floats:
    """Light on a display of 1,000 cd/m2 (BT.2100 table 5), as multiples of white."""
    scene = _hlg_scene()[pixels]
    luma = sum(weight * scene[..., number] for number, weight in enumerate(_LUMA))
    return np.asarray(scene * (np.maximum(luma, 1e-6) ** 0.2)[..., None] * _PEAK, dtype=np.float32)


@cache
def _hlg_scene() -> Floats:
    codes = np.arange(65_536, dtype=np.float64) / 65_535
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.asarray(np.where(codes <= 0.5, codes**2 / 3, (np.exp((codes - c) / a) + b) / 12), dtype=np.float32)


def _pressed(light: Floats) -> Floats:
    """A straight line up to the knee, and from there a curve without a corner that reaches 1 at the peak."""
    bend = (1 - _KNEE) / (_PEAK - 1)
    above = np.clip((light - _KNEE) / (_PEAK - _KNEE), 0, 1)
    return np.where(light <= _KNEE, light, _KNEE + (1 - _KNEE) * above * (1 + bend) / (above + bend))


def _srgb(light: Floats) -> Floats:
    """IEC 61966-2-1."""
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
