"""What the tests of the agent share."""

import pytest


@pytest.fixture(autouse=True)
def no_rehearsal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Switch rehearsals off where a test does not ask for one: they would settle what the policies are asked here."""
    monkeypatch.setenv("CRANE_REHEARSE", "off")
