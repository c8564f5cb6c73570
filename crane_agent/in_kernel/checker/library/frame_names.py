"""What of pandas may be asked: attributes and methods that only compute, by name.

Not here: what draws, prints, writes files, draws random numbers, or reads the names of whoever calls. Source: the
pandas reference of each; a name counts only if the class really has it, from pandas itself.

To add one, put its name here; what its structure is without the content, `frame_structure` says.
"""

from __future__ import annotations

ATTRIBUTES = frozenset(
    (
        *("T", "shape", "size", "ndim", "empty", "columns", "index", "axes", "dtypes", "dtype", "values", "name"),
        *("names", "str", "dt", "cat", "loc", "iloc", "at", "iat", "hasnans", "is_unique", "is_monotonic"),
        *("is_monotonic_increasing", "is_monotonic_decreasing", "nlevels", "levels", "codes", "categories", "ordered"),
        *("inferred_type", "freq", "freqstr", "tz", "start", "stop", "step", "array", "has_duplicates", "nbytes"),
        *("groups", "indices", "ngroups", "left", "right", "mid", "length", "closed", "inferred_freq"),
        *("year", "month", "day", "hour", "minute", "second", "microsecond", "nanosecond", "date", "time", "timetz"),
        *("week", "weekofyear", "dayofweek", "day_of_week", "weekday", "dayofyear", "day_of_year", "quarter"),
        *("is_month_start", "is_month_end", "is_quarter_start", "is_quarter_end", "is_year_start", "is_year_end"),
        *("is_leap_year", "days_in_month", "daysinmonth", "days", "seconds", "microseconds", "nanoseconds"),
        *("components", "start_time", "end_time", "qyear", "value", "resolution", "unit"),
    )
)
"""Attributes that are not methods."""

CONTENT_FREE = frozenset(["shape", "size", "ndim", "empty", "columns", "index", "axes", "dtypes", "dtype", "name"])
"""Attributes that cost nothing, however large the table is."""

