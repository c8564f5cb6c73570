"""JunoBench's labels for an exception that was really raised: its crash type, root cause and stage.

The labels follow what they mean (arXiv 2510.18013, section 3), not single messages: the class of the exception says
most, the message what a `ValueError` or `RuntimeError` is about. The first rule that fits counts.
"""

import re
from collections.abc import Mapping, Sequence

from crane_agent.verdict.taxonomy import CrashType, MLStage, RootCause

MOST_READ = 2000
"""Characters of a message or a line that count."""

_SHAPELESS = ("NameError", "KeyError", "AttributeError", "ImportError", "ModuleNotFoundError", "FileNotFoundError")
"""Classes that say all; their messages quote names of the user's, which may read like anything."""

_BY_MESSAGE: Sequence[tuple[CrashType, str]] = [
    ("OOM", r"out of memory|\bOOM\b|unable to allocate"),
    ("feature name mismatch", r"feature[_ ]names|features? names? should match"),
    ("unsupported broadcast", r"broadcast"),
    (
        "tensor shape mismatch",
        r"shapes? .*(multiplied|align|match|incompatible|mismatch|passed values|at least rank)|size mismatch"
        r"|incompatible (with the layer|shapes?)|expected input\[|to have \d+ (channels|features)|must match the size"
        r"|same (first dimension|length|size|shape|number of elements)|equal size|inconsistent numbers? of samples"
        r"|cannot reshape|X has \d+ features|is invalid for input of size|dimensions? (of|in|must|out|size)"
        r"|logits and labels|state_dict|weight count mismatch|mat1 and mat2|ndim",
    ),
    (
        "data value violation",
        r"(contains?|input|has) .*\bnan\b|infinity|\bmix of\b|singular matrix|contains? (negative|missing|null)"
        r"|number of (labels|classes)"
        r"|assertion failed|overlap but no suffix|multiclass|trying to merge|zero-dimensional",
    ),
    ("request error", r"url fetch failure|http error|connection (aborted|refused)"),
    ("io error", r"unable to (open|create|synchronously open) file|no such file|no file or directory|end of file"),
]

_ARGUMENTS = re.compile(
    r"argument|unexpected keyword|missing \d+ required|supports? only|only supports?|not understood|must be one of"
    r"|unknown (value|option|label|metric|loss|activation|optimizer)|unrecognized|is not a valid|invalid value for"
    r"|not supported for|did you mean|must be \d-?d(imensional)?|\d-dimensional|expected \dd|not a valid",
    re.IGNORECASE,
)
"""What a call is told that does not take what it was given."""

_BY_CLASS: Mapping[str, CrashType] = {
    "NameError": "variable not found",
    "UnboundLocalError": "variable not found",
    "ModuleNotFoundError": "module not found",
    "ImportError": "environment error",
    "KeyError": "key error",
    "IndexError": "index error",
    "IndexingError": "index error",
    "AxisError": "index error",
    "AttributeError": "attribute error",
    "TypeError": "type error",
    "ValueError": "value error",
    "UnicodeDecodeError": "value error",
    "LinAlgError": "data value violation",
    "NotFittedError": "value error",
    "MemoryError": "OOM",
    "OutOfMemoryError": "OOM",
    "ResourceExhaustedError": "OOM",
    "InvalidArgumentError": "invalid argument",
    "InvalidParameterError": "invalid argument",
    "OSError": "io error",
    "FileNotFoundError": "io error",
    "FileExistsError": "io error",
    "IsADirectoryError": "io error",
    "NotADirectoryError": "io error",
    "PermissionError": "io error",
    "EOFError": "io error",
    "ConnectionError": "request error",
    "ConnectionRefusedError": "request error",
    "HTTPError": "request error",
    "URLError": "request error",
    "RuntimeError": "runtime error",
    "NotImplementedError": "runtime error",
    "RecursionError": "runtime error",
    "ZeroDivisionError": "runtime error",
}

_ROOT_CAUSES: Mapping[CrashType, RootCause] = {
    "variable not found": "NB specific",
    "module not found": "environment setting",
    "environment error": "environment setting",
    "request error": "environment setting",
    "io error": "environment setting",
    "OOM": "insufficient resource",
    "key error": "data confusion",
    "index error": "data confusion",
    "value error": "data confusion",
    "data value violation": "data confusion",
    "feature name mismatch": "data confusion",
    "type error": "data confusion",
    "unsupported broadcast": "implementation error",
    "runtime error": "implementation error",
    "invalid argument": "API misuse",
    "attribute error": "API misuse",
}

_STAGES: Sequence[tuple[MLStage, str]] = [
    ("environment setup", r"^\s*(import|from)\b|\bpip\b"),
    ("data visualization", r"\b(plt|sns|fig|axe?s?\d?|px|go)\b *[.\[]|plot\(|\.(hist|imshow|show|scatter)\("),
    ("data preparation", r"(Scaler|Encoder|Imputer|Vectorizer|Tokenizer)\b|fit_transform\(|train_test_split\("),
    ("evaluation/prediction", r"\b\w*(predict\w*|evaluate|score|_report|_matrix|metrics?)\b *[.(]"),
    ("training", r"\.(fit|fit_generator|backward|step|train)\(|\btrain\w*\(|\b(loss|criterion|loss_fn)\w* *[=(]"),
    (
        "model construction",
        r"\b(Sequential|Model|load_model|load_weights|load_state_dict|compile|compute_class_weight)\("
        r"|\b(layers|nn)\.[A-Z]\w*\(|\b[A-Z]\w*(Classifier|Regressor|Regression|Layer|Net)\(|\b(Dense|Linear|Conv[123]d)\(",
    ),
]
_STAGE_OF_LIBRARY: Mapping[str, MLStage] = {
    "matplotlib": "data visualization",
    "seaborn": "data visualization",
    "plotly": "data visualization",
    "pandas": "data preparation",
    "numpy": "data preparation",
    "cv2": "data preparation",
    "PIL": "data preparation",
    "torch": "training",
    "keras": "training",
    "tensorflow": "training",
}


def crash_type_of(kind: str, message: str) -> CrashType:
    """Return the crash type of an exception.

    Args:
        kind: Name of its class.
        message: Its message; '' if not known.
    """
    message = message[:MOST_READ]
    if kind not in _SHAPELESS:
        for label, pattern in _BY_MESSAGE:
            if re.search(pattern, message, re.IGNORECASE):
                return label
        if kind in ("TypeError", "ValueError", "RuntimeError") and _ARGUMENTS.search(message):
            return "invalid argument"
    if kind == "ImportError" and "No module named" in message:
        return "module not found"
    return _BY_CLASS.get(kind, "other")


def root_cause_of(kind: str, crash_type: CrashType) -> RootCause:
    """Return the root cause that most crashes of this kind have.

    Args:
        kind: Name of the exception's class.
        crash_type: Its crash type.
    """
    if kind == "NotFittedError":
        return "API misuse"
    return _ROOT_CAUSES.get(crash_type, "implementation error")


def stage_of(library: str, *lines: str) -> MLStage | None:
    """Return where in the pipeline a crash stands, by what its lines call, else by the library that raised.

    Args:
        library: Top-level package; '' if not known.
        lines: The texts of the lines that raise, the most telling first.
    """
    for line in lines:
        for stage, pattern in _STAGES:
            if re.search(pattern, line[:MOST_READ]):
                return stage
    return _STAGE_OF_LIBRARY.get(library)
