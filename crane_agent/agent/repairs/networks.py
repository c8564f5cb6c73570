"""Networks of Keras: the shapes they are declared with and get, the loss and the form of its targets, renamed API."""

import ast
import difflib
import re
from collections.abc import Iterator, Sequence
from typing import TypeGuard

from crane_agent.agent.repairs.constants import argument, calls_of, number_of, numbers_of
from crane_agent.agent.repairs.features import lines_before, splits_of
from crane_agent.agent.repairs.patch import Edit, Patch, Script
from crane_agent.agent.repairs.site import Part, Site, called, keyword, literals

_MOST = 2
_ERRORS = ("ValueError", "InvalidArgumentError")
_FITTING = {
    "fit",
    "evaluate",
    "predict",
    "train_on_batch",
    "predict_on_batch",
    "test_on_batch",
    "flow",
    "fit_generator",
}
_RECURRENT = {"LSTM", "GRU", "SimpleRNN", "Bidirectional", "ConvLSTM2D"}

_Shape = tuple[int | None, ...]


def _shape(text: str) -> _Shape:
    return tuple(None if each == "None" else int(each) for each in re.findall(r"None|\d+", text))


# -- the shape of the input ------------------------------------------------------------------------------------------

_GOT = (
    r"but input has incompatible shape \(([^)]*)\)",
    r"expected shape=\([^)]*\), found shape=\(([^)]*)\)",
    r"received input with shape.*?inputs=tf\.Tensor\(shape=\(([^)]*)\)",
    r"received input with shape \(([^)]*)\)",
)


def declared_shape(site: Site) -> Iterator[Patch]:
    """Declare the input with the shape that the data has.

    Sources: the messages "expected axis -1 of input shape to have value 3, but received input with shape (None, 75,
    75, 1)", "expected shape=(None, 7), found shape=(None, 4)" and "Invalid input shape for input"; Keras' reference of
    `Input`: the shape is that of one sample.
    """
    got = _got(site)
    if got is None or not any(called(call) in _FITTING for call in site.calls):
        return
    tried = 0
    for script, node, is_pretrained in _declared(site):
        if not isinstance(node, ast.Tuple | ast.List) or len(node.elts) != len(got) or is_pretrained:
            continue
        edits = [
            script.replaced(each, str(size))
            for each, size in zip(node.elts, got, strict=True)
            if size is not None and (own := number_of(each, site)) is not None and own != size
        ]
        if edits and tried < _MOST:
            tried += 1
            yield from script.patch(f"Declare the input with the shape of the data, {got}.", *edits)


def _got(site: Site) -> _Shape | None:
    """Return the shape of one sample of what came, as the message has it."""
    if site.crash.type not in _ERRORS:
        return None
    found = next((each for pattern in _GOT if (each := site.found(pattern)) is not None), None)
    return _shape(found[1])[1:] if found is not None else None


def _declared(site: Site) -> Iterator[tuple[Script, ast.expr, bool]]:
    """Yield where inputs get their shape, and whether trained weights are loaded for it."""
    for script in site.scripts:
        for node in ast.walk(script.tree):
            if not isinstance(node, ast.Call):
                continue
            if called(node) in ("Input", "InputLayer"):
                given = argument(node, 0, "shape") or argument(node, 0, "input_shape")
            else:
                given = next((each.value for each in node.keywords if each.arg == "input_shape"), None)
            weights = keyword(node, "weights")
            is_pretrained = weights is not None and getattr(weights.value, "value", "") is not None
            if given is not None:
                yield script, _literal(given, script), is_pretrained


def _literal(node: ast.expr, script: Script) -> ast.expr:
    """Return the tuple that a name is bound to in the same cell, else the node itself."""
    if isinstance(node, ast.Name):
        for each in ast.walk(script.tree):
            match each:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Tuple() as value) if name == node.id:
                    return value
    return node


