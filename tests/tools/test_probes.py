"""What a model is told about the probes is what the kernel answers."""

import importlib
import json
import pkgutil
import runpy
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

import crane_agent.tools.probes as tools
from crane_agent.in_kernel import probes as in_kernel
from crane_agent.in_kernel import safe
from crane_agent.tools.probes import PROBES, probe_tools

EXAMPLES = Path(__file__).parent / "examples"
MODULES = [
    importlib.import_module(f"crane_agent.tools.probes.{each.name}")
    for each in pkgutil.iter_modules(tools.__path__)
    if each.name != "base"
]
KERNEL_PROBES = [name for name, spec in PROBES.items() if spec.answered_by == "kernel"]


def shell(probe):
    """Return a shell with the values that the examples of the probe's module are about."""
    module = next(module for module in MODULES if any(spec.name == probe for spec in module.SPECS))
    space = runpy.run_path(str(EXAMPLES / f"{module.__name__.rpartition('.')[2]}.py"))
    namespace = {name: value for name, value in space.items() if not name.startswith("__")}
    manager = namespace.pop("history_manager", None)
    return SimpleNamespace(user_ns=namespace, user_ns_hidden={}, execution_count=1, history_manager=manager)


def test_the_probes_offered_are_those_of_the_kernel():
    assert list(in_kernel.PROBES) == KERNEL_PROBES


@pytest.mark.parametrize("name", KERNEL_PROBES)
def test_the_arguments_offered_are_those_the_kernel_takes(name):
    code = in_kernel.PROBES[name].__code__
    assert tuple(PROBES[name].arguments.model_fields) == code.co_varnames[2 : code.co_argcount]


@pytest.mark.parametrize("name", KERNEL_PROBES)
def test_the_example_in_a_description_is_what_the_kernel_answers(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spec = PROBES[name]
    arguments = spec.arguments.model_validate(dict(spec.example)).model_dump(mode="json", exclude_none=True)
    answer = in_kernel.PROBES[name](shell(name), safe.Budget(5.0, 50), **arguments)
    assert json.loads(json.dumps(answer)) == spec.example_answer


def test_every_tool_has_a_name_a_description_with_an_example_and_described_arguments():
    tools = [tool["function"] for tool in probe_tools()]
    assert [tool["name"] for tool in tools] == list(PROBES)
    for tool in tools:
        assert "Use it" in tool["description"]
        assert "Example: {" in tool["description"]
        for schema in tool["parameters"]["properties"].values():
            assert schema["description"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("describe", {}),
        ("describe", {"path": ""}),
        ("describe", {"path": "x" * 501}),
        ("describe", {"path": "x", "depth": 3}),
        ("columns", {"path": "df", "names": "Price"}),
        ("signature", {"path": "f", "positional": -1}),
    ],
)
def test_arguments_that_do_not_fit_are_refused(name, arguments):
    with pytest.raises(ValidationError):
        PROBES[name].arguments.model_validate(arguments)


def test_the_probes_can_be_listed_without_loading_langchain():
    code = (
        "import sys; from crane_agent.tools.probes import PROBES; assert PROBES;"
        "sys.exit(any(name.startswith('lang') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
