"""JunoBench's labels for crashes: root cause, crash type, stage of the machine-learning pipeline.

Source: Wang et al., "JunoBench" (arXiv 2510.18013), and the wider crash study it samples from.
"""

from typing import Literal

RootCause = Literal[
    "API misuse",
    "data confusion",
    "NB specific",
    "implementation error",
    "ML model confusion",
    "library cause",
    "environment setting",
    "insufficient resource",
]

CrashType = Literal[
    "invalid argument",
    "tensor shape mismatch",
    "key error",
    "value error",
    "variable not found",
    "index error",
    "attribute error",
    "data value violation",
    "unsupported broadcast",
    "type error",
    "module not found",
    "runtime error",
    "feature name mismatch",
    "io error",
    "model initialization error",
    "OOM",
    "name error",
    "environment error",
    "request error",
    "other",
]

MLStage = Literal[
    "environment setup",
    "data preparation",
    "model construction",
    "training",
    "evaluation/prediction",
    "data visualization",
]
