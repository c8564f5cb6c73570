"""Notebooks as JunoBench publishes them."""

import nbformat

TRACEBACK = [
    "\x1b[0;31m---------------------------------------------------------------------------\x1b[0m",
    "\x1b[0;31mKeyError\x1b[0m                                  Traceback (most recent call last)",
    "Cell \x1b[0;32mIn[3], line 2\x1b[0m\n\x1b[1;32m      1\x1b[0m total = 0\n\x1b[0;32m----> 2\x1b[0m total += table['b']",
    "\x1b[0;31mKeyError\x1b[0m: 'b'",
]


def published_notebook(cells: list[tuple[str, int | None]], *, failing: int | None = None) -> nbformat.NotebookNode:
    """A notebook of cells with counts, one of which may have an error among its outputs."""
    code = [nbformat.v4.new_code_cell(source, execution_count=count) for source, count in cells]
    if failing is not None:
        code[failing].outputs = [
            nbformat.v4.new_output("stream", text="half way"),
            nbformat.v4.new_output("error", ename="KeyError", evalue="'b'", traceback=TRACEBACK),
        ]
    return nbformat.v4.new_notebook(cells=code)
