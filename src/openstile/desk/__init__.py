"""Enrolment: photographs, or a PIN, to a pass in its rider's hand. Keeps nothing."""

from openstile.desk.card import render_card
from openstile.desk.enrol import EnrolmentError, face_reference
from openstile.desk.files import PassFiles, write_pass_files

__all__ = ["EnrolmentError", "PassFiles", "face_reference", "render_card", "write_pass_files"]