_DIMENSIONS = r"expected (?:min_)?ndim=(\d), found ndim=(\d)\. Full shape received: \(([^)]*)\)"
_EXPECTED = r"[Ee]xpected shape[= ]\(([^)]*)\),(?: but input has incompatible shape | found shape=)\(([^)]*)\)"


def dimensions(site: Site) -> Iterator[Patch]:
    """Give the data the dimension of a channel, of one feature or of one sample, or take away one of size one.

    Sources: the messages "expected min_ndim=4, found ndim=3. Full shape received: (None, 28, 28)" and "Expected shape
    (None, 224, 224, 3), but input has incompatible shape (224, 224, 3)"; Keras' references of `Conv2D`, `LSTM` and
    `Model.predict`, which takes batches; numpy's of `expand_dims` and `squeeze`.
    """
    if site.crash.type not in _ERRORS:
        return
    found = site.found(_DIMENSIONS)
    is_ranked = site.found(r"should have rank 4") is not None
    fits = [call for call in site.calls if called(call) in _FITTING]
    if found is not None and int(found[1]) == int(found[2]) + 1 and not fits:
        yield from _declared_with_channel(site, _shape(found[3])[1:])
    elif fits and (is_ranked or (found is not None and int(found[1]) == int(found[2]) + 1)):
        yield from _given(site, fits[0], "Give the data a last dimension of one.", "expand_dims", "-1")
    for call in fits:
        node, takes = _data(call), site.owner(call).facts.get("input_shape")
        if node is not None and takes and site.part(node).shape == tuple(takes[1:]):
            yield from _given(site, call, "Give it a batch of one sample.", "expand_dims", "0")
    exact = site.found(_EXPECTED)
    for call in fits if exact is not None else ():
        node = _data(call)
        if exact is None or node is None:
            continue
        wanted, come, own = _shape(exact[1]), _shape(exact[2]), site.part(node).shape
        if come == wanted[1:] or (own is not None and own == wanted[1:]):
            if site.part(node).kind.endswith("Dataset"):
                edit = site.script.followed(node, ".batch(32)")
                yield from site.patch("Give the data in batches, of 32 as is the default.", edit)
            else:
                yield from _given(site, call, "Give it a batch of one sample.", "expand_dims", "0")
        for place in [place for place, size in enumerate(come) if size == 1 and place]:
            if _fits(come[:place] + come[place + 1 :], wanted):
                summary = "Take away the dimension of one, which the network does not take."
                yield from _given(site, call, summary, "squeeze", str(place))
        if len(come) == len(wanted) + 1 and isinstance(node, ast.Name):
            yield from _squeezed_from_start(site, node.id, come)
        if _fits((*come, 1), wanted):
            yield from _given(site, call, "Give the data a last dimension of one.", "expand_dims", "-1")


def _squeezed_from_start(site: Site, name: str, come: _Shape) -> Iterator[Patch]:
    """Yield the patch that takes a dimension of one away before the cell reads the data, its shape included."""
    reading = next((each for each in site.script.tree.body if _reads(each, name)), None)
    place = next((place for place, size in enumerate(come) if size == 1 and place), None)
    if reading is None or place is None:
        return
    numpy, imported = site.module("numpy", "np")
    names = [name, *splits_of(site, name)]
    edit = lines_before(site, reading, names, [f"{each} = {numpy}.squeeze({each}, axis={place})" for each in names])
    summary = "Take away the dimension of one of the data, which the network does not take."
    yield from site.patch(summary, edit, *imported)


def _reads(node: ast.AST, name: str) -> bool:
    names = (each for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load))
    return any(each.id == name for each in names)


def _fits(come: _Shape, wanted: _Shape) -> bool:
    return len(come) == len(wanted) and all(a == b or None in (a, b) for a, b in zip(come, wanted, strict=True))


def _data(call: ast.Call) -> ast.expr | None:
    return argument(call, 0, "x")


