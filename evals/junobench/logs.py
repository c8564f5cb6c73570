"""From Inspect's logs to rows."""

import os
from collections.abc import Iterator
from math import isnan
from pathlib import Path
from urllib.parse import quote

from inspect_ai.log import EvalLog, EvalSample, read_eval_log

from evals.instance import Instance, Truth
from evals.junobench.predictions import Arm, Prediction
from evals.junobench.samples import Asked
from evals.junobench.scorers import REASON
from evals.scorer import Answer, Row, failure, score, score_of

NOT_RUN = "the run was broken off"


def predictions_of(log: EvalLog | Path | str, *, folder: Path | None = None) -> list[Prediction]:
    """Return the rows of a log: one for each sample, epoch and arm, those whose run failed among them.

    Args:
        log: A log with its samples, or its file.
        folder: Folder that the links to the transcripts start from; None: that of the log.
    """
    log = _read(log)
    place = Path(log.location.removeprefix("file://"))
    folder = place.parent if folder is None else folder
    viewer = quote((Path(os.path.relpath(place.parent, folder)) / "index.html").as_posix())
    return [
        prediction
        for sample in _samples(log)
        for prediction in _predictions(sample, _arms(log), link=f"{viewer}#{_route(place.name, sample)}")
    ]


def rows_of(log: EvalLog | Path | str, *, arms: dict[str, str]) -> list[Row]:
    """Return the first epoch of a log as rows of one instance each.

    Args:
        log: As for `predictions_of`.
        arms: What the arms that are kept are called in the rows, by name.
    """
    return [_row(sample, arms) for sample in _samples(_read(log)) if sample.epoch == 1]


def alarms_of(log: EvalLog | Path | str) -> Iterator[str]:
    """Yield what must never be, in words: a certain verdict that is wrong, a fault of ours, a failed run ..."""
    log = _read(log)
    if log.status != "success":
        yield f"{log.eval.task}: {log.status}"
    for sample in _samples(log):
        answer = _answer(sample)
        row = _row(sample, {} if answer is None else {name: name for name in answer.said})
        yield from (f"{sample.id}, epoch {sample.epoch}: {alarm}" for alarm in row.alarms)


def _read(log: EvalLog | Path | str) -> EvalLog:
    return (
        log
        if isinstance(log, EvalLog) and log.samples is not None
        else read_eval_log(log.location if isinstance(log, EvalLog) else str(log))
    )


def _samples(log: EvalLog) -> list[EvalSample]:
    return sorted(log.samples or (), key=lambda sample: (str(sample.id), sample.epoch))


def _arms(log: EvalLog) -> list[Arm]:
    return [Arm.named(name) for name in (log.eval.metadata or {})["arms"]]


def _answer(sample: EvalSample) -> Answer | None:
    return sample.store_as(Asked).answer


def _why_failed(sample: EvalSample) -> str | None:
    if sample.error is not None:
        return sample.error.message
    return NOT_RUN if _answer(sample) is None else None


def _predictions(sample: EvalSample, arms: list[Arm], *, link: str) -> Iterator[Prediction]:
    metadata, answer, error = sample.metadata, _answer(sample), _why_failed(sample)
    for arm in arms:
        row = Prediction(
            **{name: metadata[name] for name in ("case", "version", "library", "root_cause", "crash_type", "ml_stage")},
            arm=arm,
            epoch=sample.epoch,
            error=error,
            transcript=link,
            commit=sample.store_as(Asked).commit,
        )
        if answer is not None and error is None:
            said = answer.said[arm.name]
            row = row.model_copy(
                update={
                    "truth": answer.truth,
                    "verdict": said.verdict,
                    "score": score_of(said.verdict, answer.truth),
                    "reason_right": _reason_right(sample, arm),
                    "seconds": said.predict_ms / 1000,
                    "fact_bytes": said.fact_bytes,
                    "kernel_bytes": said.kernel_bytes,
                }
            )
        yield row


def _reason_right(sample: EvalSample, arm: Arm) -> bool | None:
    judged = (sample.scores or {}).get(REASON)
    value = judged.value.get(arm.name) if judged is not None and isinstance(judged.value, dict) else None
    return None if not isinstance(value, int | float) or isnan(value) else bool(value)


def _row(sample: EvalSample, arms: dict[str, str]) -> Row:
    metadata, answer, error = sample.metadata, _answer(sample), _why_failed(sample)
    recorded = metadata["recorded"] and Truth.model_validate(metadata["recorded"])
    instance = Instance(
        case=metadata["case"], version=metadata["version"], executed=(), target=metadata["target"], recorded=recorded
    )
    commit = sample.store_as(Asked).commit
    if answer is None or error is not None:
        return failure(instance, error or NOT_RUN, commit=commit)
    said = {name: answer.said[arm] for arm, name in arms.items() if arm in answer.said}
    return score(instance, answer.model_copy(update={"said": said}), commit=commit)


def _route(log: str, sample: EvalSample) -> str:
    return f"/logs/{quote(log)}/samples/sample/{quote(str(sample.id))}/{sample.epoch}"
