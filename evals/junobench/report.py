"""The report of a grid: `python -m evals.junobench.report --rows FILE... --html FILE --markdown FILE`.

One page of HTML that needs nothing else, and the same tables in Markdown. Texts of notebooks and models are shown as
text; the page runs no script and loads nothing.
"""

import os
import re
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, StrictUndefined

from evals.junobench.predictions import Arm, Prediction, read_predictions
from evals.junobench.published import proof, published_predictions
from evals.junobench.report_charts import accuracies, curves, tradeoffs
from evals.junobench.report_tables import Cell, Contents, Count, as_section, contents, tables
from evals.junobench.statistics import agreement, judgements
from evals.measures import Share
from evals.provenance import command_line, provenance
from evals.table import markdown

MODULE = "evals.junobench.report"
TITLE = "JunoBench: static, fixed, adaptive"
TEMPLATE = Path(__file__).parent / "report.html.j2"
LEGEND = (
    (Arm(facts="static"), "static: no facts"),
    (Arm(facts="fixed"), "fixed summary"),
    (Arm(facts="adaptive"), "adaptive: facts on demand"),
    (Arm(facts="adaptive", check=True), "filled: with the checker"),
    (Arm(facts="adaptive", check=True, rehearse=True), "underlined: with rehearsal"),
)
"""Arms that show the marks, and what they mean."""

_IS_WHOLE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|/")
_FIGURES = re.compile(r"[<\d.,\s-]+|n/a|.* to [\d.]+")


LONG = 28
"""A longer text may be broken anywhere [characters]."""


class Card(NamedTuple):
    """A figure at the top of the page: its value, what it counts, and whether that is good or bad."""

    value: str
    words: str
    mood: str = ""


def html_page(report: Contents, folder: Path) -> str:
    """Return a report as one page of HTML.

    Args:
        report: What it shows.
        folder: Folder of the page, which links start from.
    """
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=False)
    template = environment.from_string(TEMPLATE.read_text(encoding="utf-8"))
    charts = tradeoffs(report.own, width=340, height=230)
    return template.render(
        title=TITLE,
        cards=_cards(report),
        legend=LEGEND,
        has_references=len(report.own) < len(report.entries),
        has_tokens=any(entry.figures.costs["tokens in"].total for entry in report.own),
        accuracies=accuracies(report.entries, start=320, stop=930),
        tradeoffs=charts,
        curves=curves(report.own, side=160),
        tables=tables(report, folder),
        kind_of=lambda value: type(value).__name__,
        width_of=_width_of,
    )


def markdown_page(report: Contents, folder: Path) -> str:
    """Return a report's tables as a page of Markdown.

    Args:
        report: What it shows.
        folder: Folder of the page, which links start from.
    """
    return markdown(TITLE, [as_section(table) for table in tables(report, folder)])


def rows_in(paths: Iterable[Path]) -> list[Prediction]:
    """Read files of rows, with the links to transcripts as paths from the current folder.

    Raises:
        FileNotFoundError: There is no such file.
    """
    rows = {row.key: row for path in paths for row in map(_from_here(path), read_predictions(path))}
    return list(rows.values())


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the report of a grid, and return the exit status.

    Args:
        arguments: The command line; None: this process's.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    options = _options(given)
    published = published_predictions(options.bench) if options.bench else []
    rows = rows_in(options.rows)
    second = rows_in(options.second_judge)
    report = contents(
        rows,
        published,
        judges=agreement(judgements(rows), judgements(second)) if second else None,
        made_with={**_made_with(rows, options, given), **_proved(published, options.bench)},
    )
    for path, page in ((options.html, html_page), (options.markdown, markdown_page)):
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(page(report, path.parent), encoding="utf-8")
    return 0


def _options(given: Sequence[str]) -> Namespace:
    parser = ArgumentParser(prog=f"python -m {MODULE}", description=__doc__)
    parser.add_argument("--rows", type=Path, nargs="+", required=True, help="rows of a grid, as JSON lines")
    parser.add_argument("--html", type=Path, help="the page to write")
    parser.add_argument("--markdown", type=Path, help="the same tables in Markdown")
    parser.add_argument("--bench", type=Path, help="JunoBench's folder: shows its published predictions, too")
    parser.add_argument(
        "--second-judge", type=Path, nargs="+", default=[], metavar="ROWS", help="rows whose reasons another one judged"
    )
    parser.add_argument("--python", default=sys.executable, help="interpreter of the kernels, for its versions")
    parser.add_argument(
        "--made-by", action="append", default=[], metavar="COMMAND", help="a command that made the rows"
    )
    return parser.parse_args(given)


def _made_with(rows: Collection[Prediction], options: Namespace, given: Sequence[str]) -> dict[str, str]:
    named = {str(options.bench): "BENCH", options.python: "BENCH_PYTHON"}
    made = provenance(
        command_line(MODULE, [part for part in given if part not in options.made_by and part != "--made-by"], named),
        options.python,
        truth="live, the target run after all arms were asked",
        n=len({row.instance for row in rows}),
        commits=[row.commit for row in rows],
    )
    return {**{f"rows {place}": each for place, each in enumerate(options.made_by, start=1)}, **made}


def _proved(published: Collection[Prediction], bench: Path | None) -> dict[str, str]:
    """Say how many published figures come out the same, if there are any."""
    if bench is None:
        return {}
    compared = proof(published, bench)
    return {"scorer": f"{sum(each.same for each in compared)} of {len(compared)} published figures come out the same"}


def _from_here(file: Path) -> Callable[[Prediction], Prediction]:
    """Return what turns a row's link, a path from the folder of its file, into one from the current folder."""

    def moved(row: Prediction) -> Prediction:
        if not row.transcript or _IS_WHOLE.match(row.transcript):
            return row
        return row.model_copy(update={"transcript": os.path.join(file.parent, row.transcript)})

    return moved


def _cards(report: Contents) -> list[Card]:
    found = [entry.figures for entry in report.own]
    wrong, errors = sum(each.certain_wrong for each in found), sum(each.errors for each in found)
    return [
        Card(str(len({key for entry in report.own for key in entry.votes})), "instances"),
        Card(str(len(report.own)), "arms"),
        Card(f"{sum(each.predictions for each in found):,}", "predictions"),
        Card(f"{sum(each.certain for each in found):,}", "given as certain"),
        Card(str(wrong), "certain and wrong", "bad" if wrong else "good"),
        Card(str(errors), "failed runs", "bad" if errors else "good"),
    ]


def _width_of(cell: Cell) -> str:
    """Return the class of a cell: figures are not broken into lines, long texts anywhere."""
    if isinstance(cell, str) and not _FIGURES.fullmatch(cell):
        return "long" if len(cell) > LONG else "text"
    return "long" if isinstance(cell, tuple) and not isinstance(cell, Share | Count) else "number"


if __name__ == "__main__":
    sys.exit(main())
