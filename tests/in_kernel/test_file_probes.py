"""What the probes of files say, with Python's own `glob`, `csv` and libraries as the oracle."""

import bz2
import codecs
import csv
import glob
import gzip
import json
import lzma
import os
import pickle
import zipfile
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from crane_agent.in_kernel import entry, wire
from crane_agent.in_kernel.probes import files
from crane_agent.in_kernel.readers import file_formats


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def reply(question, privacy="schema", **arguments):
    shell = SimpleNamespace(user_ns={}, user_ns_hidden={}, execution_count=1)
    request = wire.dumps({"ask": question, "arguments": arguments, "privacy": privacy})
    text = entry.answer(request, shell)
    assert text == entry.answer(request, shell)
    return json.loads(text)


def answer(question, privacy="schema", **arguments):
    found = reply(question, privacy, **arguments)
    assert found["status"] == "ok", found
    return found["answer"]


# -- Formats -----------------------------------------------------------------------------------------------------------


def write(name, data):
    with open(name, "wb") as opened:
        opened.write(data)


FORMATS = {
    "gzip": lambda: gzip.open("it", "wb").close(),
    "bzip2": lambda: write("it", bz2.compress(b"x" * 100)),
    "xz": lambda: write("it", lzma.compress(b"x" * 100)),
    "zip": lambda: zipfile.ZipFile("it", "w").writestr("a.txt", "x"),
    "npy": lambda: np.save("it.npy", np.zeros(3)) or os.rename("it.npy", "it"),
    "npz": lambda: np.savez("it.npz", a=np.zeros(3)) or os.rename("it.npz", "it"),
    "zip (torch.save)": lambda: torch.save({"a": torch.zeros(2)}, "it"),
    "pickle": lambda: write("it", pickle.dumps([1, "a"])),
    "png": lambda: write("it", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
    "jpeg": lambda: write("it", b"\xff\xd8\xff\xe0\0\x10JFIF"),
    "parquet": lambda: write("it", b"PAR1\x15\x04\x15\x10"),
    "hdf5": lambda: write("it", b"\x89HDF\r\n\x1a\n\0\0"),
    "empty": lambda: write("it", b""),
    "html": lambda: write("it", b"\n<!DOCTYPE html><html><body>404</body>"),
    "git-lfs pointer": lambda: write("it", b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n"),
    "text that starts like json": lambda: write("it", b'{"a": 1}'),
    "text": lambda: write("it", b"ORCHARD is a word\n"),
    "binary": lambda: write("it", bytes(range(256))),
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_format_is_told_by_the_first_bytes(name):
    made = FORMATS[name]()
    del made
    found = answer("file", path="it")
    assert found["format"] == name
    assert found["bytes"] == os.path.getsize("it")
    assert (found["exists"], found["kind"], found["readable"]) == (True, "file", True)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("value", [[1], {"a": 1}, (1, 2), "text", 5, None, pd.DataFrame({"a": [1]}), np.zeros(2)])
def test_a_pickle_is_told_whatever_is_in_it(protocol, value):
    write("it", pickle.dumps(value, protocol=protocol))
    assert answer("file", path="it")["format"] == "pickle"


# -- Encodings ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("encoding", ["ascii", "utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("length", [1, 1000, 65535, 65536, 100_000])
def test_a_text_decodes_as_the_encoding_says(encoding, length):
    letters = "n" if encoding == "ascii" else "é"
    text = letters * length + "\n"
    write("it", text.encode(encoding))
    found = answer("file", path="it")
    assert found["encoding"] == encoding
    with open("it", encoding=found["encoding"]) as opened:
        assert opened.read() == text


@pytest.mark.parametrize("before", [0, 7, 5000])
def test_what_is_not_utf_8_is_shown_by_its_place(before):
    write("it", b"a" * before + "é;à\n".encode("latin-1"))
    found = answer("file", path="it")
    assert (found["format"], found["encoding"]) == ("text", "not UTF-8")
    with open("it", encoding="utf-8") as opened, pytest.raises(UnicodeDecodeError) as error:
        opened.read()
    assert found["invalid_at"] == error.value.start == before


def test_a_byte_order_mark_alone_is_no_text_yet():
    write("it", codecs.BOM_UTF8)
    assert answer("file", path="it")["encoding"] == "utf-8-sig"


# -- Text tables -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_text_table_has_delimiter_and_header(delimiter):
    frame = pd.DataFrame({"first, name": ["a", 'b"c'], "price": [1.5, 2.0], "when": ["2024-01-01", "2024-01-02"]})
    frame.to_csv("it.csv", sep=delimiter, index=False)
    found = answer("file", path="it.csv")
    assert found["delimiter"] == delimiter
    assert found["header"] == list(pd.read_csv("it.csv", sep=delimiter).columns)
    assert found["fields_per_line"] == [[3, 3, 1]]
    assert "first_line" not in found


def test_the_line_that_has_too_many_fields_is_told():
    write("it.csv", b"a,b\n1,2\n3,4\n5,6,7\n8,9\n")
    assert answer("file", path="it.csv")["fields_per_line"] == [[2, 4, 1], [3, 1, 4]]
    with pytest.raises(pd.errors.ParserError, match="Expected 2 fields in line 4, saw 3"):
        pd.read_csv("it.csv")


@pytest.mark.parametrize("text", ["Smith,London\nJones,Paris\n", "1,2\n3,4\n", "Smith,London\n", "a,a\n1,2\n"])
def test_a_first_line_that_may_be_data_is_kept_below_the_level_values(text):
    write("it.csv", text.encode())
    found = reply("file", path="it.csv")
    assert found["withheld"] == ["first_line"]
    assert "Smith" not in json.dumps(found)
    assert answer("file", "values", path="it.csv")["first_line"] == text.split("\n")[0].split(",")


@given(st.lists(st.lists(st.text('ab",;\r\n x', max_size=5), min_size=2, max_size=4), min_size=1, max_size=6))
def test_records_are_those_that_csv_writes(rows):
    lines = []
    csv.writer(SimpleNamespace(write=lines.append)).writerows(rows)
    assert file_formats._records("".join(lines), ",", whole=True) == rows


def test_a_table_that_is_cut_loses_its_last_line_only():
    write("it.csv", b"id,word\n" + b"".join(b"%d,word\n" % each for each in range(20_000)))
    found = answer("file", path="it.csv")
    assert found["header"] == ["id", "word"]
    assert found["fields_per_line"] == [[2, 1000, 1]]
    assert found["looked_at"] == 65536


# -- Files that are not there, or are no files -------------------------------------------------------------------------


def test_a_missing_file_comes_with_files_like_it():
    os.mkdir("data")
    write("data/train.csv", b"x")
    write("titanic.csv", b"x")
    assert answer("file", path="titanik.csv") == {
        "file": "titanik.csv",
        "exists": False,
        "folder_exists": True,
        "close": ["titanic.csv"],
    }
    assert answer("file", path="train.csv")["close"] == ["data/train.csv"]
    assert answer("file", path="dta/train.csv") == {
        "file": "dta/train.csv",
        "exists": False,
        "folder_exists": False,
        "close": ["data/train.csv"],
    }
    assert answer("file", path="data/tran.csv")["close"] == ["data/train.csv"]
    assert answer("file", path="far/away/train.csv")["close"] == []


@pytest.mark.parametrize("path", ["/proc/self/environ", "/proc/self/mem", "/dev/null", "/dev/zero", "/dev/stdin"])
def test_what_is_no_plain_file_is_never_read(path):
    if not os.path.exists(path):
        pytest.skip(f"no {path} here")
    assert "format" not in answer("file", path=path)


def test_a_pipe_is_not_waited_for():
    os.mkfifo("pipe")
    assert answer("file", path="pipe")["kind"] == "other"


@pytest.mark.parametrize("path", ["https://example.com/x.csv", "s3://bucket/x", "a\0b", 5, ""])
def test_what_is_no_path_here_is_refused_or_missing(path):
    assert reply("file", path=path)["status"] == "refused" or not answer("file", path=path)["exists"]


def test_functions_of_the_system_that_somebody_replaced_are_not_called(monkeypatch):
    monkeypatch.setattr(os, "stat", lambda *a, **b: pytest.fail("called"))
    assert reply("file", path="it")["reason"] == "could not look, because the functions of os are replaced"


def test_a_file_keeps_its_time_of_last_access():
    write("it", b"text")
    os.utime("it", (1, 1))
    answer("file", path="it")
    assert os.stat("it").st_atime == 1


# -- Globs -------------------------------------------------------------------------------------------------------------

PATTERNS = [
    "*", "*.csv", "a/*", "a/*.csv", "*/*.csv", "**", "**/*.csv", "a/**", "a/**/*.csv", "**/b/*", "./*.csv", "a/../*.csv",
    "[ab]*", "?", "missing/*", "x.csv", "missing.csv", ".*", "**/.h*", "a/", "*/", "a/b/", "**/", "link/*", "", "[x",
]  # fmt: skip


@pytest.mark.parametrize("recursive", [False, True])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_glob_matches_what_python_matches(folder, pattern, recursive):
    os.makedirs("a/b/c")
    os.symlink("a", "link")
    for name in ("x.csv", "y.csv", "[x", "a/x.csv", "a/b/z.csv", "a/b/c/z.txt", ".hidden.csv", "a/.hid"):
        write(name, b"12345")
    for each in (pattern, str(folder / pattern)):
        expected = set(glob.glob(each, recursive=recursive))
        found = answer("glob", pattern=each, recursive=recursive)
        assert set(found["matches"]) == expected
        assert found["count"] == len(expected)
        assert found["bytes"] == sum(os.path.getsize(path) for path in expected if os.path.isfile(path))


def test_a_circle_of_links_ends():
    os.makedirs("a/b")
    os.symlink("../..", "a/b/back")
    found = answer("glob", pattern="**/*.csv", recursive=True)
    assert found["count"] == 0
    assert found["unknown"] == "more files, because a link leads in a circle"


def test_a_glob_in_a_long_folder_says_how_far_it_looked(monkeypatch):
    monkeypatch.setattr(files, "MAX_WALKED", 10)
    for each in range(20):
        write(f"{each}.csv", b"")
    found = answer("glob", pattern="*.csv")
    assert (found["count"], found["looked_at"]) == (10, 10)
    assert "unknown" in found


def test_a_glob_in_a_folder_that_is_not_there_says_so():
    assert answer("glob", pattern="no/*.csv") == {
        "pattern": "no/*.csv", "count": 0, "matches": [], "bytes": 0, "truncated": False, "looked_at": 0,
        "folder_exists": False,
    }  # fmt: skip
