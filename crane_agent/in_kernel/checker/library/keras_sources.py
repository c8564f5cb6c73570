"""Where batches come from: `ImageDataGenerator` and its iterators, and `tf.data.Dataset`.

Nothing is iterated: the shapes of the batches are what the iterator's attributes and the dataset's `element_spec` say.

Sources: `keras/src/legacy/preprocessing/image.py`; `tensorflow/python/data/ops/dataset_ops.py` and
`from_tensor_slices_op.py`.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

from ... import safe
from ...privacy import SCHEMA
from ...readers import blocks, keras_layers
from ..sites import AttributeSite, CallSite, Finding
from ..values import DTYPE, UNKNOWN, Known, Method, Value, of_element
from ..words import Part, Words, counted, named, words
from . import running
from .keras_making import finding
from .keras_specs import (
    ANY,
    Source,
    Tensor,
    Thing,
    bind,
    flat,
    image_data_format,
    is_keras_3,
    is_numeric,
    own_kind,
    spec_of,
    stand_in,
    tensors_of,
)

if TYPE_CHECKING:
    from ..state import State

_IMAGES = "keras.src.legacy.preprocessing.image"
_FLOWS = ("flow", "flow_from_directory", "flow_from_dataframe", "fit")
# Methods of a dataset that leave its elements as they are.
_SAME = ("shuffle", "prefetch", "cache", "repeat", "take", "skip")
Answer = Any


def source_of(value: Value | None, state: State) -> Source | None:
    """Return what is known of the batches that a value gives, or None."""
    spec = spec_of(value, state)
    if type(spec) is Source:
        return spec
    live: Any = state.live(value)
    if live is safe.ABSENT:
        return None
    if safe.inherits(type(live), safe.loaded("tensorflow.python.data.ops.dataset_ops", "DatasetV2")):
        return _of_dataset(live)
    kind = safe.class_name(type(live))
    if kind not in _ITERATORS or type(live) is not safe.loaded(_IMAGES, kind):
        return None
    own = keras_layers.own(live)
    count = own.get("n")
    elements = _ITERATORS[kind](own) if type(count) is int and count > 0 else None
    return None if elements is None else Source(type(live), elements)


def _of_dataset(dataset: Any) -> Source | None:
    if not safe.class_module(type(dataset)).startswith("tensorflow.python.data."):
        return None
    entry: Any = safe.in_type(type(dataset), "element_spec")
    if type(entry) is not property or not safe.comes_from(entry.fget, "tensorflow"):
        return None
    getter: Any = entry.fget
    answer = running.content(lambda: getter(dataset), "tensorflow")
    found = _structure(answer.object) if type(answer) is Known else None
    if found is None:
        return None
    return Source(type(dataset), found if type(found) is tuple else (found,))


def _structure(spec: Any, depth: int = 3) -> Any:
    """Return the tensors of an `element_spec`: a tuple of them, a dict or one; None if it holds anything else."""
    if depth and safe.one_of(type(spec), (tuple, dict)):
        parts = spec if type(spec) is tuple else spec.values()
        found = [_structure(each, depth - 1) for each in parts]
        if any(each is None or type(each) is tuple for each in found):
            return None
        return tuple(found) if type(spec) is tuple else dict(zip(spec, found))
    if not keras_layers.is_tensor_spec(spec):
        return None
    shape = keras_layers.spec_shape(spec)
    return Tensor(None if shape is None else tuple(shape), None, False)


# -- image generators -------------------------------------------------------------------------------------------------


def _batch(*shape: Any) -> Tensor:
    return Tensor((None, *shape), "float32", False)


def _of_arrays(own: dict[str, Any]) -> tuple[Any, ...] | None:
    x: Any = own.get("x")
    y: Any = own.get("y")
    if not safe.is_exactly(x, "numpy", "ndarray") or own.get("x_misc") != [] or own.get("sample_weight") is not None:
        return None
    if y is None:
        return (_batch(*x.shape[1:]),)
    return (_batch(*x.shape[1:]), _batch(*y.shape[1:])) if safe.is_exactly(y, "numpy", "ndarray") else None


def _of_files(own: dict[str, Any]) -> tuple[Any, ...] | None:
    image, classes = own.get("image_shape"), own.get("class_indices")
    if not safe.is_plain(image) or type(image) is not tuple:
        return None
    return _labelled(image, own.get("class_mode"), len(classes) if type(classes) is dict else ANY)


def _labelled(image: tuple[Any, ...], mode: Any, classes: Any) -> tuple[Any, ...] | None:
    """Return the batches of images whose labels come in this mode. Source: `BatchFromFilesMixin`."""
    if mode is None:
        return (_batch(*image),)
    labels = {"categorical": _batch(classes), "binary": _batch(), "sparse": _batch(), "input": _batch(*image)}
    return (_batch(*image), labels.get(mode, Tensor(None)) if type(mode) is str else Tensor(None))


_ITERATORS = {"NumpyArrayIterator": _of_arrays, "DirectoryIterator": _of_files, "DataFrameIterator": _of_files}


def _is_generator(value: Value, state: State) -> Any:
    """Return Keras' own class of an `ImageDataGenerator`, or None."""
    spec = spec_of(value, state)
    cls: Any = safe.loaded(_IMAGES, "ImageDataGenerator")
    if type(spec) is Thing:
        return spec.cls if spec.cls is cls else None
    live = state.live(value)
    return cls if live is not safe.ABSENT and cls is not None and type(live) is cls and own_kind(cls) else None


