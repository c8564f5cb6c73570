"""Functions of Python's standard library that compute from what they are handed, and leave everything as it is.

To add one, put its name into the row of its module.

Source: the Python library reference, of each module.
"""

from __future__ import annotations

COMPUTED = {
    "math": frozenset(
        (
            "factorial acos acosh asin asinh atan atan2 atanh cbrt ceil comb copysign cos cosh degrees dist erf "
            "erfc exp exp2 expm1 fabs floor fmod frexp fsum gamma gcd hypot isclose isfinite isinf isnan isqrt "
            "lcm ldexp lgamma log log10 log1p log2 modf nextafter perm pow prod radians remainder sin sinh sqrt "
            "sumprod tan tanh trunc ulp"
        ).split()
    ),
    "cmath": frozenset("sqrt exp log phase polar rect".split()),
    "statistics": frozenset(
        "mean fmean geometric_mean harmonic_mean median median_low median_high median_grouped mode multimode pstdev "
        "pvariance stdev variance quantiles correlation covariance linear_regression".split()
    ),
    "posixpath": frozenset(
        "join basename dirname splitext split normpath isabs commonpath splitdrive normcase".split()
    ),
    "ntpath": frozenset("join basename dirname splitext split normpath isabs commonpath splitdrive".split()),
    "genericpath": frozenset(["commonprefix"]),
    "json": frozenset(["loads", "dumps"]),
    "html": frozenset(["escape", "unescape"]),
    "_bisect": frozenset(["bisect", "bisect_left", "bisect_right"]),
    "bisect": frozenset(["bisect", "bisect_left", "bisect_right"]),
    "heapq": frozenset(["nlargest", "nsmallest"]),
    "_heapq": frozenset([]),
    "_operator": frozenset("add sub mul truediv floordiv mod neg abs eq ne lt le gt ge contains getitem".split()),
    "textwrap": frozenset(["dedent", "indent"]),
    "calendar": frozenset(["isleap", "monthrange", "leapdays"]),
    "fnmatch": frozenset([]),
    "copy": frozenset(["copy", "deepcopy"]),
    "string": frozenset(["capwords"]),
    "keyword": frozenset(["iskeyword"]),
    "urllib.parse": frozenset(["quote", "unquote", "urljoin"]),
}
"""By the module in which they are defined."""

CLASSES = {
    "datetime": frozenset(["datetime", "date", "timedelta", "time"]),
    "decimal": frozenset([]),
    "fractions": frozenset([]),
    "collections": frozenset(["Counter", "OrderedDict", "deque"]),
}
"""Classes that are made for real."""

ITERATORS = frozenset(
    "chain product permutations combinations combinations_with_replacement zip_longest pairwise".split()
)

ALTERNATIVES = {"math": "math", "_bisect": "bisect", "_operator": "operator", "_heapq": "heapq"}
"""Where functions written in C are to be found."""

DATE_METHODS = frozenset(
    "strftime isoformat date time weekday isoweekday replace timestamp toordinal timetuple total_seconds isocalendar "
    "ctime __str__".split()
)
DATE_FIELDS = frozenset(
    "year month day hour minute second microsecond days seconds microseconds min max resolution".split()
)
DATE_CLASS_METHODS = frozenset(
    ["fromisoformat", "strptime", "fromtimestamp", "fromordinal", "combine", "utcfromtimestamp"]
)
NOW = frozenset(["now", "today", "utcnow"])

MATCH_METHODS = frozenset(["group", "groups", "groupdict", "start", "end", "span", "expand"])

CLOCKS = {
    "time": float,
    "perf_counter": float,
    "monotonic": float,
    "process_time": float,
    "thread_time": float,
    "time_ns": int,
    "perf_counter_ns": int,
    "monotonic_ns": int,
    "process_time_ns": int,
}

DRAWS = {
    "random": float,
    "uniform": float,
    "gauss": float,
    "normalvariate": float,
    "triangular": float,
    "betavariate": float,
    "expovariate": float,
    "gammavariate": float,
    "lognormvariate": float,
    "vonmisesvariate": float,
    "paretovariate": float,
    "weibullvariate": float,
    "randint": int,
    "randrange": int,
    "getrandbits": int,
    "choice": None,
    "choices": None,
    "sample": None,
    "seed": None,
    "shuffle": None,
}
