"""Layers of PyTorch that are made with other sizes than their input has, wherever the network is defined."""

import ast
import math
import re
from collections.abc import Collection, Iterator

from crane_agent.agent.repairs.constants import argument, calls_of, defined_as, number_of
from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Site, called

_MOST = 2
"""Layers that one message may mean."""

_PRODUCT = r"cannot be multiplied \(\d+x(\d+) and (\d+)x(\d+)\)"


def _sizes(text: str) -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", text)))


def _made(
    site: Site, kinds: Collection[str], size: int, *, name: str, out: int | None = None
) -> Iterator[tuple[Script, ast.expr]]:
    """Yield where layers of these kinds get their first size, if it is this one: those by the failing name first."""
    found = [
        (script, call, first)
        for script, call in calls_of(site, kinds)
        if (first := argument(call, 0, name)) is not None
        and number_of(first, site) == size
        and (out is None or number_of(_second(call), site) in (out, None))
    ]
    if found:
        own = {id(each) for script, text in _failing(site) for each in _below(defined_as(script, text))}
        same = {_place(script, call) for script, call, _ in found if id(call) in own}
        found.sort(key=lambda each: _place(each[0], each[1]) not in same)
        yield from ((script, first) for script, _, first in found[:_MOST])
        return
    for script, text in _failing(site):
        for node in _below(defined_as(script, text)):
            if isinstance(node, ast.Call) and called(node) in kinds and argument(node, 0, name) is not None:
                yield script, argument(node, 0, name)  # type: ignore[misc]
                return


def _second(call: ast.Call) -> ast.expr | None:
    return next((each for name in ("out_features", "out_channels") if (each := argument(call, 1, name))), None)


def _failing(site: Site) -> Iterator[tuple[Script, str]]:
    """Yield what the failing layer is called, with the cells that may define it."""
    for call in site.calls[:1]:
        yield from ((script, site.script.text(call.func)) for script in site.scripts)


def _below(node: ast.AST | None) -> list[ast.AST]:
    return list(ast.walk(node)) if node is not None else []


def _place(script: Script, call: ast.Call) -> tuple[int | None, int, int]:
    return script.cell, call.lineno, call.col_offset


def linear_width(site: Site) -> Iterator[Patch]:
    """Make the `Linear` layer for the features that it gets.

    Sources: the message "mat1 and mat2 shapes cannot be multiplied (64x27648 and 4500x500)", which names the features
    that come and the layer's own; PyTorch's reference of `Linear`: the last dimension is in_features, `flatten`.
    """
    found = site.found(_PRODUCT) if site.crash.type == "RuntimeError" else None
    if found is None:
        return
    come, own, out = (int(each) for each in found.groups())
    for call in site.calls[:1]:
        shape = site.part(call.args[0]).shape if call.args else None
        if shape is not None and len(shape) > 3 and shape[-1] == come and math.prod(shape[1:]) != own:
            flat = math.prod(shape[1:])
            for script, node in _made(site, {"Linear"}, own, name="in_features", out=out):
                edits = [site.script.followed(call.args[0], ".flatten(1)"), script.replaced(node, str(flat))]
                if script.source == site.script.source:
                    summary = f"Flatten the input, and make the layer for its {flat} features."
                    yield from site.patch(summary, *edits)
    for script, node in _made(site, {"Linear"}, own, name="in_features", out=out):
        summary = f"Make the layer for the {come} features that it gets, instead of {own}."
        yield from script.patch(summary, script.replaced(node, str(come)))


def flat_view(site: Site) -> Iterator[Patch]:
    """Flatten with the number of samples as it is, and make the layer behind for the features that there are.

    Sources: the message "shape '[-1, 400]' is invalid for input of size 27648"; PyTorch's reference of `Tensor.view`:
    the size -1 is inferred, so that a wrong number of features changes the number of samples.
    """
    found = site.found(r"shape '\[-1, (\d+)\]' is invalid for input of size \d+")
    if found is None or site.crash.type != "RuntimeError":
        return
    for call in site.calls:
        shape = site.owner(call).shape
        edit = _viewed(site.script, call)
        if edit is None:
            continue
        widths = [
            node
            for script, node in _made(site, {"Linear"}, int(found[1]), name="in_features")
            if script.source == site.script.source
        ]
        if shape is not None and len(shape) > 1 and widths:
            flat = str(math.prod(shape[1:]))
            summary = f"Flatten all but the first dimension, and make the layer for its {flat} features."
            yield from site.patch(summary, edit, site.script.replaced(widths[0], flat))
        yield from site.patch("Flatten all but the first dimension: there are as many samples as before.", edit)


