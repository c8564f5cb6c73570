"""What the rule policy makes of the replies to the checker's questions, on a real kernel."""

from collections.abc import Iterator

import pytest
from kernels import code_cells
from targets import target_in

from crane_agent.predict import predict
from crane_agent.session.launched import LaunchedSession, launch
from crane_agent.verdict.models import Verdict

SETUP = """
import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression

# More than the checker works through, and a class whose code is not the library's: the probes must tell.
orders = pd.DataFrame({'total': ['10', '$2,000'] * 150_000, 'units': [1, 2] * 150_000})
class Own(LinearRegression): pass
a, b, c = np.zeros((3, 4)), np.zeros((5, 4)), np.zeros((3, 1))
model = Own().fit(orders[['units']][:2], [1, 2])
more = pd.DataFrame({'units': [1], 'rooms': [2]})
columns = make_column_transformer(('passthrough', ['units'])).fit(orders[['units']])
"""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LaunchedSession]:
    with launch(code_cells(SETUP), folder=tmp_path_factory.mktemp("kernel"), in_place=True) as opened:
        yield opened


def ask(session: LaunchedSession, target: str) -> Verdict:
    verdict = predict(target_in(target, executed=(SETUP,)), session)
    really = session.run(target, limit_s=30)
    assert (really.status == "error") == (verdict.outcome == "crash")
    if verdict.exception is not None:
        assert verdict.certainty == "predicted"
        assert verdict.exception.type == really.ename
    return verdict


@pytest.mark.parametrize(
    "target",
    ["orders['total'].astype(int)", "orders.total.astype('float')", "pd.to_numeric(orders['total'])"],
)
def test_a_cast_that_rejects_a_value(session: LaunchedSession, target: str) -> None:
    verdict = ask(session, target)
    assert verdict.outcome == "crash"
    assert "rejects the value at position 1" in verdict.explanation
    assert "$2,000" not in verdict.model_dump_json()
    assert verdict.proof is not None
    assert "$2,000" in verdict.proof.explanation


UNCERTAIN = "import asyncio; await asyncio.sleep(0)\n"
"""Other code may run while the cell waits, so that the checker is certain of nothing."""


@pytest.mark.parametrize("target", ["a + b", "a @ b", "np.dot(a, b)", "np.concatenate([a, c])", "np.vstack([a, c])"])
def test_arrays_that_do_not_go_together(session: LaunchedSession, target: str) -> None:
    verdict = ask(session, UNCERTAIN + target)
    assert verdict.outcome == "crash"
    assert verdict.exception is not None
    assert verdict.exception.message


@pytest.mark.parametrize(
    "target", ["orders['units'].astype(int)", "a * c", "a @ b.T", "np.hstack([a, c])", "columns.transform(more)"]
)
def test_what_fits_is_no_crash(session: LaunchedSession, target: str) -> None:
    assert ask(session, target).outcome == "no_crash"


def test_a_line_that_may_not_run_is_no_crash(session: LaunchedSession) -> None:
    assert ask(session, "if a.sum() > 3:\n    a + b").outcome == "no_crash"


def test_other_features_than_those_of_the_fit(session: LaunchedSession) -> None:
    assert "other columns" in ask(session, "model.predict(more)").explanation
    assert "fitted on 1 features and is given 4" in ask(session, "model.predict(a)").explanation
