"""The command line: thin commands over the rooms below, one a file, each loaded when it is called."""


def run(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    from netcalc.cli import app  # now, since completions do without it

    return app.run(arguments)


__all__ = ["run"]