def attribute(site: AttributeSite, state: State) -> Value | None:
    """Read a method of an image generator or of a dataset."""
    if not is_keras_3():
        return None
    cls = _is_generator(site.owner, state)
    if cls is not None and site.name in _FLOWS and safe.comes_from(safe.in_type(cls, site.name), "keras"):
        return Method(site.owner, site.name)
    if site.name not in (*_SAME, "batch"):
        return None
    source = source_of(site.owner, state)
    if source is None or not safe.comes_from(safe.in_type(source.cls, site.name), "tensorflow"):
        return None
    return Method(site.owner, site.name)


def call(site: CallSite, state: State) -> Answer:
    """Follow the making of an image generator, of its iterators and of datasets."""
    if not is_keras_3() or not site.complete:
        return None
    if type(site.callee) is Method:
        cls = _is_generator(site.callee.owner, state)
        if cls is not None:
            return _flow(site, cls, site.callee.name, state)
        source = source_of(site.callee.owner, state)
        return None if source is None else _next(site, source, site.callee.name, state)
    callee: Any = state.live(site.callee)
    if callee is not safe.ABSENT and callee is safe.loaded(_IMAGES, "ImageDataGenerator"):
        return _make_generator(site, callee, state)
    if type(callee) is types.FunctionType and callee.__name__ == "from_tensor_slices":
        return _slices(site, callee, state) if safe.comes_from(callee, "tensorflow.python.data") else None
    return None


def _make_generator(site: CallSite, cls: Any, state: State) -> Answer:
    bound = bind(safe.in_type(cls, "__init__"), site)  # type: ignore[arg-type]
    given = {name: state.plain(bound.given[name]) for name in bound.named if name != "preprocessing_function"}
    if not own_kind(cls) or bound.error is not None or bound.extra:
        return None
    if safe.ABSENT in given.values():
        state.may_raise(site.node, "an argument may be refused")
    else:
        level = state.level(*(bound.given[name] for name in bound.named))
        answer = running.content(lambda: cls(**given), "keras", level, "invalid argument")
        if not isinstance(answer, Known):
            return answer
    return stand_in(Thing("ImageDataGenerator", {}, cls))


def _flow(site: CallSite, cls: Any, name: str, state: State) -> Answer:
    function: Any = safe.in_type(cls, name)
    bound = bind(function, site)
    if bound.error is not None or not is_sure_of(cls, "__init__"):
        return None
    given = bound.given
    if name == "fit":
        if state.live(given.get("seed")) is not None or state.live(given.get("augment")) is not False:
            return None
        wrong = _rank(given.get("x"), function, "Input to `.fit()` should have rank 4. Got array with shape: ", state)
        state.may_raise(site.node, "fit may raise")
        return wrong or Known(None)
    if name == "flow":
        return _flow_arrays(site, given, state)
    if name == "flow_from_dataframe":
        wrong = _columns(given, site, state)
        if wrong is not None:
            return wrong
    state.may_raise(site.node, "there may be no such files")
    return _flow_files(given, name, state)


def is_sure_of(cls: Any, name: str) -> bool:
    """Whether a method of a class is Keras' own."""
    return safe.comes_from(safe.in_type(cls, name), "keras")


