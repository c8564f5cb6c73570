import ast
import builtins
import dis
import importlib
import inspect
import json
import subprocess
import textwrap
import types
import warnings
from shutil import which

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crane_agent.in_kernel import scope, wire
from crane_agent.in_kernel.scope import names_of


def names(source):
    return names_of(ast.parse(textwrap.dedent(source)))


class Thing:
    """A value that goes along with everything; its truth and its length come from a list of bits."""

    def __init__(self, bits):
        self._bits = bits

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args, **kwargs):
        return self

    def __bool__(self):
        return self._bits.pop() if self._bits else False

    def __iter__(self):
        return iter([self, self] if self else [])

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return False

    def _same(self, other):
        return self

    __add__ = __radd__ = __getitem__ = __lt__ = _same


class Namespace(dict):
    """Globals that record each look-up, or deletion, of a name that is not bound."""

    def __init__(self, given, bits):
        self.thing = Thing(list(bits))
        self.missed = set()
        super().__init__(dict.fromkeys(given, self.thing))

    def __missing__(self, name):
        if hasattr(builtins, name) or name == "__annotations__":
            raise KeyError(name)
        self.missed.add(name)
        return self.thing

    def __delitem__(self, name):
        if name not in self:
            self.missed.add(name)
        super().__delitem__(name)


def run(source, bits=()):
    """Run the source for real; return (names it missed, names it left bound)."""
    code = compile(textwrap.dedent(source), "<cell>", "exec", dont_inherit=True)
    given = set()  # a class body looks past `__missing__`: give it what it missed, and run again
    while True:
        namespace = Namespace(given, bits)
        try:
            exec(code, namespace)
        except NameError as error:
            if error.name and error.name not in namespace.missed | given:
                given.add(error.name)
                continue
        except (ValueError, TypeError, KeyError):
            pass
        return namespace.missed | given, set(namespace) - {"__builtins__", "__annotations__", *given}


def without_builtins(found):
    return {name for name in found if not hasattr(builtins, name)}


# Straight code: what Python misses is exactly what the analysis says.
CELLS = {
    "plain": "x = a + b\ny = x",
    "augmented": "x += 1\nx += 2",
    "augmented place": "a.b[c] += d",
    "unpacking": "(x, *y), z[k] = a\nx, y",
    "deletion": "x = 1\ndel x\nx",
    "deletion of an earlier name": "del a",
    "imports": "import json.decoder\nimport os.path as p\nfrom sys import path, argv as args\njson, p, path, args, os",
    "walrus": "(x := a) + x",
    "walrus in a comprehension": "[y for z in (1, 2) if (y := z)]\ny",
    "comprehension": "[x + a for x in (b,) for y in (x, c) if d]\nx",
    "dict comprehension": "{x: y + a for x, y in ((1, 2),)}",
    "first iterable": "[x for x in x]",
    "generator": "list(x + a for x in (1,))",
    "class scope": "class A:\n    x = a\n    y = x\n    z = [x for _ in (1,)]\nA",
    "class looks past itself": "class A:\n    x = x",
    "class defaults": "class A:\n    x = 1\n    def f(self, y=x, *, z: x = a): return x\nA().f()",
    "class bases": "class A(type(a), metaclass=type): pass",
    "decorator, default, annotation": "@a\ndef f(x=b, *y: c, z: d = e) -> g: return x, y, z\nf",
    "function": "def f(x):\n    y = x + a\n    return lambda z: y + z + b\nf(1)(2)",
    "function reads what comes later": "def f(): return later\nlater = 1\nf()",
    "nonlocal": "def f():\n    x = 1\n    def g():\n        nonlocal x\n        x = a\n    g()\nf()",
    "global in between": "def f():\n    x = 1\n    def g():\n        global x\n        def h(): return x\n        return h()\n    g()\nf()",
    "class in a function": "def f():\n    x = 1\n    class A:\n        y = x\n        x = x\nf()",
    "super and __class__": "class A:\n    def f(self): return super(), __class__\nA().f()",
    "private names": "class _A:\n    def f(self):\n        return __x\n_A().f()",
    "private default": "class A:\n    __x = 1\n    y = __x",
    "except": "try:\n    a\n    raise ValueError\nexcept ValueError as e:\n    e\ne",
    "finally": "try:\n    x = 1\nfinally:\n    y = a\nx, y",
    "else of a loop": "for x in (1,):\n    pass\nelse:\n    x, a",
    "loop that ends by break": "while True:\n    x = a\n    break\nx",
    "if and else": "if True:\n    x = 1\nelse:\n    x = 2\nx",
    "dead code": "raise ValueError\na",
    "f-string": "x = f'{a!r:{b}}'",
    "lambda": "(lambda x, y=a: x + y + b)(1, c)",
    "match": "match [1, 2]:\n    case [x, *y]:\n        x, y, a",
    "match otherwise": "match a:\n    case x:\n        pass\nx",
    "with": "with a as x, x.y as z:\n    w = 1\nx, z, w",
    "annotated": "x: a\ny: b = c\ny",
    "future annotations": "from __future__ import annotations\nx: a = 1\ndef f(y: b) -> c: pass",
    "annotation in a function": "def f():\n    x: a = 1\n    return x\nf()",
    "assert": "assert True, a\nassert b",
    "chain": "x = y = a\nx, y",
    "debug": "__debug__",
}


