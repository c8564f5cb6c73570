"""The charts of a report as places on a canvas; the template draws them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import NamedTuple

from evals.junobench.report_tables import Entry, amount, interval
from evals.measures import Share

TICKS = 5  # marks on an axis, about
ROUNDING = 1e-6  # of a step: what a mark at the end of an axis may be off
LABEL_HEIGHT, LABEL_WIDTH = 12, 8  # of a line, of a character [px]
ROW_HEIGHT = 34  # of an arm in the chart of accuracies [px]


class Scale(NamedTuple):
    """An axis: values from `low` to `high`, drawn from `start` to `stop` [px]."""

    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        """Return where a value is drawn [px]."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.stop - self.start), 1)

    @property
    def ticks(self) -> list[tuple[float, str]]:
        """Where round values are drawn [px], and their words."""
        step = _round_step((self.high - self.low) / TICKS)
        first, last = ceil(self.low / step - ROUNDING), floor(self.high / step + ROUNDING)
        digits = max(0, -floor(log10(step)))
        return [(self.at(number * step), f"{number * step:,.{digits}f}") for number in range(first, last + 1)]


class Range(NamedTuple):
    """A share and its interval, drawn as a mark on a line [px], and its words."""

    low: float
    at: float
    high: float
    words: str


class Line(NamedTuple):
    """An arm in the chart of accuracies: where it is drawn [px], detection, and detection with a diagnosis."""

    entry: Entry
    y: float
    detected: Range | None
    joint: Range | None
    joint_is_reason: bool


@dataclass(frozen=True)
class Accuracies:
    """The chart of accuracies: a line for each arm."""

    scale: Scale
    lines: tuple[Line, ...]
    height: float


class Point(NamedTuple):
    """An arm in a chart of accuracy against a cost: where it and its label are drawn [px], and the words."""

    entry: Entry
    x: float
    y: float
    label_x: float
    label_y: float
    words: str


@dataclass(frozen=True)
class Tradeoff:
    """A chart of accuracy against a cost."""

    title: str
    x: Scale
    y: Scale
    points: tuple[Point, ...]


class Dot(NamedTuple):
    """The verdicts of like confidence: where they are drawn [px], and how large."""

    x: float
    y: float
    low: float
    high: float
    radius: float
    n: int
    words: str


@dataclass(frozen=True)
class Curve:
    """A reliability curve: how often verdicts of like confidence are right."""

    entry: Entry
    x: Scale
    y: Scale
    dots: tuple[Dot, ...]

    @property
    def path(self) -> str:
        """The dots as a line."""
        return " ".join(f"{dot.x},{dot.y}" for dot in self.dots)


def accuracies(entries: Sequence[Entry], *, start: float, stop: float) -> Accuracies:
    """Draw the accuracy of each arm with its interval, and that of detection with a diagnosis below it.

    Args:
        entries: The arms.
        start: Left edge of the axis [px].
        stop: Right edge of it [px].
    """
    shares = [share for entry in entries for share in (entry.figures.detection.accuracy, _joint(entry)) if share]
    scale = Scale(_lowest(share.low for share in shares), 1.0, start, stop)
    lines = tuple(
        Line(
            entry,
            ROW_HEIGHT * (place + 0.5),
            _range(entry.figures.detection.accuracy, scale),
            _range(_joint(entry), scale),
            entry.is_reference,
        )
        for place, entry in enumerate(entries)
    )
    return Accuracies(scale, lines, ROW_HEIGHT * len(entries))


def tradeoffs(entries: Sequence[Entry], *, width: float, height: float) -> list[Tradeoff]:
    """Draw accuracy against what it costs; a cost that no arm has is left out.

    Args:
        entries: The arms.
        width: Width of a chart's field [px].
        height: Its height [px].
    """
    costs: dict[str, Callable[[Entry], float]] = {
        "Tokens an instance, in and out": lambda entry: _mean(entry, "tokens in") + _mean(entry, "tokens out"),
        "Text of facts an instance [bytes]": lambda entry: _mean(entry, "text of facts [bytes]"),
        "Time of a prediction [s]": lambda entry: _mean(entry, "time [s]"),
    }
    shown = [entry for entry in entries if entry.figures.detection.accuracy.value is not None]
    charts = ((title, {entry.key: cost(entry) for entry in shown}) for title, cost in costs.items())
    return [_tradeoff(title, shown, each, width, height) for title, each in charts if any(each.values())]


