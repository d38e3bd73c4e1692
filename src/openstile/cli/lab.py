"""`openstile lab`: measure the gate's own code on consenting people's photographs. The commands stand in `lab_*`."""

import typer

from openstile.cli import lab_unlinkability

app = typer.Typer(help="Lab: error rates, groups, speed, on a folder of photographs.", no_args_is_help=True)
app.command("unlinkability")(lab_unlinkability.unlinkability)