METHODS = frozenset(
    (
        # Frames and series.
        *("abs", "add", "add_prefix", "add_suffix", "agg", "aggregate", "align", "all", "any", "append", "apply"),
        *("applymap", "argmax", "argmin", "argsort", "asfreq", "asof", "assign", "astype", "at_time", "autocorr"),
        *("backfill", "between", "between_time", "bfill", "bool", "clip", "combine_first", "compare"),
        *("convert_dtypes", "copy", "corr", "corrwith", "count", "cov", "cummax", "cummin", "cumprod", "cumsum"),
        *("describe", "diff", "div", "divide", "divmod", "dot", "drop", "drop_duplicates", "droplevel", "dropna"),
        *("duplicated", "eq", "equals", "ewm", "expanding", "explode", "factorize", "ffill", "fillna", "filter"),
        *("first", "first_valid_index", "floordiv", "ge", "get", "groupby", "gt", "head", "idxmax", "idxmin"),
        *("infer_objects", "interpolate", "isin", "isna", "isnull", "item", "items", "iteritems", "iterrows"),
        *("itertuples", "join", "keys", "kurt", "kurtosis", "last", "last_valid_index", "le", "lookup", "lt", "mad"),
        *("map", "mask", "max", "mean", "median", "melt", "memory_usage", "merge", "min", "mod", "mode", "mul"),
        *("multiply", "ne", "nlargest", "notna", "notnull", "nsmallest", "nunique", "pad", "pct_change", "pivot"),
        *("pivot_table", "pow", "prod", "product", "quantile", "radd", "rank", "ravel", "rdiv", "reindex"),
        *("reindex_like", "rename", "rename_axis", "reorder_levels", "repeat", "replace", "resample", "reset_index"),
        *("rfloordiv", "rmod", "rmul", "rolling", "round", "rpow", "rsub", "rtruediv", "searchsorted"),
        *("select_dtypes", "sem", "set_axis", "set_index", "shift", "skew", "sort_index", "sort_values", "squeeze"),
        *("stack", "std", "sub", "subtract", "sum", "swapaxes", "swaplevel", "tail", "take", "to_dict", "to_frame"),
        *("to_list", "to_numpy", "to_period", "to_records", "to_timestamp", "tolist", "transform", "transpose"),
        *("truediv", "truncate", "tshift", "tz_convert", "tz_localize", "unique", "unstack", "value_counts", "var"),
        *("view", "where", "xs"),
        # Indexes.
        *("append", "asi8", "delete", "difference", "get_indexer", "get_level_values", "get_loc", "indexer_at_time"),
        *("insert", "intersection", "is_boolean", "is_floating", "is_integer", "is_numeric", "isin", "sort"),
        *("set_levels", "set_names", "slice_indexer", "slice_locs", "symmetric_difference", "to_flat_index"),
        *("to_series", "union", "remove_unused_levels", "get_indexer_for"),
        # Groups and windows.
        *("cumcount", "get_group", "ngroup", "nth", "ohlc", "size", "sum", "pad", "interpolate"),
        # Accessors of text, dates and categories.
        *("capitalize", "casefold", "cat", "center", "contains", "count", "decode", "encode", "endswith", "extract"),
        *("extractall", "find", "findall", "fullmatch", "get_dummies", "index", "isalnum", "isalpha", "isascii"),
        *("isdecimal", "isdigit", "islower", "isnumeric", "isspace", "istitle", "isupper", "join", "len", "ljust"),
        *("lower", "lstrip", "match", "normalize", "pad", "partition", "removeprefix", "removesuffix", "rfind"),
        *("rindex", "rjust", "rpartition", "rsplit", "rstrip", "slice", "slice_replace", "split", "startswith"),
        *("strip", "swapcase", "title", "translate", "upper", "wrap", "zfill"),
        *("ceil", "day_name", "floor", "isocalendar", "month_name", "strftime", "to_pydatetime", "total_seconds"),
        *("to_pytimedelta", "as_unit", "add_categories", "as_ordered", "as_unordered", "remove_categories"),
        *("remove_unused_categories", "rename_categories", "reorder_categories", "set_categories"),
        # Moments and spans of time.
        *("date", "time", "timestamp", "to_datetime64", "to_pydatetime", "weekday", "isoformat", "isoweekday"),
        *("timetuple", "toordinal", "utcoffset", "combine", "to_julian_date"),
    )
)
"""Methods that change nothing, but with ``inplace=True``."""

CHANGING = frozenset(["insert", "pop", "update"])
"""Methods of frames and series that change them."""

CHEAP = frozenset(["copy", "head", "tail", "keys", "groupby", "rolling", "expanding", "ewm", "item", "to_numpy", "get"])
"""Methods that cost next to nothing, however large the table is."""

FUNCTIONS = frozenset(
    (
        *("concat", "merge", "merge_asof", "merge_ordered", "get_dummies", "cut", "qcut", "to_datetime", "to_numeric"),
        *("to_timedelta", "isna", "isnull", "notna", "notnull", "unique", "factorize", "crosstab", "pivot"),
        *("pivot_table", "melt", "wide_to_long", "date_range", "bdate_range", "period_range", "timedelta_range"),
        *("interval_range", "value_counts", "array", "json_normalize", "lreshape", "from_dummies"),
    )
)
CLASSES = frozenset(
    (
        *("DataFrame", "Series", "Index", "MultiIndex", "RangeIndex", "DatetimeIndex", "CategoricalIndex"),
        *("Categorical", "Timestamp", "Timedelta", "Period", "Grouper", "NamedAgg", "DateOffset", "CategoricalDtype"),
        *("Interval",),
    )
)
CONSTRUCTORS = frozenset(["from_dict", "from_records", "from_tuples", "from_product", "from_arrays", "from_frame"])
"""Class methods that only compute."""
