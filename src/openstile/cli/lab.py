"""`openstile lab`: measure the gate's own code on consenting people's photographs. The commands stand in `lab_*`."""

import typer

app = typer.Typer(help="Lab: error rates, groups, speed, on a folder of photographs.", no_args_is_help=True)