def curves(entries: Iterable[Entry], *, side: float) -> list[Curve]:
    """Draw the reliability curve of each arm that has verdicts.

    Args:
        entries: The arms.
        side: Width and height of a field [px].
    """
    return [_curve(entry, side) for entry in entries if entry.figures.reliability]


def _joint(entry: Entry) -> Share | None:
    """Return the accuracy of detection with type and line; of what was published, with the reason."""
    if not entry.is_reference:
        return entry.figures.diagnosed.accuracy
    return None if entry.figures.explained is None else entry.figures.explained.accuracy


def _range(share: Share | None, scale: Scale) -> Range | None:
    if share is None or share.value is None:
        return None
    return Range(scale.at(share.low), scale.at(share.value), scale.at(share.high), f"{share.value:.3f}")


def _lowest(values: Iterable[float]) -> float:
    """Return a round value that all are above."""
    return floor(min([0.9, *values]) * 10) / 10


def _mean(entry: Entry, cost: str) -> float:
    """Return what a prediction costs on average; 0 where that is not known."""
    found = entry.figures.costs[cost]
    return found.total / found.n if found.n else 0.0


def _tradeoff(title: str, entries: Sequence[Entry], costs: dict[str, float], width: float, height: float) -> Tradeoff:
    accuracy = {entry.key: entry.figures.detection.accuracy.value or 0.0 for entry in entries}
    x = Scale(0.0, max(costs.values()) * 1.08, 0.0, width)
    y = Scale(_lowest(value - 0.02 for value in accuracy.values()), 1.0, height, 0.0)
    places = [(x.at(costs[entry.key]), y.at(accuracy[entry.key])) for entry in entries]
    labels = _labels([entry.key for entry in entries], places)
    points = (
        Point(entry, *place, *label, f"{entry.title}: {accuracy[entry.key]:.3f}, {amount(costs[entry.key])}")
        for entry, place, label in zip(entries, places, labels, strict=True)
    )
    return Tradeoff(title, x, y, tuple(points))


def _labels(texts: Sequence[str], points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Place each label beside its point, the nearest place where it covers no point and no label."""
    placed: list[tuple[float, float]] = []
    for text, (x, y) in zip(texts, points, strict=True):
        width = LABEL_WIDTH * len(text)
        tried = [
            (x + side * (9 + width / 2 + LABEL_WIDTH * ring), y + LABEL_HEIGHT * row)
            for ring in range(8)
            for row in sorted(range(-ring, ring + 1), key=abs)
            for side in (1, -1)
        ]
        taken = [*placed, *points]
        free = (each for each in tried if not any(_covers(each, other, width) for other in taken))
        placed.append(next(free, tried[0]))
    return placed


def _covers(place: tuple[float, float], other: tuple[float, float], width: float) -> bool:
    return abs(place[0] - other[0]) < width / 2 + LABEL_WIDTH and abs(place[1] - other[1]) < LABEL_HEIGHT


def _curve(entry: Entry, side: float) -> Curve:
    bins = entry.figures.reliability
    most = max(each.n for each in bins)
    lowest = 0.5 if all(each.low >= 0.5 for each in bins) else 0.0
    x, y = Scale(lowest, 1.0, 0.0, side), Scale(0.0, 1.0, side, 0.0)
    dots = (
        Dot(
            x.at(each.confidence),
            y.at(each.right.value or 0.0),
            y.at(each.right.low),
            y.at(each.right.high),
            round(2.5 + 4.5 * (each.n / most) ** 0.5, 1),
            each.n,
            f"{each.n} verdicts of {each.confidence:.2f}: {each.right.value:.2f} right ({interval(each.right)})",
        )
        for each in bins
    )
    return Curve(entry, x, y, tuple(dots))


def _round_step(step: float) -> float:
    """Return the smallest of 1, 2, 5 and 10 times a power of ten that is at least `step`."""
    power = 10.0 ** floor(log10(step))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= step * 0.999)