def kept_samples(site: Site) -> Iterator[Patch]:
    """Flatten with the number of samples as it is, where the loss gets another number of samples than of targets.

    Sources: the message "Expected input batch_size (18) to match target batch_size (32)"; PyTorch's reference of
    `Tensor.view`.
    """
    if not site.says("ValueError", pattern=r"Expected input batch_size \(\d+\) to match target batch_size"):
        return
    views = [(script, call) for script, call in calls_of(site, {"view", "reshape"}) if _viewed(script, call)]
    for script, call in views[:_MOST]:
        summary = "Flatten all but the first dimension: there are as many samples as targets then."
        yield from script.patch(summary, _viewed(script, call))


def _viewed(script: Script, call: ast.Call) -> Edit | None:
    """Return the edit of ``x.view(-1, 400)`` into ``x.view(x.size(0), -1)``."""
    match call:
        case ast.Call(
            func=ast.Attribute(value=owner, attr="view" | "reshape") as func,
            args=[ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)), second],
        ) if not isinstance(second, ast.UnaryOp):
            if isinstance(owner, ast.Name):
                return script.replaced(call, f"{script.text(func)}({owner.id}.size(0), -1)")
            return script.replaced(call, f"{script.operand(owner)}.flatten(1)")
    return None


# -- convolutions ----------------------------------------------------------------------------------------------------

_CHANNELS = r"weight of size \[(\d+), [^\]]*\], expected input\[([\d, ]+)\] to have (\d+) channels, but got (\d+)"
_CONVOLUTIONS = {"Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d"}
_TO_FRONT = {3: "(0, 2, 1)", 4: "(0, 3, 1, 2)", 5: "(0, 4, 1, 2, 3)"}


def channels(site: Site) -> Iterator[Patch]:
    """Put the channels first, or make the convolution for the channels that come.

    Sources: the message "Given groups=1, weight of size [40, 3, 3, 3], expected input[64, 196, 196, 3] to have 3
    channels, but got 196 channels instead"; PyTorch's reference of `Conv2d`: (N, C, H, W).
    """
    found = site.found(_CHANNELS) if site.crash.type == "RuntimeError" else None
    if found is None:
        return
    out, shape, wanted, come = int(found[1]), _sizes(found[2]), int(found[3]), int(found[4])
    inputs = [call.args[0] for call in site.calls[:1] if call.args]
    for node in inputs:
        own = site.part(node).shape
        if own == shape and shape[-1] == wanted and len(shape) in _TO_FRONT:
            edit = site.script.followed(node, f".permute{_TO_FRONT[len(shape)]}")
            yield from site.patch("Put the channels first, as the layer takes them.", edit)
        elif own is not None and wanted == 1 and (1, *own) == shape:
            yield from site.patch("Add the dimension of the one channel.", site.script.followed(node, ".unsqueeze(1)"))
    made = list(_made(site, _CONVOLUTIONS, wanted, name="in_channels", out=out))
    for script, node in made:
        summary = f"Make the layer for the {come} channels that it gets, instead of {wanted}."
        yield from script.patch(summary, script.replaced(node, str(come)))
    if not made and wanted == 3 and come == 1 and len(shape) == 4:
        for node in inputs:
            edit = site.script.followed(node, ".expand(-1, 3, -1, -1)")
            yield from site.patch("Give the network, which takes colours, the grey channel three times.", edit)


_DIMENSIONS = r"Expected (\d)D \(unbatched\) or (\d)D \(batched\) input to \w+, but got input of size: \[([\d, ]+)\]"


def dimensions(site: Site) -> Iterator[Patch]:
    """Take away the dimension that is too much, or add that of one sample.

    Sources: the message "Expected 3D (unbatched) or 4D (batched) input to conv2d, but got input of size: [15, 3, 256,
    256, 1]"; PyTorch's references of `unsqueeze`, `squeeze` and `flatten`.
    """
    found = site.found(_DIMENSIONS) if site.crash.type == "RuntimeError" else None
    if found is None:
        return
    wanted, shape = int(found[2]), _sizes(found[3])
    for call in site.calls[:1]:
        for node in call.args[:1]:
            if len(shape) <= wanted:
                continue
            yield from _less_unsqueezed(site, node)
            if 1 in shape:
                place = len(shape) - 1 - shape[::-1].index(1)
                summary = "Take away the dimension of one, which is too much."
                yield from site.patch(summary, site.script.followed(node, f".squeeze({place})"))
            elif len(shape) == wanted + 1:
                summary = "Take the first two dimensions as one, of the samples."
                yield from site.patch(summary, site.script.followed(node, ".flatten(0, 1)"))


