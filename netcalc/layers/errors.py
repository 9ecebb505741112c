"""What a layer raises: a fact about its options or inputs. The graph adds its place in the spec."""


class LayerError(ValueError):
    """A fact such as "groups=3 does not divide 64 channels".

    `option` is the option to point at, where it is one option's fault; `help` is what to type.
    """

    def __init__(self, message: str, *, option: str | None = None, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.option = option
        self.help = help