def _given(site: Site, call: ast.Call, summary: str, function: str, axis: str) -> Iterator[Patch]:
    """Yield the patch of what a call gets as data, and to validate with."""
    numpy, imported = site.module("numpy", "np")
    nodes = [_data(call)]
    validation = keyword(call, "validation_data")
    if validation is not None and isinstance(validation.value, ast.Tuple | ast.List):
        nodes.append(validation.value.elts[0])
    edits = [site.script.wrapped(each, f"{numpy}.{function}(", f", axis={axis})") for each in nodes if each is not None]
    yield from site.patch(summary, *edits, *imported)


def _declared_with_channel(site: Site, got: _Shape) -> Iterator[Patch]:
    if _edits_of_sequences(site):
        return
    for script, node, _ in _declared(site):
        if numbers_of(node, site) == got and isinstance(node, ast.Tuple | ast.List) and node.elts:
            edit = script.replaced(node.elts[-1], f"{script.text(node.elts[-1])}, 1")
            yield from script.patch("Declare the input with a last dimension of one.", edit)
            return


def whole_sequences(site: Site) -> Iterator[Patch]:
    """Let a recurrent layer give its whole sequence to the next one.

    Sources: the message "Input 0 of layer "lstm_1" is incompatible with the layer: expected ndim=3, found ndim=2";
    Keras' reference of `LSTM`: return_sequences is False by default.
    """
    if not site.says(*_ERRORS, pattern=r"expected ndim=3, found ndim=2"):
        return
    edits = _edits_of_sequences(site)
    if edits:
        yield from site.patch("Give the next recurrent layer the whole sequence, with return_sequences=True.", *edits)


def _edits_of_sequences(site: Site) -> list[Edit | None]:
    """Return the edits of the recurrent layers that others stand behind, up to the failing expression."""
    end = getattr(site.node, "end_lineno", 0), getattr(site.node, "end_col_offset", 0)
    layers = [
        each
        for each in ast.walk(site.script.tree)
        if isinstance(each, ast.Call)
        and called(each) in _RECURRENT - {"Bidirectional"}
        and ((each.end_lineno or 0), (each.end_col_offset or 0)) <= end
    ]
    layers.sort(key=lambda each: (each.lineno, each.col_offset))
    return [site.script.with_argument(each, "return_sequences=True") for each in layers[:-1] if not _returns(each)]


def _returns(call: ast.Call) -> bool:
    return keyword(call, "return_sequences") is not None


def same_padding(site: Site) -> Iterator[Patch]:
    """Pad where an image gets smaller than the layer's window.

    Sources: the messages "Negative dimension size caused by subtracting 3 from 1" and "One of the dimensions in the
    output is <= 0 due to downsampling"; Keras' references of `Conv2D` and `MaxPooling2D`, padding.
    """
    pattern = r"Negative dimension size|dimensions in the output is <= 0|output size would be negative"
    if not site.says(*_ERRORS, pattern=pattern):
        return
    layers = [
        each
        for each in ast.walk(site.node or site.script.tree)
        if isinstance(each, ast.Call)
        and re.search(r"Conv\dD|Pooling\dD", called(each))
        and "Global" not in called(each)
    ]
    edits = []
    for each in layers:
        given = keyword(each, "padding")
        edit = site.script.with_argument(each, 'padding="same"')
        edits.append(edit if given is None else site.script.replaced(given.value, '"same"'))
    if edits:
        yield from site.patch('Pad with padding="same": the images get too small otherwise.', *edits)


# -- the loss and its targets ----------------------------------------------------------------------------------------

_SHAPES = (
    r"target\.shape=\((?P<target>[^)]*)\), output\.shape=\((?P<output>[^)]*)\)",
    r"Shapes \((?P<target>[^)]*)\) and \((?P<output>[^)]*)\) are incompatible",
    r"must have the same shape, received \(\((?P<output>[^)]*)\) vs \((?P<target>[^)]*)\)\)",
    r"got logits shape \[(?P<output>[^\]]*)\] and labels shape \[(?P<target>[^\]]*)\]",
)