def _less_unsqueezed(site: Site, node: ast.expr) -> Iterator[Patch]:
    """Yield the patch without the last `unsqueeze` of the input, be it in the call or in a statement above."""
    summary = "Leave out unsqueeze, which adds one dimension too much."
    if _is_unsqueezed(node):
        yield from site.patch(summary, site.script.replaced(node, site.script.text(node.func.value)))  # type: ignore[attr-defined]
    if not isinstance(node, ast.Name):
        return
    scope = next((each for each in site.script.around(node) if isinstance(each, ast.FunctionDef)), site.script.tree)
    above = [
        each
        for each in ast.walk(scope)
        if isinstance(each, ast.Assign)
        and each.lineno < node.lineno
        and _is_unsqueezed(each.value)
        and site.script.text(each.targets[0]) == node.id
    ]
    for statement in sorted(above, key=lambda each: -each.lineno)[:1]:
        value = statement.value
        assert isinstance(value, ast.Call)
        assert isinstance(value.func, ast.Attribute)
        owner = value.func.value
        is_own = isinstance(owner, ast.Name) and owner.id == node.id
        edit = (
            site.script.without_statement(statement) if is_own else site.script.replaced(value, site.script.text(owner))
        )
        yield from site.patch(summary, edit)


def _is_unsqueezed(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "unsqueeze"


# -- other layers ----------------------------------------------------------------------------------------------------

_RECURRENT = {"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"}
_NORMS = {f"{kind}{dimensions}d" for kind in ("BatchNorm", "InstanceNorm") for dimensions in (1, 2, 3)}


def layer_width(site: Site) -> Iterator[Patch]:
    """Make a recurrent layer, or one that normalises, for the features that it gets.

    Sources: the messages "input.size(-1) must be equal to input_size. Expected 10, got 28", "running_mean should
    contain 32 elements not 64" and "Given normalized_shape=[10], expected input with shape [*, 10], but got input of
    size[4, 12]".
    """
    patterns = (
        (r"must be equal to input_size\. Expected (?P<own>\d+), got (?P<come>\d+)", _RECURRENT, "input_size"),
        (r"running_mean should contain (?P<come>\d+) elements not (?P<own>\d+)", _NORMS, "num_features"),
        (
            r"normalized_shape=\[(?P<own>\d+)\].*input of size\[(?:\d+, )*(?P<come>\d+)\]",
            {"LayerNorm"},
            "normalized_shape",
        ),
    )
    for pattern, kinds, name in patterns:
        found = site.found(pattern) if site.crash.type == "RuntimeError" else None
        for script, node in _made(site, kinds, int(found["own"]), name=name) if found is not None else ():
            assert found is not None
            summary = f"Make the layer for the {found['come']} features that it gets, instead of {found['own']}."
            yield from script.patch(summary, script.replaced(node, found["come"]))


def norm_of_dimensions(site: Site) -> Iterator[Patch]:
    """Normalise with the layer for as many dimensions as come.

    Sources: the messages "expected 4D input (got 2D input)" and "expected 2D or 3D input (got 4D input)"; PyTorch's
    references of `BatchNorm1d` (2 or 3 dimensions), `BatchNorm2d` (4) and `BatchNorm3d` (5).
    """
    found = site.found(r"expected .*D input \(got (\d)D input\)") if site.crash.type == "ValueError" else None
    wanted = {"2": "1d", "3": "1d", "4": "2d", "5": "3d"}.get(found[1]) if found is not None else None
    for script, text in _failing(site) if wanted is not None else ():
        assert wanted is not None
        for node in _below(defined_as(script, text)):
            if isinstance(node, ast.Call) and called(node) in _NORMS and isinstance(node.func, ast.Attribute):
                name = node.func.attr[:-2] + wanted
                yield from script.patch(f"Use {name}, for as many dimensions.", script.renamed(node.func, name))
                return


def enough_indices(site: Site) -> Iterator[Patch]:
    """Make the embedding for one index more, since indices count from 0.

    Source: PyTorch's reference of `Embedding`: num_embeddings is the size of the dictionary, so the largest index is
    one less; the message "index out of range in self".
    """
    if not site.says("IndexError", pattern=r"index out of range in self"):
        return
    for script, call in list(calls_of(site, {"Embedding"}))[:_MOST]:
        node = argument(call, 0, "num_embeddings")
        if node is not None and not isinstance(node, ast.Constant):
            edit = script.replaced(node, f"{script.text(node)} + 1")
            yield from script.patch("Make the embedding for one index more: they count from 0.", edit)


STRATEGIES = (
    flat_view,
    kept_samples,
    linear_width,
    channels,
    dimensions,
    layer_width,
    norm_of_dimensions,
    enough_indices,
)
