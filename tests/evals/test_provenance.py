import sys

from evals.provenance import command_line, kernel_versions, provenance


def test_the_command_shows_no_place_of_somebodys_own() -> None:
    line = command_line(
        "evals.x",
        ["--bench", "/home/me/b", "--python=/home/me/py", "--case", "a b"],
        {"/home/me/b": "BENCH", "/home/me/py": "PY"},
    )
    assert line == 'python -m evals.x --bench "$BENCH" --python="$PY" --case \'a b\''


def test_the_versions_are_those_of_the_kernels_interpreter() -> None:
    versions = kernel_versions(sys.executable)
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert "ipykernel" in versions


def test_rows_of_several_commits_name_them_all() -> None:
    found = provenance("python -m x", sys.executable, truth="live", n=3, commits=["b", "a", "", "b"])
    assert (found["commit"], found["n"], found["truth"]) == ("a, b", "3", "live")
