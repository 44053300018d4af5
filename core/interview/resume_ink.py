"""Which words of a PDF page a reader would see: not those in white on white, in tiny letters or drawn invisibly.

White letters on a dark field or on a picture are seen. A page whose words are nearly all drawn invisibly, over a
picture, is a scan with the words that a program has recognised in it: those are the words that its reader sees.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import hypot
from typing import Any

from core.interview.resume_limits import TINY_POINTS

Matrix = tuple[float, float, float, float, float, float]
Box = tuple[float, float, float, float]

_SAME: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)
_UNIT = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
_EVERYWHERE: Box = (float("-inf"), float("-inf"), float("inf"), float("inf"))
_PALEST = 0.95  # of each colour; lighter letters cannot be read on white
_NEAR = 2.0  # points; letters may stand a little outside of the field that backs them
_MOST_FIELDS = 64
_INVISIBLE = 3  # text rendering mode
_FILLED_ONLY = (0, 4)  # text rendering modes whose colour is the fill's alone
_SHOWS = (b"Tj", b"TJ", b"'", b'"')
_FILLS = (b"f", b"F", b"f*", b"B", b"B*", b"b", b"b*")
_ENDS_PATH = (*_FILLS, b"S", b"s", b"n")
_TELLING_SPACES = {"/DeviceGray", "/DeviceRGB", "/DeviceCMYK", "/CalGray", "/CalRGB", "/ICCBased"}
_BROKEN = (IndexError, KeyError, TypeError, ValueError, AttributeError, OverflowError)


@dataclass
class _State:
    """The graphics state, as far as it decides what is seen. `outer` leads from the form to the page."""

    resources: Any
    outer: Matrix = _SAME
    font: Any = None
    size: float | None = None
    mode: int = 0
    pale: bool = False
    telling: bool = True


@dataclass
class _Form:
    state: _State
    saved: int


@dataclass
class _Seen:
    """What one look at the page has met."""

    visible: int = 0
    invisible: int = 0
    hidden: int = 0
    pictures: int = 0
    fields: list[Box] = field(default_factory=list)


class Ink:
    """Reads one page of pypdf's, as often as `extract` is called."""

    def __init__(self, page: Any, sees_invisible: bool = False) -> None:
        self._page = page
        self._sees_invisible = sees_invisible
        self._begin()

    def _begin(self) -> None:
        self._seen = _Seen()
        self._state = _State(self._page.get("/Resources") or {})
        self._saved: list[_State] = []
        self._forms: list[_Form] = []
        self._path: list[tuple[float, float]] = []
        self._taken: list[Any] | None = None

    @property
    def has_hidden(self) -> bool:
        """As the last look has found."""
        return self._seen.hidden > 0

    @property
    def is_recognised(self) -> bool:
        """Are the words of this page most likely those that a program has read in a picture?"""
        return bool(self._seen.pictures) and self._seen.invisible > 9 * self._seen.visible

    def extract(self, *, shown: bool) -> str:
        """The words that are shown, or only those that are not. Raises whatever pypdf raises."""
        self._begin()

        def before(operator: bytes, operands: list[Any], cm: list[float], tm: list[float]) -> None:
            self._taken = None
            with suppress(*_BROKEN):
                self._follow(operator, operands, cm)
            with suppress(*_BROKEN):
                if operator in _SHOWS and self._count(operands, cm, tm) is not shown:
                    self._taken = list(operands)
                    operands[-1] = type(operands[-1])() if operator == b"TJ" else b""

        def after(operator: bytes, operands: list[Any], *_: Any) -> None:
            if self._taken is not None:
                operands[:] = self._taken
                self._taken = None
            if operator == b"Do" and self._forms:
                form = self._forms.pop()
                self._state = form.state
                del self._saved[form.saved :]

        text: str = self._page.extract_text(visitor_operand_before=before, visitor_operand_after=after)
        return text

    def _count(self, operands: list[Any], cm: list[float], tm: list[float]) -> bool:
        """Note these letters; True if a reader would see them."""
        letters = sum(map(len, _strings(operands[-1])))
        is_seen = self._is_seen(_times(_times(_matrix(tm), _matrix(cm)), self._state.outer))
        self._seen.visible += letters if is_seen else 0
        self._seen.hidden += 0 if is_seen else letters
        self._seen.invisible += letters if self._state.mode == _INVISIBLE else 0
        return is_seen

    def _is_seen(self, at: Matrix) -> bool:
        state = self._state
        if state.mode == _INVISIBLE and not self._sees_invisible:
            return False
        if state.size is not None and _is_scaled(state.font):
            points = abs(state.size) * hypot(at[2], at[3])
            if points < TINY_POINTS:
                return False
        if not state.pale or state.mode not in _FILLED_ONLY:
            return True
        x, y = at[4], at[5]
        return any(
            left - _NEAR <= x <= right + _NEAR and low - _NEAR <= y <= high + _NEAR
            for left, low, right, high in self._seen.fields
        )

    def _follow(self, operator: bytes, operands: list[Any], cm: list[float]) -> None:
        state = self._state
        if operator == b"q":
            self._saved.append(replace(state))
        elif operator == b"Q":
            least = self._forms[-1].saved if self._forms else 0
            if len(self._saved) > least:
                self._state = self._saved.pop()
        elif operator == b"Tf":
            state.font = state.resources["/Font"][operands[0]].get_object()
            state.size = float(operands[1])
        elif operator == b"Tr":
            state.mode = int(operands[0])
        elif operator == b"Do":
            self._enter(operands, cm)
        elif operator in (b"g", b"rg", b"k", b"cs", b"sc", b"scn"):
            self._color(operator, operands)
        else:
            self._paint(operator, operands, cm)

    def _color(self, operator: bytes, operands: list[Any]) -> None:
        state = self._state
        if operator == b"cs":
            state.telling, state.pale = _is_telling(str(operands[0]), state.resources), False
            return
        state.telling = state.telling or operator in (b"g", b"rg", b"k")
        parts = [float(part) for part in operands] if state.telling else []
        is_ink = len(parts) == 4  # cyan, magenta, yellow, black
        state.pale = max(parts) <= 1 - _PALEST if is_ink else min(parts, default=0.0) >= _PALEST

    def _paint(self, operator: bytes, operands: list[Any], cm: list[float]) -> None:
        if operator == b"re":
            x, y, width, height = (float(part) for part in operands[:4])
            corners = ((x, y), (x + width, y), (x, y + height), (x + width, y + height))
            self._path += self._on_page(corners, cm)
        elif operator in (b"m", b"l", b"c", b"v", b"y"):
            self._path += self._on_page(((float(operands[-2]), float(operands[-1])),), cm)
        elif operator in _ENDS_PATH:
            if operator in _FILLS and self._path and not self._state.pale:
                self._add_field(self._path)
            self._path = []
        elif operator == b"sh":
            self._seen.fields = [_EVERYWHERE]
        elif operator == b"INLINE IMAGE":
            self._seen.pictures += 1
            self._add_field(self._on_page(_UNIT, cm))

    def _enter(self, operands: list[Any], cm: list[float]) -> None:
        """A picture is a field behind what follows; a form is drawn with the state as it stands."""
        self._forms.append(_Form(self._state, len(self._saved)))
        self._state = replace(self._state)
        drawn = self._state.resources["/XObject"][operands[0]].get_object()
        if drawn.get("/Subtype") == "/Image":
            self._seen.pictures += 1
            self._add_field(self._on_page(_UNIT, cm))
            return
        state = self._state
        own = drawn.get("/Matrix")
        inside = _times(_matrix(cm), state.outer)
        state.outer = _times(_matrix(own.get_object()), inside) if own is not None else inside
        resources = drawn.get("/Resources")
        state.resources = resources.get_object() if resources is not None else state.resources

    def _on_page(self, points: tuple[tuple[float, float], ...], cm: list[float]) -> Iterator[tuple[float, float]]:
        a, b, c, d, e, f = _times(_matrix(cm), self._state.outer)
        return ((a * x + c * y + e, b * x + d * y + f) for x, y in points)

    def _add_field(self, points: Any) -> None:
        corners = list(points)
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        self._seen.fields.append((min(xs), min(ys), max(xs), max(ys)))
        if len(self._seen.fields) > _MOST_FIELDS:
            # So many that nothing can be said of any place; looking each up would take for ever.
            self._seen.fields = [_EVERYWHERE]