def loss_of_targets(site: Site) -> Iterator[Patch]:
    """Use the loss for the form that the targets have, or make the last layer for as many classes.

    Sources: the messages, which name the shapes of targets and outputs; Keras' references of `CategoricalCrossentropy`
    (one-hot) and `SparseCategoricalCrossentropy` (whole numbers).
    """
    found = next((each for pattern in _SHAPES if (each := site.found(pattern)) is not None), None)
    if found is None or site.crash.type not in _ERRORS:
        return
    target, output = _shape(found["target"]), _shape(found["output"])
    classes, labels = output[-1] if output else None, target[-1] if target else None
    is_flat = len(target) == 1 or labels == 1
    if len(output) > 2 and len(output) > len(target):
        yield from _one_output(site)
    elif "logits shape" in site.message:
        if None not in (target[0], output[0], classes) and target[0] == (output[0] or 0) * (classes or 0):
            yield from _with_loss(site, "categorical_crossentropy", "The targets are one-hot")
    elif is_flat and (classes or 0) > 1:
        yield from _with_loss(site, "sparse_categorical_crossentropy", "The targets are whole numbers")
        yield from _with_units(site, classes or 0, 1, only_for="mse")
    elif labels == classes:
        yield from _with_loss(site, "categorical_crossentropy", "The targets are one-hot")
    elif labels and classes:
        yield from _with_units(site, classes, labels)


def _with_loss(site: Site, loss: str, why: str) -> Iterator[Patch]:
    for script, call in calls_of(site, {"compile"}):
        node = argument(call, 1, "loss")
        name = "".join(each.capitalize() for each in loss.split("_"))
        edit: Edit | None = None
        match node:
            case ast.Constant(value=str(text)) if text.endswith("crossentropy"):
                edit = script.quoted(node, loss)
            case ast.Call(func=ast.Attribute() as function) if called(node).endswith("Crossentropy"):
                edit = script.renamed(function, name)
            case ast.Attribute(attr=attr) if attr.endswith("crossentropy"):
                edit = script.renamed(node, loss)
        if edit is not None:
            yield from script.patch(f"{why}: use the loss {loss}.", edit)
            return


def _with_units(site: Site, own: int, wanted: int, *, only_for: str = "") -> Iterator[Patch]:
    """Yield the patch of the last layer with so many units."""
    for script in site.scripts:
        losses = [argument(each, 1, "loss") for each in ast.walk(script.tree) if _is_compile(each)]
        is_for = any(getattr(each, "value", "") in ("mse", "mae", "mean_squared_error") for each in losses)
        layers = [
            each
            for each in ast.walk(script.tree)
            if isinstance(each, ast.Call)
            and called(each) == "Dense"
            and number_of(argument(each, 0, "units"), site) == own
        ]
        if not layers or (only_for and not is_for):
            continue
        last = max(layers, key=lambda each: (each.lineno, each.col_offset))
        edits = [script.replaced(argument(last, 0, "units"), str(wanted))]  # type: ignore[arg-type]
        activation = keyword(last, "activation")
        if own == 1 and activation is not None and getattr(activation.value, "value", "") == "sigmoid":
            edits.append(script.replaced(activation.value, '"softmax"'))
            edits += [
                script.quoted(each, "categorical_crossentropy")
                for each in losses
                if isinstance(each, ast.Constant) and each.value == "binary_crossentropy"
            ]
        yield from script.patch(f"Make the last layer for {wanted} outputs, as the targets have.", *edits)
        return


