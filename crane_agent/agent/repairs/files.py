"""Files and folders that are not there."""

import ast
from collections.abc import Iterator

from crane_agent.agent.repairs.patch import Patch
from crane_agent.agent.repairs.site import Site, called, closest, literals

_WRITING = {
    "to_csv",
    "to_parquet",
    "to_json",
    "to_excel",
    "to_pickle",
    "savefig",
    "save",
    "dump",
    "savez",
    "imwrite",
    "imsave",
}


def close_path(site: Site) -> Iterator[Patch]:
    """Use the file that was probably meant.

    Source: the files that the checker found beside the missing one.
    """
    if site.crash.type not in ("FileNotFoundError", "OSError"):
        return
    for missing in literals(site.inner):
        if missing.text and missing.text in site.message:
            for path in closest(missing.text, site.crash.close)[:2]:
                yield from site.patch(f"Use {path!r}, which is there.", site.script.quoted(missing.node, path))


def missing_folder(site: Site) -> Iterator[Patch]:
    """Make the folder that a file is written to.

    Sources: the message "Cannot save file into a non-existent directory"; Python's reference of `os.makedirs`.
    """
    if site.crash.type not in ("FileNotFoundError", "OSError"):
        return
    for call in site.calls:
        path = next((each.text for each in literals(call.args)), "")
        folder = path.rpartition("/")[0]
        if folder and _writes(call):
            name, imported = site.module("os", "os")
            edit = site.script.before(call, f"{name}.makedirs({folder!r}, exist_ok=True)")
            yield from site.patch(f"Make the folder {folder} first.", edit, *imported)


def _writes(call: ast.Call) -> bool:
    modes = literals([*call.args[1:2], *(each.value for each in call.keywords if each.arg == "mode")])
    return called(call) in _WRITING or (called(call) == "open" and any(set("wax") & set(each.text) for each in modes))


STRATEGIES = (close_path, missing_folder)
