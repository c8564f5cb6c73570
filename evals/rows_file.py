"""Rows that outlast a run: one JSON line each, kept as they come; what is there is not run again."""

from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Protocol, Self, TypeVar

from evals.instance import Instance


class Keyed(Protocol):
    """A row of one instance, a pydantic model."""

    @property
    def key(self) -> Hashable:
        """The key of its instance."""

    def model_dump_json(self) -> str:
        """Return it as JSON."""

    @classmethod
    def model_validate_json(cls, json_data: str) -> Self:
        """Return the row that JSON holds."""


R = TypeVar("R", bound=Keyed)


def rows_in(path: Path | None, kind: type[R]) -> list[R]:
    """Return the rows of earlier runs; none if there is no file, or none is kept."""
    if path is None or not path.exists():
        return []
    return [kind.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def run_missing(
    instances: Sequence[Instance],
    earlier: Sequence[R],
    run_one: Callable[[Instance], R],
    out: Path | None,
    *,
    jobs: int,
    seen: Callable[[R], None],
) -> list[R]:
    """Run the instances that there is no row for yet.

    Args:
        instances: What to run.
        earlier: Rows of earlier runs.
        run_one: Runs one instance; called in threads.
        out: JSONL file that each new row is appended to as soon as it is there.
        jobs: Instances run at the same time.
        seen: Called with each new row, in the order they are done.

    Returns:
        The rows of `instances`, old and new, in their order.
    """
    rows = {row.key: row for row in earlier}
    left = [instance for instance in instances if instance.key not in rows]
    with ThreadPoolExecutor(jobs) as pool:
        pending = [pool.submit(run_one, instance) for instance in left]
        try:
            for done in as_completed(pending):
                row = done.result()
                rows[row.key] = row
                if out:
                    with out.open("a", encoding="utf-8") as file:
                        file.write(row.model_dump_json() + "\n")
                seen(row)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return [rows[instance.key] for instance in instances]