# Read on another path than the one that the run takes.
ALSO_READ = {"walrus in a comprehension": {"y"}, "else of a loop": {"x"}, "assert": {"a"}}


@pytest.mark.parametrize("case", CELLS)
def test_what_python_misses_is_what_the_analysis_calls_read(case):
    missed, _ = run(CELLS[case], bits=[True] * 20)
    found = names(CELLS[case])
    assert without_builtins(found.reads) == missed | ALSO_READ.get(case, set())
    assert found.needs <= found.reads


@pytest.mark.parametrize("case", CELLS)
def test_what_python_leaves_bound_is_among_what_the_analysis_calls_bound(case):
    _, left = run(CELLS[case], bits=[True] * 20)
    found = names(CELLS[case])
    assert left <= found.binds | found.sets_globals
    assert not left & found.deletes


def test_names_bound_on_some_path_only_are_read_but_not_needed():
    found = names(
        """
        if a:
            x = 1
        for y in b:
            z = y
        print(x, y, z)
        """
    )
    assert found.reads == {"a", "b", "x", "y", "z", "print"}
    assert found.needs == {"a", "b", "print"}


def test_a_first_round_needs_what_only_the_end_of_the_loop_binds():
    assert "total" in names("for x in (1, 2):\n    total = total + x").needs


def test_a_later_round_may_have_bound_what_a_branch_reads():
    assert "best" not in names("for x in a:\n    if x: best = x\n    else: use(best)").needs
    assert "best" not in names("for x in a:\n    y = best if x else 0\n    best = y").needs


def test_a_read_that_a_handler_waits_for_is_not_needed():
    found = names("try:\n    x\nexcept NameError:\n    x = 1")
    assert "x" in found.reads
    assert "x" not in found.needs


def test_the_body_of_a_function_is_needed_only_if_the_cell_mentions_the_function():
    assert names("def f(): return a").needs == set()
    assert names("def f(): return a").reads == {"a"}
    assert names("def f(): return a\ndef g(): return f()\ng()").needs == {"a"}
    assert names("class A:\n    def f(self): return a").needs == set()
    assert names("class A:\n    def f(self): return a\nA()").needs == {"a"}
    assert names("f = lambda: a").needs == set()
    assert "a" in names("apply(lambda: a)").needs


def test_a_star_import_is_reported_and_leaves_nothing_needed():
    found = names("from os.path import *\nfrom .. import *\njoin(a)")
    assert found.star_imports == ("os.path", "..")
    assert found.reads == {"join", "a"}
    assert found.needs == set()


def test_globals_set_in_functions_are_kept_apart_from_what_the_module_binds():
    found = names("def f():\n    global x, y\n    x = 1\n    import y\n    z = 2\nf()\nx")
    assert found.sets_globals == {"x", "y"}
    assert found.binds == {"f"}
    assert "x" in found.reads
    assert "x" not in found.needs


def test_global_in_a_class_body_binds_at_module_level():
    assert names("class A:\n    global x\n    x = 1").binds == {"A", "x"}


def test_the_last_of_binding_and_deleting_counts_as_deleted_or_not():
    assert names("x = 1\ndel x").deletes == {"x"}
    assert names("del x\nx = 1").deletes == set()
    assert names("try: pass\nexcept E as e: pass").deletes == {"e"}
    assert names("try: pass\nexcept E as e: pass").binds == {"e"}


def test_a_name_from_a_handler_is_gone_after_a_break_out_of_it():
    assert "e" in names("while True:\n    try: f()\n    except E as e: break\ne").reads


