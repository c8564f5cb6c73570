"""Tensors of PyTorch: devices, gradients, dtypes, the shapes that layers and losses take."""

import ast
import math
import re
from collections.abc import Iterator, Mapping

from crane_agent.agent.repairs.patch import Edit, Patch
from crane_agent.agent.repairs.site import Part, Site

_DTYPES: Mapping[str, str] = {
    **{"Float": "float32", "Double": "float64", "Long": "int64", "Int": "int32", "Half": "float16", "Bool": "bool"},
    **{"Byte": "uint8", "Short": "int16", "Char": "int8", "BFloat16": "bfloat16"},
    **{"float": "float32", "double": "float64", "long": "int64", "int": "int32", "unsigned char": "uint8"},
    **{"long int": "int64", "long long": "int64"},
}
"""dtypes by the names that PyTorch's messages have for them (torch.Tensor, "Data types")."""


def detached(site: Site) -> Iterator[Patch]:
    """Take the tensor out of autograd, or off the graphics card, before it becomes an array.

    Sources: the messages "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead." and
    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor to host memory first."
    """
    requires_grad = (
        r"requires grad\. Use \w+\.detach\(\)|Can't call numpy\(\) on (?:Tensor|Variable) that requires grad"
    )
    wants_detach = site.found(requires_grad) is not None
    wants_cpu = site.found(r"Use Tensor\.cpu\(\)|can't convert cuda") is not None
    if site.crash.type not in ("RuntimeError", "TypeError") or not (wants_detach or wants_cpu):
        return
    for call in site.calls:
        method = (
            call.func.value
            if isinstance(call.func, ast.Attribute) and call.func.attr in ("numpy", "__array__")
            else None
        )
        nodes = [method] if method is not None else [*call.args, *(each.value for each in call.keywords)]
        fitting = [node for node in nodes if method is not None or _needs(site.part(node), wants_detach)]
        is_on_card = wants_cpu or any(site.part(node).device.startswith(("cuda", "mps")) for node in fitting)
        on_grad = wants_detach or any(site.part(node).facts.get("requires_grad") is True for node in fitting)
        steps = (".detach()" if on_grad else "") + (".cpu()" if is_on_card else "")
        edits = [site.script.followed(node, steps) for node in fitting]
        if edits:
            yield from site.patch(f"Use {steps[1:]} first, as the message says.", *edits)


def _needs(part: Part, wants_detach: bool) -> bool:
    if wants_detach:
        return part.facts.get("requires_grad") is True
    return part.device.startswith(("cuda", "mps"))


def same_device(site: Site) -> Iterator[Patch]:
    """Move the data to the device that the network is on.

    Sources: the messages "Expected all tensors to be on the same device" and "Input type (torch.FloatTensor) and weight
    type (torch.cuda.FloatTensor) should be the same"; PyTorch's reference of `Tensor.to`.
    """
    if not site.says(
        "RuntimeError",
        pattern=r"on the same device|Input type .* and weight type .* should be the same|expected device",
    ):
        return
    for node in site.nodes:
        operands = _operands(node)
        on = {operand: site.part(operand).device for operand in operands}
        devices = [device for device in on.values() if device]
        module = next((site.part(each).device for each in operands if _is_module(site.part(each))), "")
        wanted = module or next((device for device in devices if not device.startswith("cpu")), "")
        moved = [
            operand
            for operand in operands
            if on[operand] and on[operand] != wanted and not _is_module(site.part(operand))
        ]
        model = next((each for each in operands if _is_module(site.part(each))), None)
        there = next((each for each in operands if on[each] == wanted and not _is_module(site.part(each))), None)
        if not wanted or not moved:
            continue
        if "device" in site.known:
            text = "device"
        elif model is not None:
            text = f"next({site.script.text(model)}.parameters()).device"
        else:
            text = f"{site.script.text(there)}.device" if there is not None else repr(wanted)
        edits = [site.script.followed(operand, f".to({text})") for operand in moved]
        yield from site.patch("Move the data to the device that the other operand is on.", *edits)
        if model is not None and "device" in site.known:
            edits = [*edits, site.script.followed(model, ".to(device)")]
            yield from site.patch("Move the network and the data to the device.", *edits)


def _operands(node: ast.AST) -> list[ast.expr]:
    match node:
        case ast.Call(func=func, args=args, keywords=keywords):
            owner = func.value if isinstance(func, ast.Attribute) else None
            named = [each.value for each in keywords]
            return [
                each for each in (func, owner, *args, *named) if each is not None and not isinstance(each, ast.Constant)
            ]
        case ast.BinOp(left=left, right=right):
            return [left, right]
    return []


