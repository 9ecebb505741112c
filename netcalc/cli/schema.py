"""netcalc schema: the spec language for editors."""

from netcalc.cli.common import write


def command() -> None:
    """A JSON Schema of the spec language, from which editors complete, explain and check.

    netcalc schema > netcalc.schema.json
    """
    from netcalc.render.reference.schema import schema_text

    write([schema_text()])
