"""`crane-agent eval`: the measurements of this project's checkout, which no installation has."""

from collections.abc import Sequence

from crane_agent.errors import ConfigError

PROGRAM = "crane-agent eval"


def measure(arguments: Sequence[str]) -> int:
    """Run a grid of arms and policies on JunoBench, and return its exit status.

    Args:
        arguments: Those of `evals.junobench.grid`.

    Raises:
        ConfigError: There is no checkout, or its extra `evals` is not installed.
    """
    try:
        from evals.junobench.grid import main
    except ModuleNotFoundError as missing:
        raise ConfigError(
            f"{PROGRAM} runs in a checkout of the repository with its extra: pip install -e '.[evals]' "
            f"({missing.name} is missing)"
        ) from None
    return main(arguments, program=PROGRAM)