def _is_compile(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and called(node) == "compile"


def _one_output(site: Site) -> Iterator[Patch]:
    """Yield the patches that give one output a sample: the last state of a recurrent layer, or a flat input."""
    for script in site.scripts:
        layers = [each for each in ast.walk(script.tree) if isinstance(each, ast.Call)]
        layers.sort(key=lambda each: (each.lineno, each.col_offset))
        whole = [each for each in layers if called(each) in _RECURRENT and _returns(each)]
        dense = [each for each in layers if called(each) == "Dense"]
        if not dense:
            continue
        for each in whole[-1:]:
            given = keyword(each, "return_sequences")
            edit = script.without_argument(each, given) if given is not None else None
            yield from script.patch("Give the next layer the last output only, not the whole sequence.", edit)
        yield from _flat(site, script, dense[-1])
        return


def _flat(site: Site, script: Script, dense: ast.Call) -> Iterator[Patch]:
    prefix = f"{script.text(dense.func.value)}." if isinstance(dense.func, ast.Attribute) else ""
    name, lines = f"{prefix}Flatten", []
    if not prefix and not any(full.endswith(".Flatten") for full in site.imports):
        lines = [script.imported("from tensorflow.keras.layers import Flatten")]
    parent = script.parent(dense)
    edit: Edit | None = None
    match parent:
        case ast.List():
            edit = script.replaced(dense, f"{name}(), {script.text(dense)}")
        case ast.Call(func=ast.Attribute(value=owner, attr="add")):
            edit = script.before(dense, f"{script.text(owner)}.add({name}())")
        case ast.Call(func=func, args=[value]) if func is dense:
            edit = script.replaced(value, f"{name}()({script.text(value)})")
    yield from script.patch("Flatten what the last layer gets.", edit, *lines)


def labels_in_range(site: Site) -> Iterator[Patch]:
    """Make the last layer, or the one-hot labels, for one class more.

    Sources: the messages "Received a label value of 10 which is outside the valid range of [0, 10)" and, of
    `to_categorical`, "index 10 is out of bounds for axis 1 with size 10"; Keras' reference of `to_categorical`.
    """
    found = site.found(r"label value of (\d+) which is outside the valid range of \[0, (\d+)\)")
    if found is not None and site.crash.type in _ERRORS:
        yield from _with_units(site, int(found[2]), int(found[1]) + 1)
    found = site.found(r"index (\d+) is out of bounds for axis 1 with size (\d+)")
    for call in site.calls if found is not None and site.crash.type == "IndexError" else ():
        assert found is not None
        node = argument(call, 1, "num_classes")
        if called(call) == "to_categorical" and node is not None and int(found[1]) == int(found[2]):
            edit = site.script.replaced(node, str(int(found[1]) + 1))
            yield from site.patch("Make one column more: labels count from 0, and one is as large.", edit)


def enough_indices(site: Site) -> Iterator[Patch]:
    """Make the embedding for one index more, since indices count from 0.

    Sources: the message "indices[0,3] = 1000 is not in [0, 1000)"; Keras' reference of `Embedding`: input_dim is the
    maximum index + 1.
    """
    found = site.found(r"indices\[[\d,]+\] = (\d+) is not in \[0, (\d+)\)")
    if found is None or found[1] != found[2] or site.crash.type not in _ERRORS:
        return
    for script, call in calls_of(site, {"Embedding"}):
        node = argument(call, 0, "input_dim")
        if node is not None and number_of(node, site) in (None, int(found[2])):
            text = str(int(found[2]) + 1) if isinstance(node, ast.Constant) else f"{script.text(node)} + 1"
            summary = "Make the embedding for one index more: they count from 0."
            yield from script.patch(summary, script.replaced(node, text))


# -- data ------------------------------------------------------------------------------------------------------------


def arrays_of_numbers(site: Site) -> Iterator[Patch]:
    """Give the network arrays of numbers.

    Sources: the messages "Failed to convert a NumPy array to a Tensor (Unsupported object type float)" and
    "Unrecognized data type: x=[...] (of type <class 'list'>)"; numpy's references of `array` and `ndarray.astype`.
    """
    pattern = r"Unsupported object type (?:bool|float|int)|Unrecognized data type|Invalid dtype: (?:object|bool)"
    if not site.says(*_ERRORS, pattern=pattern):
        return
    for call in site.calls:
        if called(call) not in _FITTING:
            continue
        nodes = [each for place, name in enumerate("xy") if (each := argument(call, place, name)) is not None]
        lists = [each for each in nodes if site.part(each).kind == "list"]
        numpy, imported = site.module("numpy", "np")
        if lists:
            edits = [site.script.wrapped(each, f"{numpy}.array(") for each in lists]
            yield from site.patch("Give the network arrays: it takes no lists.", *edits, *imported)
            continue
        mixed = [each for each in nodes if _is_mixed(site.part(each))]
        edits = [site.script.followed(each, '.astype("float32")') for each in mixed]
        if edits:
            yield from site.patch("Give the network numbers of one kind.", *edits)


def _is_mixed(part: Part) -> bool:
    kinds = {str(each) for each in (part.facts.get("dtypes") or {}).values()} | {part.dtype}
    return bool(kinds & {"object", "bool"})


# -- what has another name, or another place ------------------------------------------------------------------------


def compiled_first(site: Site) -> Iterator[Patch]:
    """Compile the model as another one of the cells is compiled.

    Source: the message "You must call `compile()` before using the model."; Keras' reference of `Model.compile`.
    """
    if not site.says("ValueError", "RuntimeError", pattern=r"call `?compile\(\)`?|must compile your model"):
        return
    for call in site.calls:
        if not isinstance(call.func, ast.Attribute):
            continue
        owner = site.script.text(call.func.value)
        for script, other in calls_of(site, {"compile"}):
            if not isinstance(other.func, ast.Attribute) or not other.keywords:
                continue
            given = ", ".join(script.text(each) for each in (*other.args, *other.keywords))
            if script.text(other.func.value) != "re" and "\n" not in given:
                edit = site.script.before(call, f"{owner}.compile({given})")
                yield from site.patch(f"Compile {owner} first, as {script.text(other.func.value)} is.", edit)
                return


def weights_of_classes(site: Site) -> Iterator[Patch]:
    """Give the weights of classes to ``fit``, which takes them.

    Source: Keras' references of `Model.compile`, which has no class_weight, and `Model.fit`, which has.
    """
    if not site.says("TypeError", pattern=r"compile\(\) got an unexpected keyword argument '(?:class|sample)_weight'"):
        return
    for call in site.calls:
        given = next((each for each in call.keywords if each.arg in ("class_weight", "sample_weight")), None)
        if given is None or not isinstance(call.func, ast.Attribute):
            continue
        owner = site.script.text(call.func.value)
        fits = [
            each
            for each in ast.walk(site.script.tree)
            if isinstance(each, ast.Call)
            and called(each) == "fit"
            and site.script.text(each.func) == f"{owner}.fit"
            and keyword(each, given.arg or "") is None
        ]
        edits = [site.script.with_argument(each, site.script.text(given)) for each in fits]
        summary = f"Give {given.arg} to {owner}.fit, which takes it; compile does not."
        yield from site.patch(summary, site.script.without_argument(call, given), *edits)


_ENDING = r"must end in `(\.weights\.h5|\.keras)`|add either a `(\.keras)` extension"


def ending_of_file(site: Site) -> Iterator[Patch]:
    """Give the file the ending that Keras asks for.

    Sources: the messages "The filename must end in `.weights.h5`" and "Please add either a `.keras` extension".
    """
    found = site.found(_ENDING)
    for call in site.calls if found is not None and site.crash.type == "ValueError" else ():
        assert found is not None
        ending = next(each for each in found.groups() if each)
        node = argument(call, 0, "filepath")
        if node is None:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            stem = re.sub(r"(?:\.weights)?\.(?:h5|hdf5|keras|tf|model)$", "", node.value)
            yield from site.patch(f"Give the file the ending {ending}.", site.script.quoted(node, stem + ending))
        elif literals(ast.walk(node)) or isinstance(node, ast.Name):
            edit = site.script.replaced(node, f'{site.script.term(node)} + "{ending}"')
            yield from site.patch(f"Give the file the ending {ending}.", edit)


_KEYWORDS = {"input": "inputs", "output": "outputs"}


def inputs_and_outputs(site: Site) -> Iterator[Patch]:
    """Name what a model is made of as Keras does.

    Source: Keras 2, release notes: ``Model(input=, output=)`` is ``Model(inputs=, outputs=)``.
    """
    if not site.says("ValueError", "TypeError", pattern=r"'(?:input|output)'"):
        return
    for call in site.calls:
        nodes = [each for each in call.keywords if each.arg in _KEYWORDS]
        if called(call) == "Model" and nodes:
            edits = [site.script.renamed_keyword(each, _KEYWORDS[each.arg or ""]) for each in nodes]
            yield from site.patch("Use inputs= and outputs=, as they are called.", *edits)


def batch_shape(site: Site) -> Iterator[Patch]:
    """Declare the shape of a batch with an input of its own.

    Sources: the message "Unrecognized keyword arguments passed to LSTM: {'batch_input_shape': ...}"; Keras 3's
    reference of `Input`, batch_shape.
    """
    if not site.says("ValueError", pattern=r"Unrecognized keyword arguments.*'batch_input_shape'"):
        return
    for call in (each for each in site.inner if isinstance(each, ast.Call)):
        given = keyword(call, "batch_input_shape")
        if given is None:
            continue
        script, shape = site.script, site.script.text(given.value)
        name, imported = site.imported("tensorflow.keras", "Input")
        if isinstance(call.func, ast.Attribute):
            name, imported = f"{script.text(call.func.value)}.Input", ()
        line: Edit | None = None
        parent = script.parent(call)
        span = script.span(call)
        match parent:
            case ast.Call(func=ast.Attribute(value=owner, attr="add")):
                line = script.before(call, f"{script.text(owner)}.add({name}(batch_shape={shape}))")
            case ast.List() if span is not None:
                line = Edit(span.start, span.start, f"{name}(batch_shape={shape}), ")
        summary = "Declare the shape of a batch with Input(batch_shape=)."
        yield from site.patch(summary, line, script.without_argument(call, given), *imported)


def optimizer_of_today(site: Site) -> Iterator[Patch]:
    """Use the optimizer itself: its legacy form is gone.

    Source: the message "`keras.optimizers.legacy` is not supported in Keras 3".
    """
    if not site.says("ImportError", "AttributeError", "ModuleNotFoundError", pattern=r"optimizers\.legacy"):
        return
    for node in site.inner:
        match node:
            case ast.Attribute(value=ast.Attribute(value=owner, attr="legacy"), attr=name):
                edit = site.script.replaced(node, f"{site.script.text(owner)}.{name}")
                yield from site.patch(f"Use optimizers.{name}: the legacy ones are gone.", edit)
                return
            case ast.ImportFrom(module=str(module)) if module.endswith("optimizers.legacy"):
                text = site.script.text(node).replace(".legacy", "", 1)
                yield from site.patch("Import it from optimizers.", site.script.replaced(node, text))


def several_in_list(site: Site) -> Iterator[Patch]:
    """Give a layer that joins others a list of them.

    Source: the message "A `Concatenate` layer should be called on a list of at least 1 input"; Keras' reference.
    """
    if not site.says("ValueError", "TypeError", pattern=r"layer should be called on a list of"):
        return
    for call in site.calls:
        if len(call.args) > 1:
            first, last = site.script.span(call.args[0]), site.script.span(call.args[-1])
            if first is not None and last is not None:
                text = site.script.source[first.start : last.end]
                yield from site.patch("Give it a list of what it joins.", Edit(first.start, last.end, f"[{text}]"))


_OPS = {
    **{
        name: name
        for name in "expand_dims squeeze reshape transpose stack concat abs exp square sqrt matmul tile".split()
    },
    **{"concat": "concatenate", "reduce_mean": "mean", "reduce_sum": "sum", "reduce_max": "max", "reduce_min": "min"},
    **{name: name for name in "cast shape split multiply add subtract maximum minimum zeros_like ones_like".split()},
}


def operation_of_keras(site: Site) -> Iterator[Patch]:
    """Use the operation of Keras, which a symbolic tensor can go through.

    Sources: the message "A KerasTensor cannot be used as input to a TensorFlow function"; Keras 3's reference of
    `keras.ops`.
    """
    if not site.says("ValueError", pattern=r"KerasTensor cannot be used as input to a TensorFlow function"):
        return
    for call in site.calls:
        if isinstance(call.func, ast.Attribute) and call.func.attr in _OPS:
            keras, imported = site.module("keras", "keras")
            edit = site.script.replaced(call.func, f"{keras}.ops.{_OPS[call.func.attr]}")
            yield from site.patch(f"Use {keras}.ops.{_OPS[call.func.attr]}, which takes it.", edit, *imported)


def whole_steps(site: Site) -> Iterator[Patch]:
    """Give the number of steps as a whole number.

    Source: the message "'float' object cannot be interpreted as an integer"; Keras' reference of `Model.fit`.
    """
    if not site.says("TypeError", pattern=r"'float' object cannot be interpreted as an integer"):
        return
    for call in site.calls:
        edits = []
        for node in call.keywords if called(call) in _FITTING else ():
            if node.arg not in ("steps_per_epoch", "validation_steps", "steps", "epochs", "batch_size"):
                continue
            match node.value:
                case ast.BinOp(left=left, op=ast.Div(), right=right):
                    text = f"{site.script.term(left)} // {site.script.term(right)}"
                    edits.append(site.script.replaced(node.value, text))
                case ast.Name() if "float" in site.part(node.value).type:
                    edits.append(site.script.wrapped(node.value, "int("))
        if edits:
            yield from site.patch("Give whole steps.", *edits)


_IDENTIFIERS: Sequence[str] = (
    *("categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy", "mean_squared_error"),
    *("mean_absolute_error", "mse", "mae", "accuracy", "adam", "sgd", "rmsprop", "adagrad", "adadelta", "nadam"),
    *("relu", "softmax", "sigmoid", "tanh", "linear", "elu", "selu", "softplus", "swish", "gelu", "hinge"),
    *("kullback_leibler_divergence", "cosine_similarity", "huber", "glorot_uniform", "he_normal"),
)


def identifier(site: Site) -> Iterator[Patch]:
    """Use the name that was meant of a loss, metric, optimizer or activation.

    Source: the message "Could not interpret loss identifier: categorical_cross_entropy"; Keras' reference.
    """
    found = site.found(r"(?:Could not interpret \w+(?: function)? identifier|Unknown \w+(?: function)?):\s*'?([\w ]+)")
    if found is None or site.crash.type not in ("ValueError", "TypeError"):
        return
    wrong = found[1].strip()
    close = difflib.get_close_matches(wrong.lower(), _IDENTIFIERS, n=1, cutoff=0.7)
    for script in site.scripts if close else ():
        for literal in literals(ast.walk(script.tree)):
            if literal.text == wrong:
                yield from script.patch(f"Use {close[0]}, as it is called.", script.quoted(literal.node, close[0]))
                return


def batch_of_sequences(site: Site) -> Iterator[Patch]:
    """Give a list of sequences, be it of one.

    Source: the message "`sequences` must be a list of iterables. Found non-iterable"; Keras' `pad_sequences`.
    """
    if not site.says("ValueError", pattern=r"`sequences` must be a list of iterables"):
        return
    for call in site.calls:
        for node in call.args[:1]:
            edit = site.script.wrapped(node, "[", "]")
            yield from site.patch("Give it a list of sequences, here of one.", edit)


STRATEGIES = (
    whole_sequences,
    dimensions,
    declared_shape,
    same_padding,
    loss_of_targets,
    labels_in_range,
    enough_indices,
    arrays_of_numbers,
    compiled_first,
    weights_of_classes,
    ending_of_file,
    inputs_and_outputs,
    batch_shape,
    optimizer_of_today,
    several_in_list,
    operation_of_keras,
    whole_steps,
    identifier,
    batch_of_sequences,
)
