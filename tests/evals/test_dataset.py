from collections.abc import Callable
from pathlib import Path

import pytest

from evals.junobench.dataset import library_of, load_instances


def test_each_case_is_two_instances_with_the_last_cell_as_target(toy_bench: Path) -> None:
    instances = load_instances(toy_bench)
    assert [instance.key for instance in instances] == [
        (case, version) for case in ("files_1", "names_1", "pure_1") for version in ("reproduced", "fixed")
    ]
    assert (instances[1].executed, instances[1].target) == (("text = open('input.txt').read()",), "text.strip()")


def test_scripts_are_named_only_where_there_are_some(toy_bench: Path) -> None:
    files, _, names, _, pure, _ = load_instances(toy_bench)
    assert files.data_script == toy_bench / "cases/files_1/make_data.py"
    assert (names.data_script, names.startup) == (None, None)
    assert pure.startup == toy_bench / "cases/pure_1/startup.py"


def test_a_recorded_line_is_converted_to_the_cells_own_count(toy_bench: Path) -> None:
    files, _, names, _, _, _ = load_instances(toy_bench)
    assert (files.recorded.line, names.recorded.line) == (2, 4)


def test_a_recorded_line_that_the_target_does_not_have_is_dropped(toy_bench: Path) -> None:
    truths = toy_bench / "truth.jsonl"
    truths.write_text(truths.read_text().replace('"line": 2', '"line": 99'))
    assert load_instances(toy_bench, ["names_1"])[0].recorded.line is None


def test_a_case_that_is_not_there_is_named(toy_bench: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="names_2"):
        load_instances(toy_bench, ["names_2"])
    with pytest.raises(FileNotFoundError, match="no case at all"):
        load_instances(tmp_path / "nowhere")


def test_the_library_is_the_prefix_of_the_case() -> None:
    assert (library_of("pandas_12"), library_of("NBspecific_1")) == ("pandas", "NBspecific")


def test_the_real_bench_has_56_cases_with_a_recorded_truth(shared_data: Callable[[str], Path]) -> None:
    instances = load_instances(shared_data("junobench"))
    assert len(instances) == 112
    assert all(instance.recorded and instance.target for instance in instances)