def test_deep_trees_do_not_exhaust_the_stack():
    chain = "x = 0\nif x == 0: pass\n" + "".join(f"elif x == {i}: y{i} = a{i}\n" for i in range(300))
    assert len(names(chain).binds) == 301
    assert names("+".join(["a"] * 900)).reads == {"a"}
    assert names("a" + ".b()" * 400).reads == {"a"}
    assert names("1 if a else " * 90 + "b").reads == {"a", "b"}


def test_nested_comprehensions_take_no_exponential_time():
    source = "a"
    for _ in range(60):
        source = f"[x for x in {source}]"
    assert names(f"def f(): return {source}").reads == {"a"}


def test_one_statement_or_expression_may_be_given_instead_of_a_cell():
    assert names_of(ast.parse("x = a").body[0]).reads == {"a"}
    assert names_of(ast.parse("a + b", mode="eval")).reads == {"a", "b"}


def test_what_other_tools_hang_on_nodes_is_not_walked():
    other, tree = ast.parse("b"), ast.parse("a")
    for node in ast.walk(other):
        for child in ast.iter_child_nodes(node):
            child.parent = node
    assert names_of(tree).reads == {"a"}
    del other.body[0].value.ctx.parent


# Nodes of another Python: as `wire` delivers them.


def test_nodes_that_this_python_lacks_are_read_by_the_names_of_their_classes():
    def node(kind, **fields):
        return [kind, 1, 0, 1, 1, fields]

    def many(*items):
        return {"$": "list", "items": list(items)}

    load, store = node("Load"), node("Store")
    parameter = node("TypeVarOfTheFuture", name="T", bound=node("Name", id="late", ctx=load))
    value = node("Name", id="a", ctx=load)
    alias = node("TypeAlias", name=node("Name", id="Alias", ctx=store), type_params=many(parameter), value=value)
    future = node("Perhaps", test=node("Name", id="b", ctx=load), body=many(node("Name", id="c", ctx=store)))
    tree = wire.decode_tree(node("Module", body=many(alias, future), type_ignores=many()))
    found = names_of(tree)
    assert found.reads == {"a", "b", "late"}
    assert found.binds == {"Alias", "c"}


NEWER = """
type Pair[T] = tuple[T, a]
def first[T: bound](x: T, y: b) -> T: return x, T, c
class Box[T](Base[T]):
    U = int
    def get[V](self, v: V, u: U) -> T: return V, T
first(1, 2)
try: f()
except* ValueError as e: pass
"""


