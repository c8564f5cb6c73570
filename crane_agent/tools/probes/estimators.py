"""scikit-learn estimators and their kin: lightgbm, xgboost, catboost."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, Path, ProbeSpec


class EstimatorArguments(Arguments):
    """What `estimator` takes."""

    path: Path
    frame: Path | None = Field(
        default=None, description="Where the DataFrame, Series or array is that predict or transform will be given."
    )


SPECS = (
    ProbeSpec(
        name="estimator",
        use="Parameters of a scikit-learn-like estimator (also Pipeline, ColumnTransformer, searches, lightgbm, "
        "xgboost, catboost), the estimators inside it, whether it is fitted (null: only its own code could tell, or "
        "needs_fit is false), on how many features, with which names and classes; for a `frame`, which of these "
        "features it lacks, which it has besides, and whether they are in order. Use it before predict, transform or "
        "score, or when a parameter's value or a search's parameter names may be wrong.",
        arguments=EstimatorArguments,
        example={"path": "scaler", "frame": "test"},
        example_answer={
            "path": "scaler",
            "type": "sklearn.preprocessing._data.StandardScaler",
            "kind": "estimator",
            "fitted": True,
            "needs_fit": True,
            "fitted_attributes": ["feature_names_in_", "mean_", "n_features_in_", "n_samples_seen_", "scale_", "var_"],
            "n_features_in": 2,
            "feature_names_in": ["area", "price"],
            "parameters": {"copy": True, "with_mean": True, "with_std": True},
            "truncated": False,
            "given": {
                "path": "test",
                "type": "pandas.DataFrame",
                "shape": [3, 2],
                "n_features": 2,
                "takes_columns_by_label": False,
                "missing": ["price"],
                "unknown_features": ["rooms"],
                "in_fitting_order": None,
                "truncated": False,
            },
        },
    ),
)
