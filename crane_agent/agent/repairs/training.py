"""Training with PyTorch: the graph of autograd, losses and their targets, batches of data, weights that are loaded."""

import ast
import re
from collections.abc import Collection, Iterator, Mapping

from crane_agent.agent.repairs.constants import argument, calls_of, number_of
from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Site, called, keyword

# -- autograd --------------------------------------------------------------------------------------------------------

_TWICE = r"backward through the graph a second time|modified by an inplace operation"


def detached_state(site: Site) -> Iterator[Patch]:
    """Detach the state that goes from round to round of a loop, so that each round has a graph of its own.

    Sources: the messages "Trying to backward through the graph a second time" and "one of the variables needed for
    gradient computation has been modified by an inplace operation"; PyTorch's reference of `Tensor.detach` and its
    examples of word language models, `repackage_hidden`.
    """
    if not site.says("RuntimeError", pattern=_TWICE):
        return
    for call in (each for each in site.inner if isinstance(each, ast.Call) and called(each) == "backward"):
        loops = [each for each in site.script.around(call) if isinstance(each, ast.For | ast.While)]
        for loop in loops:
            for name in _carried(loop):
                yield from _detached_at(site, loop, name)
            yield from _detached_once(site, loop)


def _carried(loop: ast.For | ast.While) -> Iterator[str]:
    """Yield the names that a round gives to a call which gives them back for the next round."""
    seen: set[str] = set()
    for statement in ast.walk(loop):
        if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
            continue
        given = {each.id for each in ast.walk(statement.value) if isinstance(each, ast.Name)}
        bound = [each.id for target in statement.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
        steps = {"detach", "data", "detach_", "repackage_hidden", "item"}
        if steps & {each.attr for each in ast.walk(statement.value) if isinstance(each, ast.Attribute)}:
            continue
        for name in bound:
            # Where it is made anew inside the loop, above, no round hands it on.
            if name in given and name not in seen and not _is_made_in(loop, name, statement):
                seen.add(name)
                yield name


def _is_made_in(loop: ast.For | ast.While, name: str, statement: ast.Assign) -> bool:
    bound = (
        {each.id for each in ast.walk(loop.target) if isinstance(each, ast.Name)}
        if isinstance(loop, ast.For)
        else set()
    )
    made = (
        each
        for each in ast.walk(loop)
        if isinstance(each, ast.Assign) and each is not statement and each.lineno < statement.lineno
    )
    own = {
        node.id
        for each in made
        for target in each.targets
        for node in ast.walk(target)
        if isinstance(node, ast.Name) and node.id not in {n.id for n in ast.walk(each.value) if isinstance(n, ast.Name)}
    }
    return name in bound | own


def _detached_at(site: Site, loop: ast.For | ast.While, name: str) -> Iterator[Patch]:
    lines = [f"{name} = tuple(each.detach() for each in {name})", f"{name} = {name}.detach()"]
    if not any(calls_of(site, {"LSTM", "LSTMCell"})):
        lines.reverse()
    for line in lines:
        edit = site.script.before(loop.body[0], line)
        yield from site.patch(f"Detach {name} when a round begins, so that each has a graph of its own.", edit)


def _detached_once(site: Site, loop: ast.For | ast.While) -> Iterator[Patch]:
    """Yield the patch that trains one network on what another made, without the graph of the other.

    Source: PyTorch's tutorial "DCGAN": ``netD(fake.detach())``.
    """
    made = {
        statement.targets[0].id: statement
        for statement in ast.walk(loop)
        if isinstance(statement, ast.Assign)
        and isinstance(statement.value, ast.Call)
        and isinstance(statement.targets[0], ast.Name)
    }
    backward = sorted(
        each.lineno for each in ast.walk(loop) if isinstance(each, ast.Call) and called(each) == "backward"
    )
    if len(backward) < 2:
        return
    for name, statement in made.items():
        uses = [
            each
            for call in ast.walk(loop)
            if isinstance(call, ast.Call)
            for each in call.args
            if isinstance(each, ast.Name) and each.id == name and each.lineno > statement.lineno
        ]
        early, late = (
            [each for each in uses if each.lineno <= backward[0]],
            [each for each in uses if each.lineno > backward[0]],
        )
        if len(early) == 1 and late:
            edit = site.script.followed(early[0], ".detach()")
            yield from site.patch(f"Detach {name} where it is used first: it is needed with its graph later.", edit)


def one_loss(site: Site) -> Iterator[Patch]:
    """Go back from the mean of the losses, where there are several.

    Source: the message "grad can be implicitly created only for scalar outputs"; PyTorch's reference of
    `Tensor.backward`.
    """
    if not site.says("RuntimeError", pattern=r"grad can be implicitly created only for scalar outputs"):
        return
    for call in site.calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr == "backward" and not call.args:
            edit = site.script.followed(call.func.value, ".mean()")
            yield from site.patch("Go back from the mean of the losses.", edit)


# -- losses ----------------------------------------------------------------------------------------------------------


def classes_from_zero(site: Site) -> Iterator[Patch]:
    """Count classes from 0, or make the last layer for one class more.

    Source: the message "Target 10 is out of bounds."; PyTorch's reference of `CrossEntropyLoss`: class indices are in
    the range [0, C).
    """
    found = site.found(r"Target (\d+) is out of bounds")
    if found is None or site.crash.type != "IndexError":
        return
    for call in site.calls:
        for node in call.args[1:2]:
            text = site.script.text(node)
            edit = site.script.replaced(node, f"{text} - 1" if isinstance(node, ast.Name) else f"({text}) - 1")
            yield from site.patch("Count the classes from 0: they count from 1.", edit)
    size = int(found[1])
    for script, made in calls_of(site, {"Linear"}):
        out = argument(made, 1, "out_features")
        if out is not None and (number_of(out, site) or size + 2) == size:
            summary = f"Make the last layer for {size + 1} classes: one of them is {size}."
            yield from script.patch(summary, script.replaced(out, str(size + 1)))
            return


def loss_of_logits(site: Site) -> Iterator[Patch]:
    """Use the loss that takes what the network gives, before any sigmoid.

    Sources: the message "all elements of input should be between 0 and 1"; PyTorch's reference of `BCEWithLogitsLoss`.
    """
    if not site.says("RuntimeError", pattern=r"all elements of (?:input|target) should be between 0 and 1"):
        return
    if site.found(r"elements of target") is not None:
        return
    for script, call in calls_of(site, {"BCELoss"}):
        if isinstance(call.func, ast.Attribute):
            summary = "Use BCEWithLogitsLoss: the network gives logits, no probabilities."
            yield from script.patch(summary, script.renamed(call.func, "BCEWithLogitsLoss"))
            return


_OUTPUTS = r"must be Tensor, not (\w+)|'(tuple)' object has no attribute '\w+'|not implemented for '(tuple)'"


def tensor_of_outputs(site: Site) -> Iterator[Patch]:
    """Take the tensor out of what a layer or network gives along with others.

    Sources: the message "argument 'input' (position 1) must be Tensor, not tuple"; PyTorch's reference of `LSTM`
    (output, (h_n, c_n)); torchvision's of `inception_v3`, whose outputs have ``logits`` and ``aux_logits``.
    """
    found = site.found(_OUTPUTS) if site.crash.type in ("TypeError", "AttributeError") else None
    kind = next((each for each in found.groups() if each), "") if found is not None else ""
    is_outputs = kind == "tuple" or kind.endswith(("Outputs", "Output", "OutputWithPast"))
    for node in site.nodes if is_outputs else ():
        match node:
            case ast.Call(args=args):
                nodes: list[ast.expr] = args[:2]
            case ast.Attribute(value=owner):
                nodes = [owner]
            case _:
                continue
        for each in nodes:
            part = site.part(each, "owner" if isinstance(node, ast.Attribute) else "")
            if part.kind != kind or (kind == "tuple" and not any("Tensor" in one for one in _elements(part.facts))):
                continue
            step = "[0]" if kind == "tuple" else ".logits"
            yield from site.patch(
                f"Take the output itself, {step}, of what comes with others.", _taken(site, each, step)
            )


def _taken(site: Site, node: ast.expr, step: str) -> Edit | None:
    return site.script.followed(node, step)


def _elements(facts: Mapping[str, object]) -> list[str]:
    found = facts.get("elements")
    return [str(each) for each in found] if isinstance(found, list | tuple) else []


def device_for_data(site: Site) -> Iterator[Patch]:
    """Give the network the data, where it gets the device that they are on.

    Source: PyTorch's reference of `Module`: what it is called with is given to ``forward``.
    """
    if not site.says("TypeError", "AttributeError", pattern=r"got \(torch\.device|torch\.device|not device"):
        return
    devices = {
        each.targets[0].id
        for script in site.scripts
        for each in ast.walk(script.tree)
        if isinstance(each, ast.Assign)
        and isinstance(each.targets[0], ast.Name)
        and any(isinstance(inner, ast.Call) and called(inner) == "device" for inner in ast.walk(each.value))
    }
    for script in site.scripts:
        for call in ast.walk(script.tree):
            match call:
                case ast.Call(func=ast.Name(id=name), args=[ast.Name(id=given)], keywords=[]) if given in devices:
                    loop = next((each for each in script.around(call) if isinstance(each, ast.For)), None)
                    data = _first_data(loop)
                    if data and name not in ("print", "str", "repr", "type"):
                        edit = script.replaced(call.args[0], f"{data}.to({given})")
                        yield from script.patch(f"Give the network the data, {data}, instead of the device.", edit)


def _first_data(loop: ast.For | None) -> str:
    """Return the first name of a batch that a loop goes over, without that of a counter."""
    if loop is None:
        return ""
    target = loop.target
    is_counted = isinstance(loop.iter, ast.Call) and called(loop.iter) == "enumerate"
    if is_counted and isinstance(target, ast.Tuple) and len(target.elts) == 2:
        target = target.elts[1]
    if isinstance(target, ast.Tuple) and target.elts:
        target = target.elts[0]
        return target.id if isinstance(target, ast.Name) else ""
    return ""


# -- data ------------------------------------------------------------------------------------------------------------


def equal_sizes(site: Site) -> Iterator[Patch]:
    """Give the samples of a batch one size: images by resizing both sides, sequences by padding.

    Sources: the message "stack expects each tensor to be equal size, but got [3, 224, 300] at entry 0"; torchvision's
    reference of `Resize`: one number is the size of the smaller side only; PyTorch's of `DataLoader` (collate_fn) and
    `pad_sequence`.
    """
    pattern = r"stack expects each tensor to be equal size, but got \[([\d, ]*)\]|batch should be of equal size"
    found = site.found(pattern) if site.crash.type == "RuntimeError" else None
    if found is None:
        return
    sizes = [int(each) for each in re.findall(r"\d+", found[1] or "0")]
    if len(sizes) >= 2:
        for script, call in calls_of(site, {"Resize"}):
            node = argument(call, 0, "size")
            if node is not None and not isinstance(node, ast.Tuple | ast.List) and number_of(node, site):
                text = script.text(node)
                summary = "Resize both sides: one number is the size of the smaller side only."
                yield from script.patch(summary, script.replaced(node, f"({text}, {text})"))
    if len(sizes) == 1:
        yield from _padded(site)


_PADDING = (
    "collate_fn=lambda batch: "
    "({pad}([{torch}.as_tensor(each) for each, _ in batch], batch_first=True), "
    "{torch}.as_tensor([label for _, label in batch]))"
)


def _padded(site: Site) -> Iterator[Patch]:
    """Yield the patch that pads the sequences of each batch, in all loaders of the cell."""
    for script in site.scripts:
        calls = [
            each
            for each in ast.walk(script.tree)
            if isinstance(each, ast.Call) and called(each) == "DataLoader" and keyword(each, "collate_fn") is None
        ]
        if not calls:
            continue
        known = site.imports
        torch = known.get("torch", "torch")
        lines = [] if "torch" in known else [script.imported("import torch")]
        pad = known.get("torch.nn.utils.rnn.pad_sequence", f"{torch}.nn.utils.rnn.pad_sequence")
        edits = [script.with_argument(call, _PADDING.format(pad=pad, torch=torch)) for call in calls]
        yield from script.patch("Pad the sequences of each batch to its longest with zeros.", *lines, *edits)
        return


def images_as_tensors(site: Site) -> Iterator[Patch]:
    """Turn the images into tensors where they are loaded.

    Sources: the message "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists; found
    <class 'PIL.Image.Image'>"; torchvision's reference of `ToTensor`.
    """
    if not site.says("TypeError", pattern=r"batch must contain tensors.*found <class 'PIL"):
        return
    for script, call in calls_of(site, _DATASETS):
        if keyword(call, "transform") is None:
            name = next((bound for full, bound in site.imports.items() if full == "torchvision.transforms"), "")
            lines = [] if name else [script.imported("from torchvision import transforms")]
            edit = script.with_argument(call, f"transform={name or 'transforms'}.ToTensor()")
            yield from script.patch("Turn the images into tensors.", edit, *lines)
            return
    for script, call in calls_of(site, {"Compose"}):
        listed = call.args[0] if call.args else None
        if isinstance(listed, ast.List) and listed.elts and "ToTensor" not in script.text(listed):
            start = _prefix(listed.elts[-1], script)
            edit = script.replaced(listed.elts[-1], f"{script.text(listed.elts[-1])}, {start}ToTensor()")
            yield from script.patch("Turn the images into tensors at the end.", edit)


_DATASETS = {"ImageFolder", "CIFAR10", "CIFAR100", "MNIST", "FashionMNIST", "SVHN", "STL10", "DatasetFolder", "KMNIST"}


def _prefix(node: ast.expr, script: Script) -> str:
    """Return what stands before the name of a transform, e.g. ``transforms.``."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner)):
            return f"{script.text(owner)}."
    return ""


def order_of_transforms(site: Site) -> Iterator[Patch]:
    """Turn an image into a tensor before it is normalised.

    Sources: the messages "img should be Tensor Image. Got <class 'PIL.Image.Image'>" and "pic should be PIL Image or
    ndarray. Got <class 'torch.Tensor'>"; torchvision's reference of `Normalize`: it takes tensors only.
    """
    if not site.says("TypeError", pattern=r"should be Tensor Image|should be PIL Image or ndarray|not <class 'PIL"):
        return
    for script, call in calls_of(site, {"Compose"}):
        listed = call.args[0] if call.args else None
        if not isinstance(listed, ast.List):
            continue
        names = [called(each) if isinstance(each, ast.Call) else "" for each in listed.elts]
        if "ToTensor" in names and "Normalize" in names and names.index("Normalize") < names.index("ToTensor"):
            one, other = (listed.elts[names.index(each)] for each in ("Normalize", "ToTensor"))
            edits = script.replaced(one, script.text(other)), script.replaced(other, script.text(one))
            yield from script.patch("Normalise once the image is a tensor.", *edits)


def channels_of_normalize(site: Site) -> Iterator[Patch]:
    """Normalise one channel with one mean and one deviation.

    Sources: the message "output with shape [1, 28, 28] doesn't match the broadcast shape [3, 28, 28]"; torchvision's
    reference of `Normalize`: one value for each channel.
    """
    found = site.found(r"output with shape \[1, \d+, \d+\] doesn't match the broadcast shape \[3, \d+, \d+\]")
    if found is None or site.crash.type != "RuntimeError":
        return
    for script, call in calls_of(site, {"Normalize"}):
        values = [each for place, name in enumerate(("mean", "std")) if (each := argument(call, place, name))]
        if all(isinstance(each, ast.Tuple | ast.List) and len(each.elts) == 3 for each in values):
            texts = [f"({script.text(each.elts[0])},)" for each in values]  # type: ignore[attr-defined]
            edits = [script.replaced(each, text) for each, text in zip(values, texts, strict=True)]
            yield from script.patch("Normalise the one channel that there is.", *edits)


def plain_array(site: Site) -> Iterator[Patch]:
    """Give a tensor an array of numbers.

    Sources: the messages "can't convert np.ndarray of type numpy.object_" and "expected np.ndarray (got list)";
    PyTorch's references of `from_numpy` and `tensor`.
    """
    found = site.found(
        r"can't convert np\.ndarray of type numpy\.(object_|uint\d+)|expected np\.ndarray \(got (list)\)"
    )
    for call in site.calls if found is not None and site.crash.type == "TypeError" else ():
        assert found is not None
        for node in call.args[:1]:
            if found[2] and isinstance(call.func, ast.Attribute):
                yield from site.patch("Use tensor, which takes lists.", site.script.renamed(call.func, "tensor"))
                continue
            array = ".to_numpy()" if site.part(node).library == "pandas" else ""
            kind = "float" if found[1] == "object_" else "int64"
            edit = site.script.followed(
                node, f'{array}.astype("{kind}32")' if kind == "float" else f'.astype("{kind}")'
            )
            yield from site.patch("Give it numbers of a dtype that tensors have.", edit)


# -- weights ---------------------------------------------------------------------------------------------------------

_INSIDE = ("model_state_dict", "state_dict", "model", "net", "model_state")


def fitting_weights(site: Site) -> Iterator[Patch]:
    """Take the weights out of the file's dict, or out of the names that `DataParallel` gave them.

    Sources: the message "Unexpected key(s) in state_dict: "module.conv1.weight""; PyTorch's references of
    `DataParallel`, whose ``module`` is the network, and its tutorial "Saving and loading models", a checkpoint's dict.
    """
    found = site.found(r"Unexpected key\(s\) in state_dict: (.*)")
    for call in site.calls if found is not None and site.crash.type == "RuntimeError" else ():
        assert found is not None
        names = re.findall(r'"([^"]*)"', found[1].partition("size mismatch")[0])
        for node in call.args[:1]:
            inside = next((each for each in _INSIDE if each in names), "")
            if names and all(each.startswith("module.") for each in names):
                text = f'{{key.removeprefix("module."): value for key, value in {site.script.operand(node)}.items()}}'
                summary = "Take away the prefix that DataParallel gave the names."
                yield from site.patch(summary, site.script.replaced(node, text))
            elif inside:
                edit = site.script.followed(node, f'["{inside}"]')
                yield from site.patch(f'Take the weights out of the checkpoint, ["{inside}"].', edit)


def whole_pickle(site: Site) -> Iterator[Patch]:
    """Load a file that holds more than weights, which only who trusts it should do.

    Source: PyTorch 2.6, release notes: ``weights_only`` of `torch.load` is True by default; its message.
    """
    if site.crash.type != "UnpicklingError" or site.found(r"weights_only") is None:
        return
    for call in site.calls:
        if called(call) == "load" and keyword(call, "weights_only") is None:
            edit = site.script.with_argument(call, "weights_only=False")
            yield from site.patch("If you trust the file: load all that it holds, with weights_only=False.", edit)


def initialised_module(site: Site) -> Iterator[Patch]:
    """Initialise the module before its layers are set.

    Source: the message "cannot assign module before Module.__init__() call"; PyTorch's reference of `Module`.
    """
    pattern = r"cannot assign (?:module|parameters?) before Module\.__init__\(\)|no attribute '_(?:modules|parameters)'"
    if not site.says("AttributeError", pattern=pattern) or site.node is None:
        return
    function = next((each for each in site.script.around(site.node) if isinstance(each, ast.FunctionDef)), None)
    if (
        function is None
        or function.name != "__init__"
        or "super" in {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
    ):
        return
    edit = site.script.before(function.body[0], "super().__init__()")
    yield from site.patch("Initialise the module first, with super().__init__().", edit)


# -- values that were not asked for ----------------------------------------------------------------------------------


def called_method(site: Site) -> Iterator[Patch]:
    """Call the method that is given where its value is meant.

    Sources: the messages "found element of type method at pos 0" and "unsupported operand type(s) for *: 'method' and
    'int'"; Python's reference, "Instance methods".
    """
    if not site.says("TypeError", pattern=r"\b(?:builtin_function_or_)?method\b"):
        return
    for node in site.nodes:
        match node:
            case ast.Call(args=args, keywords=keywords):
                given: Collection[ast.expr] = [*args, *(each.value for each in keywords)]
            case ast.BinOp(left=left, right=right):
                given = [left, right]
            case ast.Compare(left=left, comparators=others):
                given = [left, *others]
            case _:
                continue
        for each in given:
            if isinstance(each, ast.Attribute) and site.part(each).kind in ("method", "builtin_function_or_method"):
                edit = site.script.followed(each, "()")
                yield from site.patch(f"Call {each.attr}: its value is meant, not the method.", edit)


STRATEGIES = (
    detached_state,
    one_loss,
    classes_from_zero,
    loss_of_logits,
    tensor_of_outputs,
    called_method,
    device_for_data,
    equal_sizes,
    images_as_tensors,
    order_of_transforms,
    channels_of_normalize,
    plain_array,
    fitting_weights,
    whole_pickle,
    initialised_module,
)