def _is_module(part: Part) -> bool:
    return bool(part.device) and not part.is_tensor


def without_card(site: Site) -> Iterator[Patch]:
    """Stay on the processor where there is no graphics card.

    Sources: the message "Torch not compiled with CUDA enabled"; PyTorch's recipe "Saving and loading models across
    devices" for ``map_location``.
    """
    pattern = r"Torch not compiled with CUDA|Found no NVIDIA driver|cuda\.is_available\(\) is False|No CUDA GPUs"
    if not site.says("AssertionError", "RuntimeError", pattern=pattern):
        return
    for call in site.calls:
        match call.func:
            case ast.Attribute(value=owner, attr="cuda"):
                yield from site.patch(
                    "Stay on the processor: there is no graphics card.",
                    site.script.replaced(call, site.script.text(owner)),
                )
            case ast.Attribute(attr="to" | "device" | "zeros" | "ones" | "randn" | "tensor"):
                for node in [*call.args, *(each.value for each in call.keywords)]:
                    if isinstance(node, ast.Constant) and str(node.value).startswith("cuda"):
                        yield from site.patch(
                            "Stay on the processor: there is no graphics card.", site.script.quoted(node, "cpu")
                        )
            case ast.Attribute(attr="load"):
                edit = site.script.with_argument(call, 'map_location="cpu"')
                yield from site.patch('Load it with map_location="cpu", as the message says.', edit)


# -- dtypes ----------------------------------------------------------------------------------------------------------

_MISMATCHES = (
    (r"expected target dtype to be (?P<to>\w+).*got (?P<of>\w+)", "target"),
    (r"expected scalar type (?P<to>\w+) but found (?P<of>\w+)", ""),
    (r"Found dtype (?P<of>\w+) but expected (?P<to>\w+)", ""),
    (r"must have the same dtype, but got:? (?P<of>\w+) (?:and|!=) (?P<to>\w+)", "input"),
    (r"Input type \((?P<of>[\w. ]+)\) and (?:bias|weight) type \((?P<to>[\w. ]+)\) should be the same", "input"),
    (r"scalar types: (?P<to>\w+).* but got (?:torch\.)?(?P<of>\w+?)Tensor", "input"),
    (r"result type (?P<to>\w+) can't be cast to the desired output type (?P<of>\w+)", "target"),
    (r"Expected floating point type for target with class probabilities, got (?P<of>\w+)(?P<to>)", "target"),
    (r"not implemented for '(?P<of>\w+)'(?P<to>)", ""),
    (r"must be either a floating point or complex dtype\. Got: (?P<of>\w+)(?P<to>)", "input"),
    (r"only applicable to index tensor(?P<of>)(?P<to>)", "index"),
)


def same_dtype(site: Site) -> Iterator[Patch]:
    """Cast the operand to the dtype that the layer or loss takes: data as its weights, labels of classes to long.

    Sources: the messages themselves, which name both; PyTorch's references of `Linear`, `CrossEntropyLoss` (class
    indices are long), `BCELoss` (targets are floats), `Embedding` (indices are int or long).
    """
    if site.crash.type not in ("RuntimeError", "TypeError", "NotImplementedError"):
        return
    for pattern, role in _MISMATCHES:
        found = site.found(pattern)
        if found is None:
            continue
        wrong = _DTYPES.get(found["of"], "")
        wanted = {"float32": "float", "float64": "double", "int64": "long", "int32": "int"}.get(
            _DTYPES.get(found["to"], ""), ""
        )
        default = (
            "long" if role == "index" or (wrong in ("int32", "uint8", "int16") and "nll" in site.message) else "float"
        )
        yield from _casts(site, wrong, wanted or default, role)
        return


def _casts(site: Site, wrong: str, wanted: str, role: str) -> Iterator[Patch]:
    for call in site.calls:
        owner = [call.func.value] if isinstance(call.func, ast.Attribute) else []
        nodes = [*call.args, *(each.value for each in call.keywords), *owner]
        tensors = [
            node for node in nodes if site.part(node).is_tensor and (not wrong or site.part(node).dtype == wrong)
        ]
        if role == "target" or (wanted == "long" and len(tensors) > 1):
            tensors = tensors[-1:] if len(call.args) > 1 else tensors
        unknown = [
            node for node in call.args if site.part(node).type == "" and isinstance(node, ast.Call | ast.Subscript)
        ]
        for node in tensors or unknown[-1:]:
            yield from site.patch(
                f"Cast it with {wanted}(), the dtype that is expected.", site.script.followed(node, f".{wanted}()")
            )
    for operation in site.operations:
        for node in (operation.left, operation.right):
            if site.part(node).is_tensor and site.part(node).dtype == wrong:
                yield from site.patch(
                    f"Cast it with {wanted}(), as the other operand.", site.script.followed(node, f".{wanted}()")
                )


