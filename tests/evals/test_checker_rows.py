from evals.checker.rows import Checked, Foreseen, PeerSaid, Said, line_right, message_right, type_right
from evals.instance import Truth

RAN = Truth(status="ok")
RAISED = Truth(status="error", ename="KeyError", evalue="'a'", line=3)
FOUND = Foreseen(type="KeyError", message="'a'", line=3, rule="frames.missing-column")


def checked(truth: Truth, said: Said, peer: PeerSaid | None = None) -> Checked:
    return Checked(role="target", place=1, source="x", said=said, peer=peer, truth=truth)


def found(truth: Truth, **changes: object) -> Checked:
    return checked(truth, Said(status="ok", finding=FOUND.model_copy(update=changes)))


def test_a_crash_foreseen_as_it_comes_is_no_contradiction() -> None:
    assert found(RAISED).contradiction == ""


def test_a_finding_on_a_cell_that_ran_is_a_contradiction_whether_first_or_not() -> None:
    assert "but ok" in found(RAN).contradiction
    assert "but ok" in found(RAN, first=False).contradiction


def test_a_finding_with_nothing_in_doubt_before_it_must_have_the_right_type_and_line() -> None:
    assert found(RAISED, type="ValueError").contradiction
    assert found(RAISED, line=2).contradiction
    assert not found(RAISED, line=None).contradiction


def test_with_something_in_doubt_before_it_another_type_or_line_is_allowed() -> None:
    assert not found(RAISED, first=False, type="ValueError", line=5).contradiction


def test_a_crash_behind_the_latest_line_is_told_apart() -> None:
    assert "line 2 at the latest" in found(RAISED, first=False, line=2).later
    assert not found(RAISED, first=False, line=5).later
    assert not found(RAISED, line=2).later


def test_a_promise_to_run_is_contradicted_by_a_crash_only() -> None:
    promise = Said(status="ok", settled=True)
    assert checked(RAISED, promise).contradiction.startswith("promised to run, but KeyError")
    assert not checked(RAN, promise).contradiction
    assert not checked(Truth(status="error", ename="SystemExit"), promise).contradiction


def test_a_fault_of_our_own_is_listed_with_the_contradictions() -> None:
    assert "TypeError" in checked(RAN, Said(status="failed", reason="TypeError: x")).contradiction


def test_a_suspect_is_never_a_contradiction() -> None:
    assert not checked(RAN, Said(status="ok", suspects=(FOUND,))).contradiction


def test_what_the_peer_calls_certain_is_held_to_the_same() -> None:
    said = Said(status="ok")
    assert checked(RAN, said, PeerSaid(finding=FOUND)).peer_contradiction
    assert not checked(RAISED, said, PeerSaid(finding=FOUND)).peer_contradiction
    assert not checked(RAISED, said).peer_contradiction


def test_types_are_compared_without_their_module_and_messages_without_white_space() -> None:
    error = Truth(status="error", ename="UndefinedVariableError", evalue="a\n  b", line=1)
    claim = Foreseen(type="pandas.errors.UndefinedVariableError", message="a b", line=1)
    assert type_right(claim, error)
    assert message_right(claim, error)
    assert line_right(claim, error)
    assert not message_right(claim.model_copy(update={"message": "a b c"}), error)


def test_of_a_kernel_that_died_neither_type_nor_line_is_known() -> None:
    died = Truth(status="died")
    assert (type_right(FOUND, died), line_right(FOUND, died), message_right(FOUND, died)) == (None, None, None)
    assert not found(died).contradiction
