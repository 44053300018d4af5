"""How the letters of a DOCX look: invisible by their own marks, by a style's, by size or by colour.

White letters are invisible only on white. Where something may be painted behind them (a shaded cell or paragraph,
a table style, a text box, a picture behind the text) nobody can tell from the file, and they count as visible:
what is taken from an honest resume by mistake is worse than what slips through, since people see what was read.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from core.interview.resume_limits import TINY_POINTS

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_ANCHOR = "{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}anchor"
_OFF = ("0", "false", "off")
_DEEPEST = 20  # styles that build on each other; a circle of them ends here
_PLAIN_TABLES = {"TableNormal", "TableGrid"}
_PALEST = 0xF2


@dataclass(frozen=True)
class Look:
    """None where nothing is said: a style or the document's default says it then. `points` is the size."""

    vanish: bool | None = None
    color: str | None = None
    points: float | None = None
    shaded: bool | None = None

    def over(self, base: Look) -> Look:
        """What this one does not say, `base` does."""
        return Look(
            base.vanish if self.vanish is None else self.vanish,
            base.color if self.color is None else self.color,
            base.points if self.points is None else self.points,
            base.shaded if self.shaded is None else self.shaded,
        )


_NOTHING = Look()


class Looks:
    """Of one document, whose styles are the element given."""

    def __init__(self, styles: Any) -> None:
        self._styles = {_value(s, "styleId"): s for s in styles.findall(f"{W}style")}
        self._by_style: dict[str, Look] = {}
        self._default = _look(styles.find(f"{W}docDefaults/{W}rPrDefault/{W}rPr"))
        self._normal = next(
            (name for name, s in self._styles.items() if _value(s, "type") == "paragraph" and _is_default(s)), ""
        )

    def are_hidden(self, run: Any, backed: bool) -> bool:
        """Would a reader not see the letters of this run?"""
        own = run.find(f"{W}rPr")
        look = _look(own).over(self._styled(_child_value(own, "rStyle")))
        look = look.over(self._styled(self._paragraph_style(run))).over(self._default)
        is_white = is_pale(look.color) and not backed and not look.shaded
        return bool(look.vanish) or is_white or (look.points is not None and look.points < TINY_POINTS)

    def shade(self, element: Any, name: str) -> bool:
        """Does the style of this paragraph paint something behind its text?"""
        return name == "p" and bool(self._styled(_child_value(element.find(f"{W}pPr"), "pStyle")).shaded)

    def _paragraph_style(self, run: Any) -> str:
        parent = next(run.iterancestors(f"{W}p"), None)
        named = _child_value(parent.find(f"{W}pPr"), "pStyle") if parent is not None else ""
        return named or self._normal

    def _styled(self, name: str, depth: int = 0) -> Look:
        if name in self._by_style:
            return self._by_style[name]
        style = self._styles.get(name)
        if style is None or depth > _DEEPEST:
            return _NOTHING
        own = _look(style.find(f"{W}rPr"))
        if _paints(style.find(f"{W}pPr/{W}shd")):
            own = Look(own.vanish, own.color, own.points, True)
        look = own.over(self._styled(_child_value(style, "basedOn"), depth + 1))
        self._by_style[name] = look
        return look


def is_shaded(element: Any, name: str) -> bool:
    """Does this paragraph, cell or table itself paint something behind its text, or may its table style?"""
    if name not in ("p", "tc", "tbl"):
        return False
    settings = element.find(f"{W}{name}Pr")
    if settings is None:
        return False
    style = _child_value(settings, "tblStyle")
    return _paints(settings.find(f"{W}shd")) or (bool(style) and style not in _PLAIN_TABLES)


def is_backed(trees: Iterable[Any]) -> bool:
    """Is the page coloured, or is something drawn behind the text?"""
    return any(
        _paints_page(tree) or any(anchor.get("behindDoc") in ("1", "true") for anchor in tree.iter(_ANCHOR))
        for tree in trees
    )


def is_pale(color: str | None) -> bool:
    """Is this RRGGBB so light that nobody could read it on white paper?"""
    try:
        return color is not None and len(color) == 6 and min(bytes.fromhex(color)) >= _PALEST
    except ValueError:
        return False


def _paints_page(tree: Any) -> bool:
    page = tree.find(f"{W}background")
    return page is not None and not is_pale(_value(page, "color"))


def _paints(shading: Any) -> bool:
    if shading is None:
        return False
    fill, pattern = _value(shading, "fill"), _value(shading, "val")
    is_patterned = pattern not in ("", "clear", "nil")
    return is_patterned or (fill not in ("", "auto") and not is_pale(fill))


def _look(properties: Any) -> Look:
    if properties is None:
        return _NOTHING
    vanish = properties.find(f"{W}vanish")
    highlight = _child_value(properties, "highlight")
    paints = _paints(properties.find(f"{W}shd")) or highlight not in ("", "none", "white")
    return Look(
        None if vanish is None else _value(vanish, "val") not in _OFF,
        _child_value(properties, "color") or None,
        _half(_child_value(properties, "sz")),
        paints or None,
    )


def _half(half_points: str) -> float | None:
    try:
        return float(half_points) / 2
    except ValueError:
        return None


def _is_default(style: Any) -> bool:
    return _value(style, "default") not in ("", *_OFF)


def _child_value(element: Any, name: str) -> str:
    child = element.find(f"{W}{name}") if element is not None else None
    return "" if child is None else _value(child, "val")


def _value(element: Any, name: str) -> str:
    found: str = element.get(f"{W}{name}", "")
    return found
