"""numpy: its functions, and the methods of arrays, by what their result depends on.

A function that computes is in one of three tables:

- `CARRIES`: lengths of the result are lengths of the operands, or of a shape that is given: asked with `Shortened`
  operands, whatever their size;
- `COUNTS`: lengths are added or multiplied, or compared with numbers: asked with operands of the real lengths, if they
  are few; of a few functions `_LARGE` tells the shape of a large result;
- `SEEKS`: how long the result is depends on what the operands hold.

All of them are asked with the real operands if these are known and small. None changes its operands.

To add a function, put its name into the table that fits; a method goes into `METHODS`, too.

Sources: the numpy reference, "Routines and objects by topic", of each function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from ... import safe
from ...privacy import SCHEMA
from ...readers import combining, tensors
from ..sites import CallSite, Finding
from ..values import UNKNOWN, Defined, Foreign, Known, Like, Made, Method, Value, of_element
from . import array_forms as forms
from . import running

if TYPE_CHECKING:
    from ..state import State

LIBRARY = "numpy"

MAX_PRODUCT = 1000
"""Elements of the operands, and of the result, of a product that is computed."""

MAX_BYTES = 2**31
"""A result that takes more may not fit into memory [bytes]."""

CARRIES = frozenset(
    (
        "sum prod mean std var min max amin amax argmin argmax ptp median any all cumsum cumprod nansum "
        "nanprod nanmean nanstd nanvar nanmin nanmax nanmedian nanargmin nanargmax nancumsum nancumprod "
        "count_nonzero average percentile quantile nanpercentile nanquantile sort argsort transpose swapaxes "
        "moveaxis rollaxis expand_dims squeeze flip fliplr flipud rot90 roll atleast_1d atleast_2d atleast_3d "
        "copy clip round around round_ fix real imag angle nan_to_num where isclose allclose array_equal "
        "array_equiv dot matmul inner outer tensordot einsum cross vdot zeros_like ones_like empty_like "
        "full_like broadcast_arrays ascontiguousarray asfortranarray asarray asanyarray array interp isreal "
        "iscomplex isrealobj iscomplexobj corrcoef cov gradient isin in1d searchsorted digitize tril triu "
        "meshgrid i0 sinc unwrap real_if_close isposinf isneginf cumulative_sum permute_dims matrix_transpose "
        "astype nanvar trapz trapezoid broadcast_to"
    ).split()
)
"""Functions of the namespace besides the ufuncs."""

LINEAR_ALGEBRA = frozenset(
    (
        "norm inv pinv det slogdet solve eigvals eigvalsh eig eigh svd qr cholesky matrix_power matrix_rank "
        "cond lstsq tensorsolve vector_norm matrix_norm"
    ).split()
)
_SETTLED_ALGEBRA = frozenset(["norm", "det", "slogdet", "vector_norm"])
FOURIER = frozenset(["fft", "ifft", "fft2", "ifft2", "fftn", "ifftn", "fftshift", "ifftshift"])

COUNTS = frozenset(
    (
        "reshape ravel resize concatenate concat vstack row_stack hstack dstack column_stack stack append "
        "insert delete split array_split hsplit vsplit dsplit tile repeat pad diff ediff1d convolve correlate "
        "diag diagonal diagflat trace take take_along_axis kron vander ix_ histogram bincount histogram2d "
        "polyfit polyval poly1d roots ndim shape size unravel_index ravel_multi_index tri block indices "
        "array_str array_repr array2string rfft irfft rfftfreq fftfreq hanning hamming blackman lexsort "
        "partition argpartition select choose piecewise_ multi_dot result_type can_cast promote_types "
        "min_scalar_type finfo iinfo dtype isscalar issubdtype broadcast_shapes iterable base_repr "
        "binary_repr unwrap_ geomspace logspace linspace arange zeros ones empty full eye identity "
        "tril_indices triu_indices diag_indices nanquantile_ datetime64 timedelta64 unstack"
    ).split()
)

SEEKS = frozenset(
    (
        "unique nonzero flatnonzero argwhere extract compress setdiff1d union1d intersect1d setxor1d "
        "trim_zeros unique_values unique_counts"
    ).split()
)

# What they raise may come from what an operand holds, which is not known.
_MAY_RAISE = frozenset(
    (
        "average nanargmin nanargmax digitize histogram histogram2d bincount polyfit percentile quantile "
        "nanpercentile nanquantile roots unravel_index ravel_multi_index choose take take_along_axis insert "
        "delete repeat pad polyval poly1d power float_power left_shift right_shift asarray_chkfinite"
    ).split()
)
# Their operands' elements are lengths or places: nothing is known if these are not.
_NEEDS_CONTENT = frozenset(
    ("take take_along_axis choose unravel_index ravel_multi_index insert delete bincount select lexsort ix_").split()
)

# Methods of arrays that compute, by the function that does the same.
METHODS = {
    name: name
    for name in (
        (
            "sum prod mean std var min max argmin argmax ptp any all cumsum cumprod argsort transpose swapaxes "
            "squeeze copy clip round dot reshape ravel flatten repeat diagonal trace take nonzero searchsorted "
            "compress choose astype conj conjugate tolist item tobytes view"
        ).split()
    )
}
_METHODS_CARRYING = frozenset(
    (
        "sum prod mean std var min max argmin argmax ptp any all cumsum cumprod argsort transpose swapaxes "
        "squeeze copy clip round dot searchsorted astype conj conjugate"
    ).split()
)
_METHODS_SEEKING = frozenset(["nonzero", "compress"])
_METHODS_IN_PLACE = frozenset(["sort", "fill", "partition", "byteswap"])
_VIEWS = frozenset(
    "transpose swapaxes moveaxis rollaxis expand_dims squeeze flip fliplr flipud rot90 atleast_1d atleast_2d "
    "atleast_3d real imag broadcast_to asarray asanyarray ascontiguousarray split array_split hsplit vsplit "
    "dsplit diagonal reshape ravel matrix_transpose permute_dims".split()
)
"""Functions whose result may share the memory of the first operand."""
_PRODUCTS = frozenset(("dot matmul inner outer tensordot einsum kron vdot cross multi_dot convolve correlate").split())

_MODULES = {
    "numpy.linalg": LINEAR_ALGEBRA,
    "numpy.fft": FOURIER | frozenset(["rfft", "irfft", "fftfreq", "rfftfreq"]),
}


# Their operands behind the first hold elements, too, and need not be known; those of others say which axis, or how
# many.
_SEVERAL = frozenset(
    "where clip isclose allclose array_equal array_equiv dot matmul inner outer tensordot einsum cross vdot interp "
    "isin in1d searchsorted digitize append kron setdiff1d union1d intersect1d setxor1d convolve correlate polyfit "
    "polyval corrcoef cov meshgrid broadcast_arrays solve lstsq full_like add iadd pow negative".split()
)
# Their first operand says how many.
_LENGTHS_FIRST = frozenset(
    "zeros ones empty full eye identity tri arange linspace logspace geomspace indices fftfreq rfftfreq hanning "
    "hamming blackman tril_indices triu_indices diag_indices base_repr binary_repr einsum".split()
)

# They import `numpy.ma` where it is not loaded.
_MASKING = frozenset(
    ("median nanmedian unique intersect1d union1d setdiff1d setxor1d isin in1d unique_values unique_counts").split()
)


class Question:
    """A call of a function of numpy's.

    Attributes:
        name: The function's name.
        compute: Calls it with operands and keywords.
        operands: The positional operands.
        keywords: The others.
        values: The operands as the walk knows them.
    """

    def __init__(
        self,
        name: str,
        compute: Callable[..., Any],
        operands: list[forms.Operand],
        keywords: dict[str, forms.Operand],
        values: list[Value],
    ) -> None:
        self.name = name
        self.compute = compute
        self.operands = operands
        self.keywords = keywords
        self.values = values
        self.all = [*operands, *keywords.values()]
        self.known = all(each.known for each in self.all)
        self.size = sum(forms.size_of(each.object) for each in self.all)

    def run(self, change: Callable[[Any], Any] = lambda each: each) -> Any:
        """Call it, with the operands changed by a function."""
        return self.compute(
            *[change(each.object) for each in self.operands],
            **{name: change(each.object) for name, each in self.keywords.items()},
        )


def name_of(callee: object) -> tuple[str, str]:
    """Return a function of numpy's as module and name; two empty texts if it is none that is told of here."""
    name = getattr(callee, "__name__", "") if _is_plain_function(callee) else ""
    if type(name) is not str:
        return "", ""
    if name in CARRIES or name in COUNTS or name in SEEKS or type(callee) is safe.loaded("numpy", "ufunc"):
        for module in ("numpy", "scipy.special"):
            if forms.is_own(callee, name, module):
                return module, name
        for alias in (
            "amin",
            "amax",
            "absolute",
            "round_",
            "abs",
            "max",
            "min",
            "row_stack",
            "concat",
            "in1d",
            "trapz",
        ):
            if forms.is_own(callee, alias):
                return "numpy", alias
    for module, names in _MODULES.items():
        if name in names and forms.is_own(callee, name, module):
            return module, name
    return "", ""


