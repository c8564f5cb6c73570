"""What the probes of modules, the machine and the cells say, with Python's own import system as the oracle."""

import importlib.util
import json
import os
import subprocess
import sys
import sysconfig
import textwrap
from importlib import metadata
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from crane_agent.in_kernel import entry, wire
from crane_agent.tools.probes import PROBES

CHECKOUT = Path(__file__).parents[2]


def shell(history=None, count=1, **names):
    kept = {} if history is None else {"input_hist_raw": ["", *history]}
    manager = SimpleNamespace(_trait_values=kept)
    return SimpleNamespace(user_ns=names, user_ns_hidden={}, execution_count=count, history_manager=manager)


def reply(question, kernel=None, limits=None, **arguments):
    request = wire.dumps({"ask": question, "arguments": arguments, "limits": limits or {}})
    text = entry.answer(request, kernel or shell())
    assert text == entry.answer(request, kernel or shell())
    assert len(text) <= (limits or {}).get("bytes", wire.DEFAULT_LIMITS["bytes"])
    return json.loads(text)


def answer(question, kernel=None, limits=None, **arguments):
    found = reply(question, kernel, limits, **arguments)
    assert found["status"] == "ok", found
    return found["answer"]


# -- Modules -----------------------------------------------------------------------------------------------------------


def in_a_process(code, folder="."):
    """Return what `code` prints as JSON in a bare Python that has loaded our modules and nothing of the tests."""
    start = (
        "import json, sys; from types import SimpleNamespace; from crane_agent.in_kernel import safe\n"
        "from crane_agent.in_kernel.probes.environment import module\n"
        "ask = lambda name, names=None: module(None, safe.Budget(9, 50), name, names)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", start + textwrap.dedent(code)],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)}, cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


TOP_LEVEL = sorted(
    {*sys.stdlib_module_names, *(each for each in metadata.packages_distributions() if each.isidentifier())}
)


def test_top_level_modules_are_found_where_python_finds_them(tmp_path):
    names = [*TOP_LEVEL, "no_such_module", "skleran", "test_environment_probes"]
    found = in_a_process(
        f"""
        names = {names!r}
        told = {{name: ask(name) for name in names}}
        import importlib.util
        specs = {{name: importlib.util.find_spec(name) for name in names if name not in sys.modules}}
        print(json.dumps([told, {{name: spec and spec.origin for name, spec in specs.items()}}]))
        """,
        tmp_path,
    )
    told, specs = found
    assert len(specs) > 200
    purelib = sysconfig.get_paths()["purelib"]
    for name, origin in specs.items():
        is_there = name in specs and origin is not None
        if told[name]["found"] is None:
            continue  # a finder of somebody's may know it
        if is_there:
            assert told[name]["found"] is True, name
            if origin.startswith(purelib) and "unknown" not in told[name]:
                assert told[name]["origin"] == "<site-packages>" + origin[len(purelib) :]
        elif told[name].get("kind") != "namespace package":
            assert told[name]["found"] is False, name
    assert told["skleran"]["close"][0] == "sklearn"
    assert sum(each["found"] is None for each in told.values()) < 20


def test_submodules_are_found_without_importing_their_package(tmp_path):
    (tmp_path / "package" / "inner").mkdir(parents=True)
    (tmp_path / "package" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "package" / "inner" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "package" / "inner" / "leaf.py").write_text("")
    (tmp_path / "space" / "inside").mkdir(parents=True)
    (tmp_path / "single.py").write_text("")
    found = in_a_process(
        """
        before = dict(sys.modules), dict(sys.path_importer_cache), list(sys.path)
        events = []
        sys.addaudithook(lambda event, arguments: events.append(event))
        told = {name: ask(name) for name in ["package", "package.inner.leaf", "package.inner.leef", "space.inside",
                                             "single.x", "single", "space", "json.decoderr", "os.path"]}
        events, seen = sorted(set(events) - {"object.__getattr__", "builtins.id"}), events
        assert before == (dict(sys.modules), dict(sys.path_importer_cache), list(sys.path))
        print(json.dumps([told, events]))
        """,
        tmp_path,
    )
    told, events = found
    assert {name: each["found"] for name, each in told.items()} == {
        "package": True,
        "package.inner.leaf": True,
        "package.inner.leef": None,
        "space.inside": True,
        "single.x": None,
        "single": True,
        "space": True,
        "json.decoderr": False,
        "os.path": True,
    }
    assert told["package.inner.leef"]["close"] == ["leaf"]
    assert told["space"]["kind"] == "namespace package"
    assert told["json.decoderr"]["close"] == ["decoder"]
    assert events == ["os.scandir"]