def _rank(value: Value | None, function: Any, says: str, state: State) -> Finding | None:
    """An array of images without four axes. Source: NumpyArrayIterator and `ImageDataGenerator.fit`."""
    found: Any = state.form(value, "shape")
    if not safe.is_exactly(found, "numpy", "ndarray") or not is_numeric(tensors_of(value, state)) or found.ndim == 4:
        return None
    if not any(each == says for each in function.__code__.co_consts if type(each) is str):
        return None
    return finding(
        "images-rank",
        words("{}{}", named(says), counted(found.shape)),
        words("images come as (samples, rows, columns, channels), and the array has {} axes", counted(found.ndim)),
        crash_type="tensor shape mismatch",
    )


def _flow_arrays(site: CallSite, given: dict[str, Value], state: State) -> Answer:
    function: Any = safe.in_type(safe.loaded(_IMAGES, "NumpyArrayIterator"), "__init__")
    x, y = tensors_of(given.get("x"), state), tensors_of(given.get("y"), state)
    has_labels = state.live(given.get("y")) is not None
    plain = type(x) is Tensor and (type(y) is Tensor or not has_labels) and safe.comes_from(function, "keras")
    if not plain or state.live(given.get("sample_weight")) is not None or state.live(given.get("subset")) is not None:
        state.may_raise(site.node, "flow may raise")
        return UNKNOWN
    says = "`x` (images tensor) and `y` (labels) should have the same length. Found: x.shape = "
    if has_labels and x.shape and y.shape and x.shape[0] != y.shape[0] and says in function.__code__.co_consts:
        return finding(
            "images-length",
            words("{}{}, y.shape = {}", named(says), counted(x.shape), counted(y.shape)),
            words("there are {} images and {} labels", counted(x.shape[0]), counted(y.shape[0])),
            crash_type="tensor shape mismatch",
        )
    says = "Input data in `NumpyArrayIterator` should have rank 4. You passed an array with shape "
    wrong = _rank(given.get("x"), function, says, state)
    if wrong is not None:
        return wrong
    state.may_raise(site.node, "flow may raise")
    if not x.shape or not x.shape[0]:
        return UNKNOWN
    labels = (_batch(*y.shape[1:]),) if has_labels else ()
    return stand_in(Source(safe.loaded(_IMAGES, "NumpyArrayIterator"), (_batch(*x.shape[1:]), *labels)))


def _flow_files(given: dict[str, Value], name: str, state: State) -> Value:
    size, color = state.plain(given.get("target_size")), state.plain(given.get("color_mode"))
    channels = {"rgb": 3, "rgba": 4, "grayscale": 1}.get(color) if type(color) is str else None
    mode, classes = state.plain(given.get("class_mode")), state.plain(given.get("classes"))
    usual = type(size) in (tuple, list) and all(type(each) is int for each in size) and channels is not None
    if not usual or mode is safe.ABSENT or image_data_format() != "channels_last":
        return UNKNOWN
    count = len(classes) if type(classes) in (list, tuple) and classes else ANY
    elements = _labelled((*size, channels), mode, count)
    kind = "DirectoryIterator" if name == "flow_from_directory" else "DataFrameIterator"
    return UNKNOWN if elements is None else stand_in(Source(safe.loaded(_IMAGES, kind), elements))


_MODES = ("binary", "categorical", "input", "multi_output", "raw", "sparse", None)
_NO_TEXT = {
    "binary": 'If class_mode="{}", y_col="{}" column values must be strings.',
    "sparse": 'If class_mode="{}", y_col="{}" column values must be strings.',
    "categorical": 'If class_mode="{}", y_col="{}" column values must be type string, list or tuple.',
}


