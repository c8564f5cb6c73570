"""Notebook services ship images with everything installed: installing crane-agent there must change nothing of it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).parents[1]
IMAGES = {"colab": "3.12", "kaggle": "3.11"}
"""The images whose versions are in `evals/images/`, and the Python of each."""


def requirements_of(image: str) -> list[Requirement]:
    lines = (CHECKOUT / "evals" / "images" / f"{image}.txt").read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def installed_in(image: str) -> dict[str, str]:
    pins = [each for each in requirements_of(image) if str(each.specifier).startswith("==")]
    return {canonicalize_name(each.name): str(each.specifier)[2:] for each in pins}


def required() -> list[Requirement]:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    return [Requirement(each) for each in project["dependencies"]]


@pytest.mark.parametrize("image", IMAGES)
def test_what_an_image_has_is_new_enough(image):
    installed = installed_in(image)
    too_old = {
        f"{each} (there: {installed[name]})"
        for each in required()
        if (name := canonicalize_name(each.name)) in installed and installed[name] not in each.specifier
    }
    assert not too_old


def test_requirements_have_lower_bounds_only():
    assert not [str(each) for each in required() if re.search(r"[<~=!](?<!>=)", str(each.specifier))]


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("image", "python"), IMAGES.items())
def test_pip_installs_into_an_image_without_changing_what_is_there(image, python, tmp_path):
    constraints = CHECKOUT / "evals" / "images" / f"{image}.txt"
    names = [canonicalize_name(each.name) for each in required()]
    report = tmp_path / "report.json"
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--report", report,
            "--python-version", python, "--only-binary", ":all:", "--target", tmp_path / "packages",
            "--constraint", constraints, *map(str, required()),
        ],
        check=True, timeout=500, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    chosen = {
        canonicalize_name(each["metadata"]["name"]): each["metadata"]["version"]
        for each in json.loads(report.read_text())["install"]
    }
    assert set(names) - {"tomli"} <= set(chosen)
    installed = installed_in(image)
    assert {name: chosen[name] for name in chosen if name in installed} == {
        name: installed[name] for name in chosen if name in installed
    }