@pytest.mark.parametrize("version", ["3.12", "3.13", "3.14"])
def test_trees_of_newer_pythons_are_read_through_the_wire(version, tmp_path):
    python = which(f"python{version}")
    program = (
        f"import sys, ast, json; sys.path.insert(0, {str(importlib.resources.files('crane_agent.in_kernel'))!r});"
        f"import wire; print(json.dumps(wire.encode_tree(ast.parse({NEWER!r}))))"
    )
    done = python and subprocess.run(
        [python, "-I", "-B", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    if not done or done.returncode:
        pytest.skip(f"no Python {version} here")
    found = names_of(wire.decode_tree(json.loads(done.stdout)))
    assert found.binds == {"Pair", "first", "Box", "e"}
    assert found.reads == {"tuple", "a", "bound", "b", "c", "Base", "int", "f", "ValueError"}


def test_the_module_runs_on_python_3_8(tmp_path):
    python = which("python3.8")
    program = (
        f"import ast; exec(open({scope.__file__!r}).read()); print(sorted(names_of(ast.parse('x = a[1:b]')).reads))"
    )
    done = python and subprocess.run(
        [python, "-I", "-B", "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False
    )
    if not done or "not found" in done.stderr:
        pytest.skip("no Python 3.8 here")
    assert done.stdout == "['a', 'b']\n", done.stderr


# Real code: the compiler's own decision for each name of the standard library.

MODULES = ["argparse", "ast", "asyncio.tasks", "collections", "contextlib", "dataclasses", "enum", "functools"]
MODULES += ["inspect", "logging", "pathlib", "pickle", "subprocess", "tarfile", "typing", "unittest.mock", "zipfile"]


def looked_up(code, *, certainly):
    """Return the globals that compiled code looks up; what a class body both binds and reads is not certain."""
    bound = {step.argval for step in dis.get_instructions(code) if step.opname == "STORE_NAME"}
    found = set()
    for step in dis.get_instructions(code):
        by_name = step.opname == "LOAD_NAME" and (
            not certainly or step.argval not in bound | {"__name__", "__annotations__"}
        )
        if by_name or step.opname in ("LOAD_GLOBAL", "DELETE_GLOBAL"):
            found.add(step.argval)
    nested = [constant for constant in code.co_consts if isinstance(constant, types.CodeType)]
    return found.union(*(looked_up(each, certainly=certainly) for each in nested))


@pytest.mark.parametrize("module", MODULES)
def test_definitions_of_the_standard_library_read_what_the_compiler_says(module):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    checked = 0
    for statement in tree.body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            alone = ast.Module([statement], [])
            code = compile(alone, module, "exec", dont_inherit=True)
            reads = names_of(alone).reads
            assert looked_up(code, certainly=True) - {statement.name} <= reads, statement.name
            assert reads <= looked_up(code, certainly=False), statement.name
            checked += 1
    assert checked


# Made-up code: whatever Python misses on whatever path, the analysis has said.

NAMES = st.sampled_from("abcde")


def indented(lines):
    return ["    " + line for line in lines]


def expressions():
    deeper = lambda inner: st.one_of(  # noqa: E731
        st.tuples(inner, inner).map(lambda p: f"({p[0]} + {p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"({p[0]} and {p[1]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
        st.tuples(NAMES, inner).map(lambda p: f"({p[0]} := {p[1]})"),
        st.tuples(NAMES, NAMES, inner).map(lambda p: f"{{{p[2]} for {p[0]} in {p[1]}}}").filter(can_compile),
    )
    return st.recursive(NAMES, deeper, max_leaves=4)


def can_compile(source):
    try:
        compile(source, "<cell>", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True


def block(inner):
    return st.lists(inner, min_size=1, max_size=3).map(lambda many: indented([line for each in many for line in each]))


def compound(inner):
    body = block(inner)
    rest = st.one_of(st.just([]), body.map(lambda lines: ["else:", *lines]))
    final = st.one_of(st.just([]), body.map(lambda lines: ["finally:", *lines]))
    return st.one_of(
        st.tuples(expressions(), body, rest).map(lambda p: [f"if {p[0]}:", *p[1], *p[2]]),
        st.tuples(NAMES, expressions(), body, rest).map(lambda p: [f"for {p[0]} in {p[1]}:", *p[2], *p[3]]),
        st.tuples(expressions(), body, rest).map(lambda p: [f"while {p[0]}:", *p[1], "    break", *p[2]]),
        # Every `while` ends in its first round, or a made-up program may never end.
        body.map(lambda lines: ["while True:", *lines, "    break"]),
        st.tuples(NAMES, expressions(), body).map(lambda p: [f"with {p[1]} as {p[0]}:", *p[2]]),
        st.tuples(body, NAMES, body, final).map(
            lambda p: ["try:", *p[0], f"except ValueError as {p[1]}:", *p[2], *p[3]]
        ),
        st.tuples(body, final).map(lambda p: ["try:", *p[0], "except ValueError: pass", *p[1]]),
        st.tuples(NAMES, body).map(lambda p: [f"class {p[0]}:", *p[1]]),
        st.tuples(expressions(), NAMES, NAMES, body).map(
            lambda p: [f"match {p[0]}:", f"    case [{p[1]}, *_] if {p[2]}:", *indented(p[3])]
        ),
    )


SIMPLE = st.one_of(
    st.tuples(NAMES, expressions()).map(lambda p: [f"{p[0]} = {p[1]}"]),
    st.tuples(NAMES, expressions()).map(lambda p: [f"{p[0]} += {p[1]}"]),
    expressions().map(lambda e: [e]),
    NAMES.map(lambda name: [f"del {name}"]),
    st.sampled_from([["raise ValueError"], ["break"], ["import os as a"], ["b: c = d"]]),
)
PROGRAMS = (
    st.lists(st.recursive(SIMPLE, compound, max_leaves=8), min_size=1, max_size=5)
    .map(lambda many: "\n".join(line for each in many for line in each))
    .filter(can_compile)
)


@settings(max_examples=120, deadline=None)
@given(PROGRAMS, st.lists(st.booleans(), max_size=12))
def test_no_path_through_a_program_misses_or_binds_a_name_unannounced(source, bits):
    missed, left = run(source, bits)
    found = names(source)
    assert missed <= found.reads
    assert left <= found.binds
    assert found.needs <= found.reads
