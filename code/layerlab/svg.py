"""A drawing as pages show it: one small SVG with real letters, whose colours follow the theme.

The colours of the theme become CSS variables with a value for light and one for dark. In an `<img>`
the page's `color-scheme` decides between them, and so does the reader's system where there is none.
"""

import re
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.cm import ScalarMappable
from matplotlib.colors import CSS4_COLORS, to_hex
from matplotlib.figure import Figure
from matplotlib.image import AxesImage

from layerlab.themes import PALETTES

SETTINGS: Any = {"svg.fonttype": "none"}  # letters stay letters
METADATA = dict.fromkeys(("Date", "Creator", "Format", "Type"))
# Matplotlib leaves room for the letters of DejaVu Sans, and none of these is wider.
FONTS = 'system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",Ubuntu,"DejaVu Sans",sans-serif'

COLOUR = re.compile(r"#[0-9a-f]{6}\b")  # as an SVG names it
NAMED = {str(name).lower() for name in CSS4_COLORS.values()}  # the same in every theme
SIZE = re.compile(r' width="([\d.]+)pt" height="([\d.]+)pt"')
TAG = re.compile(r"<[a-z][^>]*>")
LONG_NUMBER = re.compile(r"(\.\d\d)\d+")
FAMILY = re.compile(r" ?font-family: [^;\"]*;")
USELESS = re.compile(r' transform="rotate\(-0 [^"]*\)"|(?<=>)\s+(?=<)')
# A circle about the origin, which Matplotlib begins at its lowest point.
CIRCLE = re.compile(r'<path id="(\w+)" d="M 0 ([\d.]+) \nC [^"]* \nz\n"[^>]*/>')
DOT = re.compile(r'<use xlink:href="#(\w+)" x="([^"]+)" y="([^"]+)" style="fill: ([^";]+)"/>')


def follow_theme(light: bytes, figure: Figure) -> bytes | None:
    """Make a drawing in the light theme one that serves both.

    Parameters
    ----------
    light : bytes
        The SVG.
    figure : Figure
        What it is a drawing of.

    Returns
    -------
    bytes or None
        None if a drawing in the dark theme would differ in more than the theme's own colours: if
        it holds a colour without a name that is not the theme's and may have been mixed from
        those, or an image with such.
    """
    names = _variables("light")
    images: list[Any] = figure.findobj(
        lambda artist: isinstance(artist, AxesImage) or artist.get_rasterized()
    )
    if not all(map(_is_mapped, images)):
        return None
    text = _root(light)
    # A colour bar that goes on ends in a triangle of its map's last colour.
    ends = {to_hex(image.get_cmap()(end)) for image in images for end in (0.0, 1.0)}
    if set(COLOUR.findall(text)) - names.keys() - ends - NAMED:
        return None
    rules = (
        _rule(mode, {name: colour for colour, name in _variables(mode).items()})
        for mode in PALETTES
    )
    text = COLOUR.sub(lambda c: f"var({names[c[0]]})" if c[0] in names else c[0], text)
    return _compact(text, *rules)


def show_either(light: bytes, dark: bytes) -> bytes:
    """Put two drawings into one file, of which the theme shows one."""
    texts = {"light": _root(light), "dark": _root(dark)}
    inner = (SIZE.sub(f' class="{mode}"', text, count=1) for mode, text in texts.items())
    start = texts["light"].partition(">")[0]
    # what is not displayed could not lend the other its shapes, which go by the same names
    rules = (".dark{visibility:hidden}", ".light{visibility:hidden}.dark{visibility:visible}")
    return _compact(f"{start}>{''.join(inner)}</svg>", *rules)


def size(svg: bytes) -> tuple[int, int]:
    """Return width and height of a drawing in CSS pixels."""
    [(width, height)] = SIZE.findall(svg[: svg.index(b"<", 1)].decode())
    return round(float(width) * 4 / 3), round(float(height) * 4 / 3)


def _root(svg: bytes) -> str:
    """A drawing without what stands before it in its file."""
    text = svg.decode()
    return text[text.index("<svg") :]


def _variables(mode: str) -> dict[str, str]:
    """The CSS variable for each colour of a theme."""
    palette: Any = PALETTES[mode]
    colours = (palette["ink"], palette["muted"], *palette["cycle"])
    return {colour.lower(): f"--{i}" for i, colour in enumerate(colours)}


def _rule(mode: str, values: dict[str, str]) -> str:
    return ":root{" + ";".join(f"{name}:{value}" for name, value in values.items()) + "}"


def _compact(text: str, light: str, dark: str) -> bytes:
    """Add the rules for both themes, and take out what no eye needs."""
    text = FAMILY.sub("", text)
    radii = dict(CIRCLE.findall(text))
    text = TAG.sub(lambda tag: LONG_NUMBER.sub(r"\1", tag[0]), USELESS.sub("", text))
    text = re.sub(f"(?:{DOT.pattern})+", lambda run: _join_dots(run[0], radii), text)
    rules = f":root{{font-family:{FONTS}}}text{{white-space:pre}}{light}"
    style = f"<style>{rules}@media(prefers-color-scheme:dark){{{dark}}}</style>"
    return text.replace(">", f">{style}", 1).encode()


def _join_dots(run: str, radii: dict[str, str]) -> str:
    """Draw a run of equal round dots by one path of strokes without length, which have round ends.

    Its unit is a tenth of a point, and each dot is where the one before it sends us.
    """
    dots = DOT.findall(run)
    if len({(name, fill) for name, _, _, fill in dots}) > 1 or dots[0][0] not in radii:
        return run
    name, _, _, fill = dots[0]
    places = sorted({(round(float(x) * 10), round(float(y) * 10)) for _, x, y, _ in dots})
    steps = np.diff(places, axis=0, prepend=0)
    path = "".join(f"m{x} {y}h0" for x, y in steps.tolist()).replace(" -", "-")
    width = 20 * float(radii[name])
    look = f"fill:none;stroke:{fill};stroke-linecap:round;stroke-width:{width:.0f}"
    return f'<path transform="scale(.1)" d="{path}" style="{look}"/>'


def _is_mapped(artist: Artist) -> bool:
    """Whether all colours of an artist are those of a colour map that every theme knows."""
    if not isinstance(artist, ScalarMappable) or np.asarray(artist.get_array()).ndim not in (1, 2):
        return False  # None, or colours of its own
    name = artist.get_cmap().name
    return name in mpl.colormaps and artist.get_cmap() == mpl.colormaps[name]
