"""The competencies as a radar, in vectors, for the PDF."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from reportlab.graphics.shapes import Circle, Drawing, Polygon, String
from reportlab.lib.colors import Color, HexColor

from core.interview import rubric
from core.interview.report import label

WIDTH, HEIGHT, RADIUS = 440.0, 250.0, 92.0  # points
INK, LINE, GREEN, AMBER = HexColor("#20261f"), HexColor("#c9c5b8"), HexColor("#1d6b57"), HexColor("#b46a10")
FILL = Color(GREEN.red, GREEN.green, GREEN.blue, alpha=0.18)


def radar(scores: Mapping[str, float], target: float, font: str) -> Drawing:
    """Scores of 0 to 10 on one axis each, rings where the bands begin, and the target as a dashed line."""
    drawing = Drawing(WIDTH, HEIGHT)
    axes = len(scores)
    for least, name in rubric.RULES.bands[:-1]:
        drawing.add(_ring([least] * axes, fillColor=None, strokeColor=LINE, strokeWidth=0.6))
        x, y = _point(least, 0, axes)
        drawing.add(String(x + 3, y + 2, name, fontName=font, fontSize=6.5, fillColor=HexColor("#6c7068")))
    drawing.add(_ring([10.0] * axes, fillColor=None, strokeColor=LINE, strokeWidth=0.9))
    drawing.add(_ring([target] * axes, fillColor=None, strokeColor=AMBER, strokeWidth=1.2, strokeDashArray=(4, 3)))
    drawing.add(_ring(list(scores.values()), fillColor=FILL, strokeColor=GREEN, strokeWidth=1.6))
    for place, (name, score) in enumerate(scores.items()):
        x, y = _point(score, place, axes)
        drawing.add(Circle(x, y, 2.4, fillColor=GREEN, strokeColor=None))
        drawing.add(_axis_name(name, place, axes, font))
    return drawing


def _point(score: float, place: int, axes: int) -> tuple[float, float]:
    """The first axis points up; the others follow clockwise."""
    angle = math.pi / 2 - 2 * math.pi * place / axes
    reach = RADIUS * score / 10
    return WIDTH / 2 + reach * math.cos(angle), HEIGHT / 2 + reach * math.sin(angle)


def _ring(scores: Sequence[float], **style: object) -> Polygon:
    corners = [_point(score, place, len(scores)) for place, score in enumerate(scores)]
    return Polygon([coordinate for corner in corners for coordinate in corner], **style)


def _axis_name(name: str, place: int, axes: int, font: str) -> String:
    x, y = _point(11.0, place, axes)
    side = round(x - WIDTH / 2)
    anchor = "start" if side > 1 else "end" if side < -1 else "middle"
    return String(x, y - 3, label(name), fontName=font, fontSize=8.5, fillColor=INK, textAnchor=anchor)