def _is_plain_function(callee: object) -> bool:
    """Whether reading the name of `callee` runs no code of the user's."""
    cls = type(callee)
    if safe.one_of(cls, (safe.BuiltinFunctionType,)) or safe.comes_from(callee, "numpy"):
        return True
    in_c = not safe.class_flags(cls) & (1 << 9)
    return cls is safe.loaded("numpy", "ufunc") or (safe.class_module(cls) == "numpy" and in_c)


def call(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a call of one of numpy's functions."""
    callee: Any = state.live(site.callee)
    if callee is safe.ABSENT:
        return None
    module, name = name_of(callee)
    if not name:
        return _copied(callee, site, state) or _settings(callee, site, state) or _constructor(callee, site, state)
    if {"out", "where"} & set(site.keywords) and not _is_none(site.keywords.get("out"), state):
        return None
    if not site.complete:
        return _open(site, state, name) if _runs_nothing(site, state) else None
    return ask(name, callee, [*site.arguments], site.keywords, site, state, module)


def _is_none(value: Value | None, state: State) -> bool:
    return value is None or state.live(value) is None


def _copied(callee: Any, site: CallSite, state: State) -> Value | None:
    """``copy.copy(array)``, ``copy.deepcopy(array)``."""
    if not any(callee is safe.loaded("copy", name) and callee is not None for name in ("copy", "deepcopy")):
        return None
    array: Any = (
        state.form(site.arguments[0], "shape", "dtype") if len(site.arguments) == 1 and not site.keywords else None
    )
    if not forms.is_array(array) or not safe.comes_from(callee, "copy"):
        return None
    given: Any = state.live(site.arguments[0])
    known = given is array and array.size <= forms.MAX_CONTENT
    if known:
        return Known(array.copy(), level=state.level(site.arguments[0]))
    return forms.like(forms.shape_of(array), array.dtype)


_PRINT_OPTIONS = frozenset("precision suppress linewidth threshold edgeitems".split())


def _settings(callee: Any, site: CallSite, state: State) -> Value | None:
    """Settings that decide nothing but how numbers are printed, and whether numpy warns of float errors."""
    if not site.complete:
        return None
    if forms.is_own(callee, "set_printoptions") and not site.arguments and set(site.keywords) <= _PRINT_OPTIONS:
        fits = (int, bool, type(None))
        if not all(safe.one_of(type(state.live(each)), fits) for each in site.keywords.values()):
            state.may_raise(site.node, "an option may not be one")
        return Known(None)
    if forms.is_own(callee, "seterr") and not site.arguments:
        actions = [state.live(each) for each in site.keywords.values()]
        if all(type(each) is str and each in ("ignore", "warn") for each in actions):
            if not set(site.keywords) <= {"all", "divide", "over", "under", "invalid"}:
                state.may_raise(site.node, "an option may not be one")
            return Foreign("numpy")
    return None


def _constructor(callee: Any, site: CallSite, state: State) -> Value | Finding | None:
    """Follow ``np.float64(x)``, ``np.dtype(x)`` and their like."""
    cls = type(callee)
    if cls is not type and not safe.inherits(cls, type):
        return None
    scalar = safe.class_module(callee) == "numpy" and safe.inherits(callee, safe.loaded("numpy", "generic"))
    if not (scalar and safe.is_from(callee, "numpy")) and callee is not safe.loaded("numpy", "dtype"):
        return None
    if site.keywords or not site.complete or len(site.arguments) > 2:
        return None
    return ask("array", callee, [*site.arguments], {}, site, state, "numpy")


def ask(
    name: str,
    compute: Callable[..., Any],
    values: list[Value],
    named: dict[str, Value],
    site: Any,
    state: State,
    module: str = "numpy",
    prefix: str = "",
) -> Value | Finding | None:
    """Ask numpy what a call gives.

    Args:
        name: The function's name, for the tables.
        compute: The function.
        values: Positional arguments.
        named: Keyword arguments.
        site: Where the call stands.
        state: The walk's state.
        module: Where the function is from.
        prefix: ``method`` for a method of an array, the first of the values.
    """
    if name in _VIEWS:
        seen = _view(name, compute, values, named, state)
        if seen is not None:
            return seen
    if name in _MASKING and safe.loaded("numpy.ma") is None:
        return _partly(name, values, named, site, state)
    operands = [forms.operand(each, state) for each in values]
    keywords = {key: forms.operand(each, state) for key, each in named.items()}
    if any(each is None for each in [*operands, *keywords.values()]):
        return _partly(name, values, named, site, state)
    question = Question(
        name,
        compute,
        [each for each in operands if each is not None],
        {key: each for key, each in keywords.items() if each is not None},
        values,
    )
    found = _answer(question, module, prefix, site, state)
    if found is None:
        return _open(site, state, name)
    if type(found) is Known and values:
        for value in values:
            if type(value) is Known and value.object is found.object and tensors.is_ndarray(found.object):
                return value
    return found


def _view(
    name: str, compute: Callable[..., Any], values: list[Value], named: dict[str, Value], state: State
) -> Value | Finding | None:
    """Make a view of a real array, whatever its size: it shares its memory, so that the walk sees what changes both."""
    array: Any = state.form(values[0]) if values else safe.ABSENT
    if type(values[0] if values else None) is not Known or array is not values[0].object:  # type: ignore[attr-defined]
        return None
    if not tensors.is_ndarray(array) or array.dtype.kind not in forms.KINDS + "O":
        return None
    rest = [forms.real(each, state, 1000) for each in values[1:]]
    others = {key: forms.real(each, state, 1000) for key, each in named.items()}
    if any(each is safe.ABSENT for each in [*rest, *others.values()]):
        return None
    if name in ("asarray", "asanyarray", "ascontiguousarray") and (rest or others or not array.flags.c_contiguous):
        return None
    if name in ("reshape", "ravel") and (not array.flags.c_contiguous or set(others) - {"shape", "newshape"}):
        return None
    if name in ("split", "array_split", "hsplit", "vsplit", "dsplit") and not _few_parts(rest):
        return None

    def result(found: Any) -> Value:
        return values[0] if found is array else Known(found, level=state.level(values[0]))

    return running.content(lambda: compute(array, *rest, **others), LIBRARY, SCHEMA, "tensor shape mismatch", result)


def _few_parts(rest: list[Any]) -> bool:
    if not rest:
        return False
    count = rest[0] if type(rest[0]) is int else forms.size_of(rest[0])
    return -1000 < count < 1000


def _answer(question: Question, module: str, prefix: str, site: Any, state: State) -> Value | Finding | None:
    name = question.name
    if question.known and _is_cheap(question, prefix):
        found = running.content(
            question.run,
            LIBRARY,
            state.level(*question.values),
            _crash_type(name),
            lambda each: _result(each, state, question),
        )
        if found is not None:
            return found
    if not prefix and name in _LARGE and not _asks_for_unknown(question):
        found = _LARGE[name](question, site, state)
        if found is not None:
            return found
    carries = (
        name in _METHODS_CARRYING
        if prefix
        else name in CARRIES or module != "numpy" or type(question.compute) is safe.loaded("numpy", "ufunc")
    )
    seeks = name in (_METHODS_SEEKING if prefix else SEEKS)
    if not carries and not seeks and not (name in COUNTS or prefix):
        return None
    if (name in _NEEDS_CONTENT and not question.known) or _asks_for_unknown(question):
        return None
    return _by_structure(question, module, carries, seeks, site, state)


def _asks_for_unknown(question: Question) -> bool:
    """Whether an operand that is not known says which axis, how many, or of what shape."""
    if type(question.compute) is safe.loaded("numpy", "ufunc") or question.name in _SEVERAL - {"einsum"}:
        lengths = [value for key, value in question.keywords.items() if key in ("axis", "axes", "keepdims", "mode")]
        return any(not each.known for each in lengths)
    if question.name == "einsum":
        return not all(each.known for each in question.operands[:1])
    data = 0 if question.name in _LENGTHS_FIRST else 1
    later = [*question.operands[data:], *[each for key, each in question.keywords.items() if key != "a" or not data]]
    return any(not each.known for each in later)


def _by_structure(
    question: Question, module: str, carries: bool, seeks: bool, site: Any, state: State
) -> Value | Finding | None:
    """Ask with stand-ins."""
    if any(_holds_objects(each.object) for each in question.all):
        return None
    short = forms.Shortened([each.object for each in question.all])
    diagonal = module == "numpy.linalg"
    if carries or seeks:
        stand_ins = [short.of(each.object, diagonal) for each in question.all]
        if any(each is None and other.object is not None for each, other in zip(stand_ins, question.all)):
            return None

        def compute() -> Any:
            return question.run(lambda each: short.of(each, diagonal))

        back = short.back
    else:
        if not _is_cheap(question, "", forms.MAX_CONTENT * 5):
            return None

        def compute() -> Any:
            return question.run(_materialized)

        back = None
    try:
        with running.quiet():
            found = compute()
    except (MemoryError, RecursionError):
        return None
    except Exception as error:  # noqa: BLE001 - numpy is the oracle
        if not _is_structural(error, question):
            return None
        if carries or seeks:
            error = _with_lengths(question, error)  # type: ignore[assignment]
            if error is None:
                return None
        return running.crash(
            error,
            LIBRARY,
            SCHEMA,
            _crash_type(question.name, error),
            "{} itself says so for these shapes and types",
        )
    if question.name in _MAY_RAISE or (diagonal and question.name not in _SETTLED_ALGEBRA):
        state.may_raise(site.node, "what the array holds may not do")
    elif forms.sees_errors(state):
        state.may_raise(site.node, "numpy may raise where it would warn")
    if _is_by_value(question, found):
        return Foreign("numpy")
    if safe.inherits(type(found), tuple) and type(found) is not tuple:
        return UNKNOWN
    answer = forms.value_of(found, back, seeks)
    made: Any = answer.object if type(answer) is Like else None
    if tensors.is_ndarray(made) and made.nbytes > MAX_BYTES:
        state.may_raise(site.node, "it may not fit into memory")
    return answer


def _holds_objects(value: Any) -> bool:
    """Whether it is an array of objects, or has one among its elements: what is done with these depends on them."""
    if safe.one_of(type(value), (list, tuple)):
        return any(_holds_objects(each) for each in value)
    return tensors.is_ndarray(value) and bool(value.dtype.hasobject)


def _materialized(value: Any) -> Any:
    if safe.one_of(type(value), (list, tuple)):
        return type(value)([_materialized(each) for each in value])
    if tensors.is_ndarray(value):
        found = forms.filled(forms.shape_of(value), value.dtype)
        if found is None:
            raise MemoryError
        return found
    return value


def _is_by_value(question: Question, found: Any) -> bool:
    """Whether the dtype of the result may depend on a number that is not known.

    Source: NEP 50: before numpy 2 that of a scalar or an array without axes counts only as far as its value needs it.
    """
    unknown = [each.object for each in question.all if not each.known]
    scalars = [each for each in unknown if not forms.shape_of(each)]
    if not scalars or not forms.is_before_nep50():
        return False
    widest = forms.is_numpy(found) and str(found.dtype) in ("float64", "int64", "bool", "complex128")
    return not widest


def _is_structural(error: Exception, question: Question) -> bool:
    """Whether an exception comes from shapes and dtypes, or from operands that are known."""
    text = str(error)
    if any(word in text for word in ("ingular", "converge", "positive definite", "infs or NaNs", "must sum")):
        return False
    if question.name in _MAY_RAISE and not any(
        word in text for word in ("broadcast", "axis", "dimension", "shape", "ufunc", "length", "range [0, 100]")
    ):
        return False
    return not safe.one_of(type(error), (FloatingPointError, OverflowError, ZeroDivisionError, KeyError))


def _with_lengths(question: Question, error: Exception) -> Exception | None:
    """Return the exception with the words for the real lengths: numpy raises before it computes."""
    try:
        with running.quiet():
            question.run(forms.spread)
    except (MemoryError, RecursionError):
        return None
    except Exception as real:  # noqa: BLE001 - numpy is the oracle
        return real if type(real) is type(error) else None
    return None


def _is_cheap(question: Question, prefix: str, limit: int = forms.MAX_CONTENT) -> bool:
    """Whether a call, and what it returns, is small."""
    name = question.name
    size = question.size
    if size > limit:
        return False
    if name in _PRODUCTS or type(question.compute) is safe.loaded("numpy", "ufunc") or name in ("meshgrid", "ix_"):
        return size <= MAX_PRODUCT
    if name in LINEAR_ALGEBRA or name in (
        "cov",
        "corrcoef",
        "polyfit",
        "where",
        "broadcast_arrays",
        "isclose",
        "tensordot",
    ):
        return size <= MAX_PRODUCT
    if name in _CONSTRUCTORS:
        return _constructed(question) <= limit
    if name in CARRIES and name not in ("full_like", "broadcast_to"):
        return True
    if prefix and name in _METHODS_CARRYING:
        return True
    return size * _numbers(question) <= limit


_CONSTRUCTORS = frozenset(["arange", "linspace", "logspace", "geomspace"])


def _constructed(question: Question) -> int:
    """Return about how many elements `arange` or `linspace` makes."""
    numbers = [each.object for each in question.all if safe.one_of(type(each.object), (int, float))]
    if question.name != "arange":
        count = question.keywords["num"].object if "num" in question.keywords else None
        if count is None:
            count = question.operands[2].object if len(question.operands) > 2 else 50
        return abs(count) if type(count) is int else 0
    finite = [abs(each) for each in numbers if each == each and abs(each) < 2**60]
    if len(finite) < len(numbers):
        return forms.MAX_CONTENT * 100
    step = min([each for each in finite[2:] if each] or [1])
    return int(2 * max(finite or [0]) / min(step, 1) if step < 1 else 2 * max(finite or [0]))


def _numbers(question: Question) -> int:
    """Return the product of the ints among the operands: a bound for what repeats, tiles or shapes give."""
    product = 1

    def visit(each: Any) -> None:
        nonlocal product
        if type(each) is int or (forms.is_scalar(each) and each.dtype.kind in "iu"):
            product *= max(1, min(abs(int(each)), 10**9))
        elif safe.one_of(type(each), (list, tuple)) and len(each) <= 64:
            for inner in each:
                visit(inner)
        product = min(product, 10**12)

    for each in [*question.operands[_data_operands(question) :], *question.keywords.values()]:
        visit(each.object)
    return product


def _data_operands(question: Question) -> int:
    """Return how many of the first operands hold elements, not lengths."""
    return 0 if question.name in ("zeros", "ones", "empty", "full", "eye", "identity", "tri", "indices") else 1


def _result(found: Any, state: State, question: Question) -> Value:
    """Return what numpy computed from what is known, as a value."""
    if question.name in ("empty", "empty_like"):
        return forms.like(forms.shape_of(found), found.dtype) if forms.is_numpy(found) else UNKNOWN
    return Known(found, level=state.level(*question.values))


def _crash_type(name: str, error: Exception | None = None) -> str:
    """Return JunoBench's label."""
    text = "" if error is None else str(error)
    return "tensor shape mismatch" if any(word in text for word in ("shape", "dimension", "broadcast")) else ""


def _partly(name: str, values: list[Value], named: dict[str, Value], site: Any, state: State) -> Value | Finding | None:
    """Answer for a function of which some operands are not known: it changes none of them."""
    if any(_may_run_code(each, state) for each in [*values, *named.values()]):
        return None
    return _open(site, state, name)


def _runs_nothing(site: CallSite, state: State) -> bool:
    return not any(_may_run_code(each, state) for each in [*site.arguments, *site.keywords.values()])


def _may_run_code(value: Value, state: State) -> bool:
    """Whether numpy, handed this value, may run code of the user's."""
    from ..effects import Reach

    return type(value) is Defined or Reach(state).add(value).code


def _open(site: Any, state: State, name: str, *values: Value) -> Value:
    state.may_raise(site.node, "np.{} may raise".format(name))
    return Foreign("numpy", values or (*site.arguments, *([site.owner] if site.owner is not None else [])))


# -- large results -----------------------------------------------------------------------------------------------------


def _filled_shape(question: Question, site: Any, state: State) -> Value | Finding | None:
    """``np.zeros(shape, dtype)`` and its like, too large to be made here."""
    shape = (
        question.operands[0].object
        if question.operands
        else question.keywords.get("shape", forms.Operand(None, True)).object
    )
    sizes = shape if safe.one_of(type(shape), (list, tuple)) else [shape]
    lengths = [_length(each) for each in sizes]
    if not question.known or any(each is None for each in lengths) or len(lengths) > 32:
        return None
    if question.name in ("eye", "identity") and len(lengths) == 1:
        more = question.operands[1:2] if question.name == "eye" else []
        second = _length(more[0].object) if more else lengths[0]
        if second is None or "M" in question.keywords:
            return None
        lengths = [lengths[0], second]
        small = running.content(lambda: question.compute(1, **_only(question, "dtype")), LIBRARY)
    else:
        others = [each.object for each in question.operands[1:]]
        if any(tensors.is_ndarray(each) and each.size != 1 for each in others):
            return None
        named = {key: each.object for key, each in question.keywords.items() if key != "shape"}
        small = running.content(lambda: question.compute((1,) * len(lengths), *others, **named), LIBRARY)
    if type(small) is not Known:
        return small
    one: Any = small.object
    return _made([each for each in lengths if each is not None], one.dtype, site, state)


def _only(question: Question, name: str) -> dict[str, Any]:
    return {name: question.keywords[name].object} if name in question.keywords else {}


def _length(value: Any) -> int | None:
    if type(value) is int and 0 <= value < 2**40:
        return value
    if forms.is_scalar(value) and value.dtype.kind in "iu" and 0 <= int(value) < 2**40:
        return int(value)
    return None


def _made(lengths: list[int], dtype: Any, site: Any, state: State) -> Value | None:
    size = dtype.itemsize
    for each in lengths:
        size *= each
    if size > 2**60:
        return None
    if size > MAX_BYTES:
        state.may_raise(site.node, "it may not fit into memory")
    return forms.like(tuple(lengths), dtype)


def _arange(question: Question, site: Any, state: State) -> Value | Finding | None:
    numbers = [each.object for each in question.operands]
    if not question.known or question.keywords or not all(type(each) is int for each in numbers) or len(numbers) > 3:
        return None
    if not numbers or any(abs(each) > 2**60 for each in numbers) or (len(numbers) == 3 and numbers[2] == 0):
        return None
    dtype = safe.loaded("numpy").arange(1).dtype
    return _made([len(range(*numbers))], dtype, site, state)


def _linspace(question: Question, site: Any, state: State) -> Value | Finding | None:
    ends = [each.object for each in question.operands[:2]]
    count = question.operands[2].object if len(question.operands) > 2 else question.keywords.get("num")
    count = count.object if type(count) is forms.Operand else count
    plain = len(ends) == 2 and all(safe.one_of(type(each), (int, float)) for each in ends)
    if not plain or not set(question.keywords) <= {"num", "endpoint"} or type(count) is not int or count < 0:
        return None
    return _made([count], safe.loaded("numpy").linspace(0, 1, 2).dtype, site, state)


def _join(question: Question, site: Any, state: State) -> Value | Finding | None:
    """``np.concatenate`` and its like, of large arrays."""
    operation = {"concat": "concatenate", "row_stack": "vstack"}.get(question.name, question.name)
    if not question.operands or not set(question.keywords) <= {"axis"} or len(question.operands) > 2:
        return None
    parts = question.operands[0].object
    axis = question.keywords["axis"].object if "axis" in question.keywords else 0
    axis = question.operands[1].object if len(question.operands) == 2 else axis
    if not safe.one_of(type(parts), (list, tuple)) or type(axis) is not int or not parts:
        return None
    if not all(forms.is_array(each) for each in parts):
        return None
    if operation not in ("concatenate", "stack") and (len(question.operands) != 1 or question.keywords):
        return None
    shapes = [forms.shape_of(each) for each in parts]
    kinds = [forms.filled((1,) * max(1, len(shape)), each.dtype) for shape, each in zip(shapes, parts)]
    if operation == "column_stack":
        shapes = [(*shape, 1) if len(shape) == 1 else shape for shape in shapes]
        operation, axis = "concatenate", 1
    if operation == "dstack" or any(not shape for shape in shapes):
        return None
    shape = combining.combined(operation, shapes, axis, "numpy")
    if shape is None:
        error = _with_lengths(question, ValueError())
        if error is None:
            return None
        return running.crash(error, LIBRARY, SCHEMA, _crash_type("", error), "{} itself says so for these shapes")
    try:
        dtype = safe.loaded("numpy").concatenate([each.reshape(-1) for each in kinds]).dtype
    except TypeError:
        return None
    return _made(list(shape), dtype, site, state)


def _reshape(question: Question, site: Any, state: State) -> Value | Finding | None:
    """``np.reshape(a, shape)`` and ``a.reshape(...)``: a view of a stand-in takes no memory."""
    array = question.operands[0].object
    if not forms.is_array(array) or not all(each.known for each in question.operands[1:]):
        return None
    whole = forms.stand_in(forms.shape_of(array), array.dtype)
    try:
        with running.quiet():
            found = question.compute(whole, *[each.object for each in question.operands[1:]], **_named(question))
    except (ValueError, TypeError) as error:
        return running.crash(error, LIBRARY, SCHEMA, _crash_type("", error), "{} itself says so for these shapes")
    if not forms.is_array(found) or found.size != array.size:
        return None
    return _viewed(question, found)


def _named(question: Question) -> dict[str, Any]:
    return {key: each.object for key, each in question.keywords.items()}


def _viewed(question: Question, found: Any) -> Value:
    writable = bool(question.operands[0].object.flags.writeable)
    return forms.like(forms.shape_of(found), found.dtype, writable)


def _flat(question: Question, site: Any, state: State) -> Value | Finding | None:
    array = question.operands[0].object
    if not forms.is_array(array) or not set(question.keywords) <= {"order"} or len(question.operands) > 1:
        return None
    return _made([int(array.size)], array.dtype, site, state)


def _split(question: Question, site: Any, state: State) -> Value | Finding | None:
    array = question.operands[0].object
    if not forms.is_array(array) or not all(
        each.known for each in [*question.operands[1:], *question.keywords.values()]
    ):
        return None
    if _numbers(question) > 1000 * max(array.shape or (1,)) or len(question.operands) < 2:
        return None
    sections = question.operands[1].object
    if type(sections) is int and sections > 2000:
        return None
    whole = forms.stand_in(forms.shape_of(array), array.dtype)
    rest = [each.object for each in question.operands[1:]]
    return running.structure(
        lambda: question.compute(whole, *rest, **_named(question)), LIBRARY, (ValueError, IndexError, TypeError), ""
    )


def _split_values(question: Question, site: Any, state: State) -> Value | Finding | None:
    found = _split(question, site, state)
    return forms.value_of(found.object) if type(found) is Like else found


_LARGE: dict[str, Callable[[Question, Any, Any], Value | Finding | None]] = {
    **dict.fromkeys(["zeros", "ones", "empty", "full", "eye", "identity"], _filled_shape),
    "arange": _arange,
    "linspace": _linspace,
    **dict.fromkeys(("concatenate concat vstack row_stack hstack stack column_stack dstack").split(), _join),
    "reshape": _reshape,
    "ravel": _flat,
    **dict.fromkeys(["split", "array_split", "hsplit", "vsplit", "dsplit"], _split_values),
}


# -- methods -----------------------------------------------------------------------------------------------------------


def call_of_method(site: CallSite, state: State) -> Value | Finding | None:
    """Follow a call of a method of an array or scalar."""
    if type(site.callee) is not Method:
        return None
    name = site.callee.name
    objects = _method_of_objects(site.callee, site, state)
    if objects is not None:
        return objects
    owner = forms.operand(site.callee.owner, state, limit=2**62)
    if owner is None or not (forms.is_numpy(owner.object) or forms.is_of_scalars(owner.object)):
        return None
    value = site.callee.owner
    if {"out", "where", "copy"} & set(site.keywords) and name != "astype":
        return None
    if name in _METHODS_IN_PLACE:
        return _in_place(name, value, owner, site, state)
    if name not in METHODS:
        return None
    if not site.complete:
        return _open(site, state, name) if _runs_nothing(site, state) else None
    if name == "tolist" and owner.object.size > 2000 and not owner.known:
        return Foreign("builtins")
    if name in ("tolist", "item") and not forms.operand(value, state):
        return _plain_structure(name, owner.object, site, state)
    if name == "view" and site.arguments and not _is_view_of(site, state):
        seen = _view(name, safe.loaded("numpy", "ndarray").view, [value, *site.arguments], site.keywords, state)
        if seen is not None:
            return seen
    if name in ("view", "tobytes"):
        return _open(site, state, name) if name == "tobytes" or not _is_view_of(site, state) else None
    if name == "astype" and not (forms.operand(value, state) or forms.Operand(0, False)).known:
        return _cast(value, owner.object, site, state)
    values = [value, *site.arguments]
    kind = safe.loaded("numpy", "ndarray")

    def compute(array: Any, *rest: Any, **named: Any) -> Any:
        cls = kind if tensors.is_ndarray(array) else type(array)
        return getattr(cls, name)(array, *rest, **named)

    if name in _VIEWS:
        seen = _view(name, compute, values, site.keywords, state)
        if seen is not None:
            return seen
    if name == "reshape":
        return _ask_method(name, compute, values, site, state, _reshape)
    if name in ("ravel", "flatten"):
        return _ask_method(name, compute, values, site, state, _flat)
    return ask(name, compute, values, site.keywords, site, state, prefix="method")


def _method_of_objects(method: Method, site: CallSite, state: State) -> Value | Finding | None:
    """A method that moves the elements of an array of objects, and looks at none."""
    array: Any = state.live(method.owner)
    if not tensors.is_ndarray(array) or array.dtype.kind != "O" or array.size > forms.MAX_CONTENT:
        return None
    name, kind = method.name, safe.loaded("numpy", "ndarray")
    if name in _VIEWS:
        return _view(name, getattr(kind, name), [method.owner, *site.arguments], site.keywords, state)
    if name not in ("flatten", "tolist", "copy", "ravel", "reshape") or site.keywords:
        return None
    rest = [forms.real(each, state, 100) for each in site.arguments]
    if any(each is safe.ABSENT for each in rest) or not site.complete:
        return None
    level = state.level(method.owner)
    return running.content(
        lambda: getattr(kind, name)(array, *rest),
        LIBRARY,
        level,
        "tensor shape mismatch",
        lambda found: of_element(found, None, level),
    )


def _ask_method(
    name: str, compute: Any, values: list[Value], site: CallSite, state: State, large: Any
) -> Value | Finding | None:
    operands = [forms.operand(each, state) for each in values]
    array = forms.operand(values[0], state, limit=2**62)
    assert array is not None
    operands[0] = operands[0] or forms.Operand(array.object, False)
    keywords = {key: forms.operand(each, state) for key, each in site.keywords.items()}
    if any(each is None for each in [*operands, *keywords.values()]):
        return _partly(name, values, site.keywords, site, state)
    question = Question(name, compute, operands, keywords, values)  # type: ignore[arg-type]
    if _asks_for_unknown(question):
        return _open(site, state, name)
    if question.known and question.size <= forms.MAX_CONTENT:
        return running.content(question.run, LIBRARY, state.level(*values), "tensor shape mismatch")
    found: Value | Finding | None = large(question, site, state)
    return found if found is not None else _open(site, state, name)


def _in_place(name: str, value: Value, owner: forms.Operand, site: CallSite, state: State) -> Value | Finding | None:
    """``a.sort()``, ``a.fill(x)``: numbers change, the structure stays."""
    array = owner.object
    if not forms.is_array(array) or not _runs_nothing(site, state):
        return None
    rest = [forms.real(each, state, 1000) for each in site.arguments]
    named = {key: forms.real(each, state, 1000) for key, each in site.keywords.items()}
    known = site.complete and not any(each is safe.ABSENT for each in [*rest, *named.values()])
    short = forms.Shortened([array]).of(array)
    if not known or short is None or name not in ("sort", "fill"):
        state.may_raise(site.node, ".{} may raise".format(name))
    else:
        kind = safe.loaded("numpy", "ndarray")
        is_locked = not array.flags.writeable and type(value) is Known and array is value.object
        short.flags.writeable = not is_locked
        answer = running.content(
            lambda: getattr(kind, name)(short, *rest, **named), LIBRARY, state.level(*site.arguments)
        )
        if isinstance(answer, Finding) or answer is None:
            return answer
        if not array.flags.writeable:
            state.may_raise(site.node, "the array may be read-only")
    state.content_changed(value)
    return Known(None) if name != "byteswap" else UNKNOWN


def _plain_structure(name: str, array: Any, site: CallSite, state: State) -> Value | Finding | None:
    if site.keywords or site.arguments or not forms.is_numpy(array):
        return _open(site, state, name)
    kind = {"i": int, "u": int, "f": float, "b": bool, "U": str}.get(array.dtype.kind)
    number: Value = UNKNOWN
    if kind is bool:
        number = Made("bool")
    elif kind is str:
        number = Made("text")
    elif kind is not None and array.dtype.itemsize <= 8:
        number = Made("number", type=kind)
    if name == "item":
        if array.size != 1:
            whole = array if not tensors.is_ndarray(array) else forms.stand_in(forms.shape_of(array), array.dtype)
            return running.structure(whole.item, LIBRARY, (ValueError,), "")
        return number
    shape = forms.shape_of(array)
    if not shape:
        return number
    from ..values import as_element

    if shape[0] <= forms.MAX_OPERANDS and len(shape) == 1:
        return Known([as_element(number)] * shape[0])
    return UNKNOWN


def _is_view_of(site: CallSite, state: State) -> bool:
    """Whether ``a.view(x)`` may return another class."""
    return bool(site.arguments or site.keywords) and not all(
        forms.is_dtype(state.live(each)) or type(state.live(each)) is str for each in site.arguments
    )


def _cast(value: Value, array: Any, site: CallSite, state: State) -> Value | Finding | None:
    """``a.astype(dtype)`` of what is not known or large."""
    wanted = site.arguments[0] if site.arguments else site.keywords.get("dtype")
    dtype = forms.real(wanted, state) if wanted is not None else safe.ABSENT
    if dtype is safe.ABSENT or len(site.arguments) > 1 or not set(site.keywords) <= {"copy", "dtype"}:
        return _open(site, state, "astype")
    small = forms.filled((1,) * len(forms.shape_of(array)), array.dtype)
    numbers = array.dtype.kind in "biufc"
    try:
        with running.quiet():
            found = small.astype(dtype) if tensors.is_ndarray(array) else array.astype(dtype)
    except TypeError as error:
        return running.crash(error, LIBRARY, SCHEMA, "", "{} itself says so for this dtype")
    except ValueError:
        return _open(site, state, "astype")
    if not numbers or found.dtype.kind not in "biufc":
        state.may_raise(site.node, "what the array holds may not be converted")
        if found.dtype.kind not in forms.KINDS or found.dtype.kind in "SU":
            return UNKNOWN
    if not tensors.is_ndarray(array):
        return Like(found)
    return forms.like(forms.shape_of(array), found.dtype)


HANDLERS = {"call": [call, call_of_method]}