def made_tensor(site: Site) -> Iterator[Patch]:
    """Make a tensor of an array, and of a table first an array.

    Sources: PyTorch's references of `as_tensor` and `from_numpy`; pandas' of `DataFrame.to_numpy`; the message
    "argument 'input' (position 1) must be Tensor, not numpy.ndarray".
    """
    of_table = (
        r"could not determine the shape of object type '(DataFrame|Series)'|Could not infer dtype of (DataFrame|Series)"
        r"|expected np\.ndarray \(got (DataFrame|Series|Index)\)"
    )
    if site.says("ValueError", "TypeError", "RuntimeError", pattern=of_table):
        for call in site.calls:
            edits = [site.script.followed(node, ".to_numpy()") for node in call.args[:1]]
            yield from site.patch("Take the array of the table: a tensor is made of that.", *edits)
    of_array = (
        r"must be (?:a )?Tensor, not|received an invalid combination of arguments|must be tuple of Tensors, not"
        r"|expected Tensor as element"
    )
    if site.says("TypeError", pattern=of_array):
        torch, imported = site.module("torch", "torch")
        for call in site.calls:
            for node in call.args:
                part = site.part(node)
                if part.is_array or part.is_frame or part.is_series or part.kind == "list":
                    table = (
                        f"{site.script.operand(node)}.to_numpy()"
                        if part.library == "pandas"
                        else site.script.text(node)
                    )
                    edit = site.script.replaced(node, f"{torch}.as_tensor({table}, dtype={torch}.float32)")
                    yield from site.patch("Make a tensor of it first.", edit, *imported)


def array_for_tensor(site: Site) -> Iterator[Patch]:
    """Leave out, or replace, what a tensor has and an array has not, or the other way round.

    Sources: numpy's references of `expand_dims`, `transpose`; PyTorch's of `Tensor.to` and `Tensor.permute`.
    """
    found = site.found(r"'(?:numpy\.)?(ndarray|Tensor|float|int|float32|float64)' object has no attribute '(\w+)'")
    if found is None or site.crash.type != "AttributeError":
        return
    for node in site.nodes:
        call = site.script.parent(node)
        if not isinstance(node, ast.Attribute) or not isinstance(call, ast.Call) or call.func is not node:
            continue
        if found[1] != "Tensor" and node.attr in ("detach", "cpu", "numpy", "item"):
            edit = site.script.replaced(call, site.script.operand(node.value))
            yield from site.patch(f"Leave out {node.attr}(): it is no tensor, and needs none.", edit)
        elif found[1] == "ndarray" and node.attr == "permute":
            yield from site.patch("Use transpose, as arrays have it.", site.script.renamed(node, "transpose"))
        elif found[1] == "Tensor" and node.attr == "astype" and call.args:
            kind = re.sub(r"^.*\.|['\"]", "", site.script.text(call.args[0]))
            method = {"float": "double", "float32": "float", "float64": "double", "int": "long", "int64": "long"}.get(
                kind
            )
            if method is not None:
                text = f"{site.script.operand(node.value)}.{method}()"
                yield from site.patch(f"Use {method}(), as tensors have it.", site.script.replaced(call, text))


# -- shapes ----------------------------------------------------------------------------------------------------------


def loss_shapes(site: Site) -> Iterator[Patch]:
    """Give the target the shape that the loss takes.

    Sources: the messages "Using a target size that is different to the input size" and "0D or 1D target tensor
    expected, multi-target not supported"; PyTorch's references of `BCELoss` (target as input) and
    `CrossEntropyLoss` (indices of one dimension).
    """
    if not site.says(
        "ValueError",
        "RuntimeError",
        pattern=r"different to the input size|must be the same as input size|multi-target not supported",
    ):
        return
    for call in site.calls:
        if len(call.args) != 2:
            continue
        output, target = (site.part(node).shape for node in call.args)
        node = call.args[1]
        if output is None or target is None:
            sizes = [
                tuple(map(int, re.findall(r"\d+", each))) for each in re.findall(r"Size\(\[([\d, ]*)\]\)", site.message)
            ]
            if len(sizes) == 2:
                target, output = sizes
        if target is None:
            continue
        if "multi-target" in site.message:
            is_column = len(target) == 2 and target[1] == 1
            step, why = (
                (".squeeze(1)", "one index a row") if is_column else (".argmax(dim=1)", "the index of each class")
            )
            yield from site.patch(f"Give the loss {why}.", site.script.followed(node, step))
        elif output == (*target, 1):
            edit = site.script.followed(node, f".unsqueeze({len(target)})")
            yield from site.patch("Give the target the shape of the output, with a last dimension of one.", edit)
        elif target == (*(output or ()), 1):
            edit = site.script.followed(node, f".squeeze({len(target) - 1})")
            yield from site.patch("Give the target the shape of the output.", edit)


