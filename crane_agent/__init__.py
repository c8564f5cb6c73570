"""Says before a Jupyter cell runs whether it will crash, why, and what would fix it.

`crane_agent.predict.predict` is the one way in; `%load_ext crane_agent` brings it into a notebook.
"""


def load_ipython_extension(shell: object) -> None:
    """Give IPython the magic `%crane`; `%load_ext crane_agent` calls this."""
    from crane_agent.frontends.notebook.magics import load

    load(shell)


def unload_ipython_extension(shell: object) -> None:
    """Take it away again, with all that is ours but imported modules; `%unload_ext crane_agent` calls this."""
    from crane_agent.frontends.notebook.magics import unload

    unload(shell)
