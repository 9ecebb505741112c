"""netcalc schema: the spec language for editors."""

from netcalc.cli.common import FileOption
from netcalc.cli.output import output_of


def command(output: FileOption = "") -> None:
    """A JSON Schema of the spec language, from which editors complete, explain and check.

    netcalc schema -o netcalc.schema.json
    """
    to = output_of(None, output, {".json": "json"}, "json")
    from netcalc.render.reference.schema import schema_text

    to.write([schema_text()])
