"""`openstile lab`: measure the gate's own code on consenting people's photographs. The commands stand in `lab_*`."""

import typer

from openstile.cli import lab_accuracy, lab_attacks, lab_groups, lab_quality, lab_report, lab_speed, lab_unlinkability

app = typer.Typer(help="Lab: error rates, groups, speed, on a folder of photographs.", no_args_is_help=True)
app.command("accuracy")(lab_accuracy.accuracy)
app.command("attacks")(lab_attacks.attacks)
app.command("groups")(lab_groups.groups)
app.command("quality")(lab_quality.quality)
app.command("report")(lab_report.report)
app.command("speed")(lab_speed.speed)
app.command("unlinkability")(lab_unlinkability.unlinkability)