def test_a_version_is_that_of_the_installed_project():
    for module in ("pandas", "sklearn", "yaml", "numpy"):
        found = in_a_process(f"print(json.dumps(ask({module!r})))")
        project = {"sklearn": "scikit-learn", "yaml": "PyYAML"}.get(module, module)
        assert found["loaded"] is False
        assert found["version"] == metadata.version(project)


NAMES = [
    *("float", "int", "bool", "asaray", "array", "testing", "Tester", "linalg", "core", "char", "rec", "emath", "in1d"),
    *("random", "ma", "fft", "typing", "f2py", "distutils", "product", "trapz", "Inf", "unicode_", "exceptions", "str"),
    *("strings", "_core", "math", "sys", "misc", "integrate", "stats", "metrics", "externals", "utils", "linear_model"),
    *("cross_validation", "etree", "sax", "decoder", "tool", "path", "DataFrame", "Panel", "OrderedDict", "Mapping"),
]


@pytest.mark.parametrize("module", ["numpy", "scipy", "sklearn", "pandas", "xml", "json", "os", "collections"])
def test_names_that_a_loaded_module_lacks(module):
    code = f"""
    import warnings; warnings.simplefilter("ignore")
    import importlib; it = importlib.import_module({module!r})
    told = ask({module!r}, {NAMES!r})
    there = []
    for name in {NAMES!r}:
        try:
            getattr(it, name)
            there.append(name)
        except AttributeError:
            pass
    print(json.dumps([told, there]))
    """
    told, there = in_a_process(code)
    unknown = [name for name in NAMES if f" {name}," in told.get("unknown", "")]
    assert len(unknown) < 15
    lacked = [*told["missing"], *told.get("submodules", ()), *unknown]
    assert sorted(lacked) == sorted(set(NAMES) - set(there) | set(unknown))


def test_a_submodule_that_was_not_imported_is_no_attribute():
    told = in_a_process("import xml\nprint(json.dumps(ask('xml', ['etree', 'saxx'])))")
    assert (told["submodules"], told["missing"]) == (["etree"], ["saxx"])


def test_names_that_a_module_computes_are_unknown(monkeypatch):
    lazy = ModuleType("lazy_module")
    lazy.__dict__["__getattr__"] = lambda name: pytest.fail("run")
    monkeypatch.setitem(sys.modules, "lazy_module", lazy)
    found = answer("module", name="lazy_module", names=["x"])
    assert found["missing"] == []
    assert "whether it has x" in found["unknown"]


class Fake(ModuleType):
    def __getattribute__(self, name):
        pytest.fail("run")


@pytest.mark.parametrize("make", [lambda: Fake("m"), object, lambda: 5])
def test_what_is_no_plain_module_is_loaded_and_left_alone(monkeypatch, make):
    monkeypatch.setitem(sys.modules, "odd_module", make())
    found = answer("module", name="odd_module", names=["x"])
    assert (found["loaded"], found["missing"]) == (True, [])


def test_a_blocked_module_is_not_found(monkeypatch):
    monkeypatch.setitem(sys.modules, "blocked_module", None)
    assert answer("module", name="blocked_module")["found"] is False
    with pytest.raises(ModuleNotFoundError):
        importlib.util.find_spec("blocked_module.x")


def test_a_finder_of_somebody_is_not_called(monkeypatch):
    class Finder:
        def __getattribute__(self, name):
            pytest.fail("called")

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Finder()])
    found = answer("module", name="no_such_module")
    assert found["found"] is None
    assert "may know it" in found["unknown"]
    assert answer("module", name="zipapp")["found"] is True


def test_the_project_of_a_missing_module_has_another_name():
    found = answer("module", name="fitz")
    assert (found["found"], found["project"]) == (False, "pymupdf")


@pytest.mark.parametrize("name", ["", "a b", "a..b", ".a", "x" * 301, 5])
def test_what_is_no_module_name_is_refused(name):
    assert reply("module", name=name)["status"] == "refused"


# -- The machine -------------------------------------------------------------------------------------------------------


