"""Accent colours: whether people can read them, and the nearest one they can (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass

RATIO_MIN = 4.5
_HEX = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")
_STEPS = 256
Rgb = tuple[int, int, int]


class UnreadableColour(Exception):
    """The colour has too little contrast in a theme; the message names one that has enough."""


class NotAColour(Exception):
    """The text is not a colour such as #0b6074."""


@dataclass(frozen=True, slots=True)
class Theme:
    """What an accent is read against, as the style sheet says it."""

    name: str
    surfaces: tuple[str, ...]
    """Surface, canvas, sunken, hovered: the first one is also what softer shades are mixed with."""
    ink: str
    """What is written on the accent."""
    softness: int
    """Percent of the accent in its soft shade."""
    darkens: bool
    """Whether more contrast means darker."""


LIGHT = Theme("light", ("#ffffff", "#f5f6f6", "#f0f2f2", "#f1f4f4"), "#ffffff", 12, darkens=True)
DARK = Theme("dark", ("#161b1e", "#0f1315", "#12171a", "#1d2428"), "#06181d", 18, darkens=False)


@dataclass(frozen=True, slots=True)
class Accent:
    """An accent in both themes, as ``#rrggbb``."""

    light: str
    dark: str


def parsed(text: str) -> str:
    """Return a colour as ``#rrggbb``.

    Raises:
        NotAColour: it is not one.
    """
    match = _HEX.fullmatch(text.strip())
    if match is None:
        raise NotAColour(f"{text.strip()[:20]!r} is not a colour; six hexadecimal digits are, such as #0b6074")
    digits = match[1].lower()
    return f"#{digits if len(digits) == 6 else ''.join(one * 2 for one in digits)}"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def soft(accent: str, theme: Theme) -> str:
    """Return the shade behind a text in the accent."""
    return mixed(accent, theme.surfaces[0], theme.softness)


def hover(accent: str, theme: Theme) -> str:
    """Return the accent under the pointer: a step away from the surface."""
    return mixed(accent, "#000000" if theme.darkens else "#ffffff", 80)


def mixed(one: str, other: str, percent: int) -> str:
    """Return ``percent`` of one colour with the rest of another."""
    pairs = zip(_rgb(one), _rgb(other), strict=True)
    return _hex(tuple((a * percent + b * (100 - percent) + 50) // 100 for a, b in pairs))


def least(accent: str, theme: Theme) -> float:
    """Return the worst contrast an accent has in a theme: on every surface, on its soft shade, and under its own ink."""
    behind = (*theme.surfaces, soft(accent, theme), theme.ink)
    return min(contrast(accent, one) for one in behind)


def nearest(accent: str, theme: Theme) -> str:
    """Return the colour of the same hue that is read well in a theme and differs least in lightness."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(part / 255 for part in _rgb(accent)))
    found = accent
    for step in range(_STEPS + 1):
        if least(found, theme) >= RATIO_MIN:
            return found
        goal = 0.0 if theme.darkens else 1.0
        moved = lightness + (goal - lightness) * step / _STEPS
        red, green, blue = colorsys.hls_to_rgb(hue, moved, saturation)
        found = _hex((round(red * 255), round(green * 255), round(blue * 255)))
    return found


def accent(light: str, dark: str) -> Accent:
    """Return an accent people can read; without one for the dark theme, the nearest of the same hue.

    Raises:
        NotAColour: a text is not a colour.
        UnreadableColour: too little contrast; what would be accepted is named.
    """
    chosen = parsed(light)
    for_dark = parsed(dark) if dark.strip() else nearest(chosen, DARK)
    for colour, theme in ((chosen, LIGHT), (for_dark, DARK)):
        ratio = least(colour, theme)
        if ratio < RATIO_MIN:
            raise UnreadableColour(
                f"{colour} has a contrast of {int(ratio * 10) / 10} to 1 in the {theme.name} theme, {RATIO_MIN} is needed:"
                f" {nearest(colour, theme)} would be accepted"
            )
    return Accent(chosen, for_dark)


def style_sheet(chosen: Accent) -> str:
    """Return the tokens of an accent as a style sheet, in the layer of the others."""

    def pair(light: str, dark: str) -> str:
        return f"light-dark({light}, {dark})"

    tokens = {
        "accent": pair(chosen.light, chosen.dark),
        "accent-hover": pair(hover(chosen.light, LIGHT), hover(chosen.dark, DARK)),
        "accent-soft": pair(soft(chosen.light, LIGHT), soft(chosen.dark, DARK)),
        "selected": pair(mixed(chosen.light, LIGHT.surfaces[0], 10), mixed(chosen.dark, DARK.surfaces[0], 16)),
        "on-accent": pair(LIGHT.ink, DARK.ink),
        "focus": pair(chosen.light, hover(chosen.dark, DARK)),
    }
    return f"@layer tokens {{ :root {{ {' '.join(f'--{name}: {value};' for name, value in tokens.items())} }} }}\n"


def _luminance(colour: str) -> float:
    def linear(part: int) -> float:
        share = part / 255
        return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part) for part in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _rgb(colour: str) -> Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(parts: tuple[int, ...]) -> str:
    return "#" + "".join(f"{min(255, max(0, part)):02x}" for part in parts)