def _strings(operand: Any) -> Iterator[Any]:
    yield from (part for part in (operand if isinstance(operand, list) else [operand]) if hasattr(part, "split"))


def _is_scaled(font: Any) -> bool:
    """Does the size say how high the letters are? Letters drawn by hand (Type 3) have a scale of their own."""
    return font is not None and font.get("/Subtype") != "/Type3"


def _is_telling(space: str, resources: Any) -> bool:
    """Do high values mean light in this colour space? In spot colours and patterns they mean ink, or nothing."""
    if space in _TELLING_SPACES:
        return True
    named = resources.get("/ColorSpace", {}).get(space)
    found = named.get_object() if named is not None else None
    return str(found[0] if isinstance(found, list) else found) in _TELLING_SPACES


def _matrix(numbers: Any) -> Matrix:
    a, b, c, d, e, f = (float(number) for number in numbers)
    return a, b, c, d, e, f


def _times(m: Matrix, n: Matrix) -> Matrix:
    return (
        m[0] * n[0] + m[1] * n[2],
        m[0] * n[1] + m[1] * n[3],
        m[2] * n[0] + m[3] * n[2],
        m[2] * n[1] + m[3] * n[3],
        m[4] * n[0] + m[5] * n[2] + n[4],
        m[4] * n[1] + m[5] * n[3] + n[5],
    )