def test_the_machine_is_described(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = answer("environment")
    assert found["python"] == ".".join(map(str, sys.version_info[:3]))
    assert (found["folder"], found["platform"], found["executable"]) == (str(tmp_path), sys.platform, sys.executable)
    assert found["cpus"] == len(os.sched_getaffinity(0))
    with open("/proc/meminfo") as opened:
        total = int(opened.readline().split()[1]) * 1024
    assert abs(found["memory_bytes"] - total) < 0.01 * total


def test_cuda_is_not_initialised_by_asking():
    import torch

    found = answer("environment")["cuda"]
    assert found["torch_initialized"] is torch.cuda.is_initialized()
    assert found["torch_built_for"] == torch.version.cuda


def test_environment_variables_are_missing_or_not_and_never_shown(monkeypatch):
    monkeypatch.setenv("MY_ADDRESS", "a value that stays")
    found = reply("environment", variables=["MY_ADDRESS", "MY_ADRESS"])
    assert found["answer"] == {"missing": ["MY_ADRESS"], "close": {"MY_ADRESS": ["MY_ADDRESS"]}, "truncated": False}
    assert "stays" not in json.dumps(found)


# -- The cells ---------------------------------------------------------------------------------------------------------


def pages(kernel, limits=None):
    """Return the source of each cell by number, put together from all pages."""
    found, start, offset = {}, 1, 0
    while start is not None:
        page = answer("executed", kernel, limits, start=start, offset=offset)
        for cell in page["executed"]:
            found[cell["number"]] = found.get(cell["number"], "") + cell["source"]
        start, offset = page["next"], page["offset"]
    return found


def test_cells_come_in_the_order_they_ran():
    kernel = shell(["x = 1", "%time x", "1/0"], count=4)
    assert answer("executed", kernel) == {
        "executed": [
            {"number": 1, "source": "x = 1", "complete": True},
            {"number": 2, "source": "%time x", "complete": True},
            {"number": 3, "source": "1/0", "complete": True},
        ],
        "count": 3,
        "truncated": False,
        "next": None,
        "offset": 0,
    }


@pytest.mark.parametrize("size", [1, 300, 2000, 8192])
def test_every_cell_comes_through_however_long(size):
    sources = [f"x{each} = '{'é😀' * (each % 7 * 40)}'\n" * (each % 5 + 1) + "y" for each in range(40)]
    sources[3] = "z" * 30_000
    sources[9] = "line = 'ü'\n" * 3000 + "z"
    kernel = shell(sources, count=41)
    limits = {"bytes": max(size, 2000)}
    assert pages(kernel, limits) == dict(enumerate(sources, 1))


def test_a_secret_that_a_page_would_cut_is_gone():
    secret = "-----BEGIN PRIVATE KEY-----\n" + "\n".join(["A1b2C3d4" * 8] * 200) + "\n-----END PRIVATE KEY-----"
    kernel = shell(["x = 1\n" * 500 + f"key = '''{secret}'''\npassword = 'hunter2'"], count=2)
    text = json.dumps(list(pages(kernel, {"bytes": 1000}).values()))
    assert "A1b2C3d4" not in text
    assert "hunter2" not in text


def test_cells_that_were_forgotten_are_left_out():
    assert list(pages(shell(["", "", "y = 1"], count=4))) == [3]


def test_cells_behind_an_exit_keep_their_numbers():
    kernel = shell(["a = 1", "b = 2"], count=4, _i1="a = 1", _i3="b = 2")
    assert pages(kernel) == {1: "a = 1", 3: "b = 2"}


def test_a_history_that_does_not_fit_is_refused():
    assert reply("executed", shell(["a = 1", "b = 2"], count=4))["status"] == "refused"
    assert reply("executed", shell([5], count=2))["status"] == "refused"
    assert reply("executed", SimpleNamespace(user_ns={}, execution_count=1))["status"] == "refused"


def test_a_kernel_that_ran_nothing_has_no_cells():
    assert answer("executed", shell())["executed"] == []


def test_the_example_of_the_history_is_what_the_cells_tell():
    from targets import target_in

    from crane_agent.notebook.history import history_of

    target = target_in(
        "df['total'].sum()",
        executed=("df = load('orders.csv')", "df['net'] = 1"),
        not_run=("df = df.assign(total=df['net'] * 1.2)",),
    )
    spec = PROBES["history"]
    assert json.loads(json.dumps(history_of(target, **spec.example))) == spec.example_answer
