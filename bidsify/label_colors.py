"""Colours of labels: those that a label table states, and others for those without."""

from __future__ import annotations

import re
from collections.abc import Mapping

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def color_of(row: Mapping[str, str]) -> str:
    """Return ``#rrggbb`` of a row of a label table, in small letters, or one that is chosen.

    >>> color_of({"index": "1", "color": "#FF0000"}), color_of({"index": "1", "color": "red"})
    ('#ff0000', '#4ac163')
    """
    color = row.get("color", "")
    return color.lower() if _COLOR.fullmatch(color) else chosen_color(int(row["index"]))


def chosen_color(value: int) -> str:
    """Choose a colour where no table states one: neighbours differ, the same each time.

    >>> chosen_color(1), chosen_color(2)
    ('#4ac163', '#c14a54')
    """
    hue = (value * 0.6180339887 - 0.25) % 1 * 6
    low, high = 0x4A, 0xC1
    ramp = round(low + (high - low) * (1 - abs(hue % 2 - 1)))
    red, green, blue = (
        (high, ramp, low), (ramp, high, low), (low, high, ramp),
        (low, ramp, high), (ramp, low, high), (high, low, ramp),
    )[int(hue) % 6]  # fmt: skip
    return f"#{red:02x}{green:02x}{blue:02x}"
