"""scikit-learn estimators and their kin."""

from crane_agent.tools.probes.base import PathArguments, ProbeSpec

SPECS = (
    ProbeSpec(
        name="estimator",
        use="Parameters of a scikit-learn-like estimator, whether it is fitted (null: only its own code could tell), "
        "on how many features and with which feature names. Use it before predict, transform or score, or when a "
        "parameter's value may be wrong.",
        arguments=PathArguments,
        example={"path": "scaler"},
        example_answer={
            "path": "scaler",
            "type": "sklearn.preprocessing._data.StandardScaler",
            "kind": "estimator",
            "fitted": False,
            "fitted_attributes": [],
            "n_features_in": None,
            "feature_names_in": None,
            "parameters": {"copy": True, "with_mean": True, "with_std": True},
            "truncated": False,
        },
    ),
)