def _columns(given: dict[str, Value], site: CallSite, state: State) -> Finding | None:
    """A column that is not there, or labels that are no texts. Source: `DataFrameIterator._check_params`."""
    table = given.get("dataframe")
    columns = state.columns(table)
    names = [state.plain(given.get(each)) for each in ("x_col", "y_col")]
    mode, color = state.plain(given.get("class_mode")), state.plain(given.get("color_mode"))
    size, subset = state.plain(given.get("target_size")), state.live(given.get("subset"))
    check: Any = safe.in_type(safe.loaded(_IMAGES, "DataFrameIterator"), "_check_params")
    if columns is None or mode is safe.ABSENT or mode not in _MODES or not safe.comes_from(check, "keras"):
        return None
    if color not in ("rgb", "rgba", "grayscale") or type(size) not in (tuple, list) or subset is not None:
        state.may_raise(site.node, "an argument may be refused")
    if mode == "multi_output":
        return None
    for place, name in zip(("x_col", "y_col"), names):
        if type(name) is not str or (place == "y_col" and mode not in _NO_TEXT):
            return None
        if name not in columns:
            if place == "y_col":
                state.may_raise(site.node, "a file name may be no text")
            level = state.level(given.get(place))
            return Finding(
                rule="keras.missing-column",
                type="KeyError",
                message=words("{!r}", Part(name, level)),
                because=words("the frame has no column {}", Part(name, level)),
                crash_type="key error",
                library="pandas",
            )
    frame: Any = state.form(table, DTYPE)
    if frame is safe.ABSENT or not blocks.is_frame(frame) or mode not in _NO_TEXT:
        return None
    kinds = blocks.dtypes(frame, len(columns))
    kind = kinds[columns.index(names[1])]
    if not kind.startswith(("int", "uint", "float", "bool")) or len(blocks.axes(frame)[1]) == 0:
        return None
    state.may_raise(site.node, "a file name may be no text")
    message: Words = words(_NO_TEXT[mode], named(mode), Part(names[1], SCHEMA))
    return finding(
        "labels-no-text",
        message,
        words("the column {} is {}", Part(names[1], SCHEMA), counted(kind)),
        kind="TypeError",
        crash_type="data value violation",
    )


# -- datasets ---------------------------------------------------------------------------------------------------------


def _slices(site: CallSite, function: Any, state: State) -> Answer:
    """Follow ``tf.data.Dataset.from_tensor_slices((x, y))``: the first axes must be as long."""
    bound = bind(function, site, skip=0)
    value = bound.given.get("tensors")
    live: Any = state.live(value)
    if bound.error is not None or value is None:
        return None
    parts = [of_element(each) for each in live] if type(live) is tuple else [value]
    found = [tensors_of(each, state) for each in parts]
    state.may_raise(site.node, "from_tensor_slices may raise")
    if not all(type(each) is Tensor and each.shape and type(each.shape[0]) is int for each in found):
        return UNKNOWN
    lengths = [each.shape[0] for each in found]
    other = next((each for each in lengths if each != lengths[0]), None)
    if other is not None:
        return finding(
            "slices",
            words("Dimensions {} and {} are not compatible", counted(lengths[0]), counted(other)),
            words("the tensors have {} rows", counted(", ".join(map(str, lengths)))),
            crash_type="tensor shape mismatch",
        )._replace(library="tensorflow")
    elements = tuple(Tensor(each.shape[1:], each.dtype, False) for each in found)
    cls: Any = safe.loaded("tensorflow.python.data.ops.dataset_ops", "DatasetV2")
    return UNKNOWN if cls is None else stand_in(Source(cls, elements))


def _next(site: CallSite, source: Source, name: str, state: State) -> Answer:
    function: Any = safe.in_type(source.cls, name)
    bound = bind(function, site)
    if bound.error is not None:
        return None
    state.may_raise(site.node, "{} may raise".format(name))
    if name in _SAME:
        return stand_in(source)
    whole, size = state.plain(bound.given.get("drop_remainder")), state.plain(bound.given.get("batch_size"))
    if type(whole) is not bool:
        return UNKNOWN
    count = size if whole and type(size) is int else ANY if whole else None
    return stand_in(source._replace(elements=tuple(_batches(each, count) for each in source.elements)))


def _batches(structure: Any, count: Any) -> Any:
    if type(structure) is dict:
        return {key: _batches(each, count) for key, each in structure.items()}
    return structure._replace(shape=None if structure.shape is None else (count, *structure.shape))


def unpacked(given: dict[str, Value], state: State) -> dict[str, Value]:
    """Return the arguments of `fit`, `evaluate` or `predict` with the batches that ``x`` gives as ``x`` and ``y``.

    They come with the argument ``batches``; arrays are left as they are.
    """
    source = source_of(given.get("x"), state)
    if source is None or len(source.elements) > 2 or not flat(list(source.elements)):
        return given
    if "y" in given and state.live(given["y"]) is not None:
        return given
    if any(type(each) is not Tensor for each in source.elements):
        return given
    found = dict(given, x=stand_in(source.elements[0]), batches=Known(True))
    if len(source.elements) == 2:
        found["y"] = stand_in(source.elements[1])
    return found