def layer_shapes(site: Site) -> Iterator[Patch]:
    """Give a layer its input as it is documented: flat for `Linear`, channels first for `Conv2d`.

    Sources: PyTorch's references of `Linear` (the last dimension is in_features), `Conv2d` ((N, C, H, W)), `flatten`;
    the messages, which name both shapes.
    """
    if site.crash.type != "RuntimeError":
        return
    flat = site.found(
        r"cannot be multiplied \(\d+x\d+ and (\d+)x\d+\)|size mismatch, m1: \[\d+ x \d+\], m2: \[(\d+) x \d+\]"
    )
    channels = site.found(r"to have (\d+) channels, but got \d+ channels")
    batched = site.found(r"Expected 3D .*or 4D|Expected 4-dimensional input")
    for call in site.calls:
        for node in call.args[:1]:
            shape = site.part(node).shape
            if not site.part(node).is_tensor or shape is None:
                continue
            script = site.script
            if flat is not None and len(shape) > 2 and math.prod(shape[1:]) == int(flat[1] or flat[2]):
                yield from site.patch("Flatten all but the first dimension.", script.followed(node, ".flatten(1)"))
            elif flat is not None and len(shape) > 1 and math.prod(shape) == int(flat[1] or flat[2]):
                yield from site.patch("Flatten it to one row.", script.followed(node, ".reshape(1, -1)"))
            elif channels is not None and len(shape) == 4 and shape[3] == int(channels[1]):
                edit = script.followed(node, ".permute(0, 3, 1, 2)")
                yield from site.patch("Put the channels first, as the layer takes them.", edit)
            elif channels is not None and len(shape) == 3 and channels[1] == "1":
                yield from site.patch("Add the dimension of the one channel.", script.followed(node, ".unsqueeze(1)"))
            elif batched is not None and len(shape) == 2:
                edit = script.followed(node, ".unsqueeze(0).unsqueeze(0)")
                yield from site.patch("Add the dimensions of batch and channel.", edit)


def named_method(site: Site) -> Iterator[Patch]:
    """Use the method that the message names.

    Sources: the messages "view size is not compatible ... Use .reshape(...) instead." and "invalid index of a 0-dim
    tensor. Use `tensor.item()`".
    """
    if site.says("RuntimeError", pattern=r"Use \.reshape\(\.\.\.\) instead"):
        for call in site.calls:
            if isinstance(call.func, ast.Attribute) and call.func.attr == "view":
                yield from site.patch("Use reshape, as the message says.", site.script.renamed(call.func, "reshape"))
    if site.says("IndexError", pattern=r"Use `tensor\.item\(\)`|invalid index of a 0-dim"):
        for node in site.subscripts:
            if isinstance(node.slice, ast.Constant) and node.slice.value == 0:
                owner = node.value
                if isinstance(owner, ast.Attribute) and owner.attr == "data":
                    owner = owner.value
                edit = site.script.replaced(node, f"{site.script.operand(owner)}.item()")
                yield from site.patch("Use item(), as the message says.", edit)


def without_gradient(site: Site) -> Iterator[Patch]:
    """Change weights in place under ``torch.no_grad()``.

    Source: PyTorch's tutorial "Learning PyTorch with examples": weights are updated under ``torch.no_grad()``.
    """
    if not site.says("RuntimeError", pattern=r"leaf Variable that requires grad .*in-place"):
        return
    for node in site.nodes:
        if isinstance(node, ast.AugAssign) and node.lineno == node.end_lineno:
            torch, imported = site.module("torch", "torch")
            yield from site.patch(
                "Change the weights under torch.no_grad().", _under(site, node, f"with {torch}.no_grad():"), *imported
            )


def _under(site: Site, node: ast.stmt, line: str) -> Edit | None:
    above = site.script.before(node, line)
    span = site.script.span(node)
    if above is None or span is None:
        return None
    return Edit(above.start, span.start, f"{above.text}{site.script.source[above.start : span.start]}    ")


STRATEGIES = (
    detached,
    same_device,
    without_card,
    same_dtype,
    loss_shapes,
    layer_shapes,
    named_method,
    without_gradient,
    made_tensor,
    array_for_tensor,
)
