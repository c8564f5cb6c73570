"""Modules of the environment: loaded or not, to be found or not, which version; and the machine the kernel runs on."""

from pydantic import Field

from crane_agent.tools.probes.base import Arguments, ProbeSpec


class ModuleArguments(Arguments):
    """What `module` takes."""

    name: str = Field(
        min_length=1,
        max_length=300,
        description="Name of the module as an import statement has it, e.g. sklearn.metrics; not an alias such as pd.",
    )
    names: list[str] | None = Field(
        default=None,
        description="What the target takes from it: the answer says which of them it lacks, if it is loaded.",
    )


class EnvironmentArguments(Arguments):
    """What `environment` takes."""

    variables: list[str] | None = Field(
        default=None, description="Names of environment variables: only which of them are not set is answered."
    )


SPECS = (
    ProbeSpec(
        name="module",
        use="Whether a module is loaded, whether an import would find it, its version, the file it is from, and which "
        "of `names` are no attributes of the loaded module (`submodules`: an import statement would load them); "
        "`found` is null where only importing it could tell. Use it before an import, before m.x of a library that "
        "dropped or moved x, before what depends on a version, and when a file of the user's may hide a library.",
        arguments=ModuleArguments,
        example={"name": "collections", "names": ["OrderedDict", "Mapping"]},
        example_answer={
            "name": "collections",
            "loaded": True,
            "found": True,
            "version": None,
            "origin": "<standard library>/collections/__init__.py",
            "missing": ["Mapping"],
            "close": {"Mapping": []},
            "truncated": False,
        },
    ),
    ProbeSpec(
        name="environment",
        use="The kernel's Python, working folder, processors, memory, and whether CUDA is there and initialised; with "
        "`variables`, only which of these environment variables are not set, never their values. Use it before "
        "os.environ['X'], before .cuda(), and when memory or the folder matters.",
        arguments=EnvironmentArguments,
        example={"variables": ["PATH", "MY_SERVICE_ADDRESS"]},
        example_answer={
            "missing": ["MY_SERVICE_ADDRESS"],
            "close": {"MY_SERVICE_ADDRESS": []},
            "truncated": False,
        },
    ),
)
