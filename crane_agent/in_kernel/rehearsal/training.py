"""Training that would outlast the rehearsal is ended after some of its steps, and that is noted as a change.

The steps that run are those that would run: no error among them is made or hidden by it. The record of the epochs that
did not run repeats the last one that did, so that what is plotted over them has its length. Source: Keras,
`Model.fit` and `Callback`, whose `stop_training` ends the training after the step.
"""

from __future__ import annotations

import functools
import inspect
import time
from typing import Any, List

_CHANGE = "a training was ended before its last step"


def end_early(keras: Any, deadline: float, changed: List[str]) -> None:
    """Let Keras' models end their training at a time of the monotonic clock [seconds]; noted in `changed`, once."""
    owner = next((each for each in keras.Model.__mro__ if "fit" in vars(each)), None)
    if owner is None:
        return

    stopped: List[bool] = []

    class Clock(keras.callbacks.Callback):  # type: ignore[misc]
        def on_train_batch_end(self, batch: Any, logs: Any = None) -> None:
            if time.monotonic() >= deadline:
                self.model.stop_training = True
                stopped.append(True)
                if _CHANGE not in changed:
                    changed.append(_CHANGE)

    fit: Any = owner.fit

    @functools.wraps(fit)
    def fit_until_then(*arguments: Any, **named: Any) -> Any:
        try:
            given = inspect.signature(fit).bind(*arguments, **named)
        except TypeError:
            return fit(*arguments, **named)  # which says so in its own words
        callbacks = given.arguments.get("callbacks")
        if isinstance(callbacks, keras.callbacks.CallbackList):
            callbacks.append(Clock())
        elif callbacks is None or isinstance(callbacks, (list, tuple)):
            given.arguments["callbacks"] = [*(callbacks or ()), Clock()]
        del stopped[:]
        record = fit(*given.args, **given.kwargs)
        if stopped:
            given.apply_defaults()
            _fill(record, given.arguments.get("epochs"))
        return record

    owner.fit = fit_until_then


def _fill(record: Any, epochs: Any) -> None:
    """Let the record of a training that was ended have as many epochs as were asked for."""
    if type(epochs) is not int or not isinstance(getattr(record, "history", None), dict):
        return
    for values in (record.epoch, *record.history.values()):
        values.extend(values[-1:] * (epochs - len(values)))
