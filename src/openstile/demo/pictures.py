"""Draws what happened: each scene, all of them on one sheet, and the passes. Faces are in here on purpose."""

import re
from pathlib import Path

import cv2
import numpy as np

from openstile.demo.cast import HeldPass
from openstile.demo.lettering import BOLD, Colour, Pixels, width_of, write, write_lines
from openstile.demo.report import Report
from openstile.demo.stage import Played
from openstile.face import FaceEngine, Frame, locate
from openstile.passes.qr import QUIET_MODULES, qr_modules
from openstile.terms.files import write_private

_PAPER: Colour = (248, 250, 251)
_WHITE: Colour = (255, 255, 255)
_INK: Colour = (38, 30, 26)
_GREY: Colour = (128, 118, 110)
_LINE: Colour = (224, 220, 216)
_NIGHT: Colour = (50, 42, 38)
_GREEN: Colour = (84, 138, 22)
_RED: Colour = (52, 44, 186)

_MARGIN = 36
_CARD = (1120, 742)
_VIEW = (640, 480)
_TILE_VIEW = (420, 315)
_TILE = (420, 463)
_COLUMNS = 4


def draw_all(report: Report) -> None:
    """Write all pictures (PNG) into the pictures folder of the demo."""
    engine = report.cast.installation.load_engine()
    tiles = []
    for number, played in enumerate(report.played, start=1):
        name = re.sub("[^a-z0-9]+", "-", played.scene.title.lower().replace("'", ""))
        _save(report.folder.pictures / f"{number:02d}-{name}.png", _scene_card(number, played, engine))
        tiles.append(_scene_tile(number, played, engine))
    subtitle = f"{report.admitted} of {len(tiles)} let through. A frame is read only after a valid pass was opened."
    _save(report.folder.pictures / "overview.png", _sheet("At the gate", subtitle, tiles))
    passes = [_pass_tile(held) for held in report.cast.passes]
    subtitle = "What riders take home. The face lies sealed in the code; only this group's gates can open it."
    _save(report.folder.pictures / "passes.png", _sheet("Passes", subtitle, passes))


def _scene_card(number: int, played: Played, engine: FaceEngine) -> Pixels:
    card = _blank(*_CARD)
    write(card, f"{number:02d}", (_MARGIN, 70), size=34, colour=_GREY, weight=BOLD)
    write(card, played.scene.title, (_MARGIN + 62, 70), size=34, colour=_INK, weight=BOLD)
    write(card, _sentence(played.scene.tried), (_MARGIN + 62, 104), size=20, colour=_GREY)
    top = 134
    _paste(card, _view(played, engine, _VIEW), (_MARGIN, top))
    _column(card, played, left=_MARGIN + _VIEW[0] + _MARGIN, top=top)
    _band(card, played, top=top + _VIEW[1] + _MARGIN)
    return card


def _column(card: Pixels, played: Played, *, left: int, top: int) -> None:
    width = _CARD[0] - _MARGIN - left
    write(card, "PRESENTED", (left, top + 14), size=14, colour=_GREY, weight=BOLD)
    y = top + 30
    if isinstance(played.scene.shown, Frame):
        size = (width, width * 3 // 4)
        _paste(card, cv2.resize(played.scene.shown.pixels, size, interpolation=cv2.INTER_AREA), (left, y))
        y += size[1]
        write(card, "read in the camera's view", (left, y + 26), size=16, colour=_GREY)
    else:
        side = 280
        _paste(card, _qr(played.presented, side), (left, y))
        y += side
    facts = (
        ("FRAMES READ", str(len(played.frames))),
        ("TIME", f"{played.crossing.total_ms:.1f} ms"),
        ("BARRIER", "opened" if played.barrier_opened else "stays closed"),
    )
    y = top + _VIEW[1] - 14 - 34 * (len(facts) - 1)
    for what, value in facts:
        write(card, what, (left, y), size=14, colour=_GREY, weight=BOLD)
        write(card, value, (left + 130, y), size=20, colour=_INK)
        y += 34


def _band(card: Pixels, played: Played, *, top: int) -> None:
    cv2.rectangle(card, (0, top), (_CARD[0], _CARD[1]), _colour(played), cv2.FILLED)
    middle = top + (_CARD[1] - top) // 2
    verdict = "ADMIT" if played.crossing.admitted else "REFUSE"
    write(card, verdict, (_MARGIN, middle + 13), size=36, colour=_WHITE, weight=BOLD)
    left = _MARGIN + width_of(verdict, size=36, weight=BOLD) + 36
    if played.crossing.reason is not None:
        reason = played.crossing.reason.value
        write(card, reason, (left, middle + 8), size=22, colour=_WHITE)
        left += width_of(reason, size=22)
    left = max(left + 36, _MARGIN + _VIEW[0] + _MARGIN - 160)
    write(card, played.message.headline, (left, middle - 6), size=22, colour=_WHITE, weight=BOLD)
    write(card, played.message.advice, (left, middle + 22), size=17, colour=_WHITE)


def _scene_tile(number: int, played: Played, engine: FaceEngine) -> Pixels:
    tile = _blank(*_TILE)
    _paste(tile, _view(played, engine, _TILE_VIEW), (0, 0))
    y = _TILE_VIEW[1]
    cv2.rectangle(tile, (0, y), (_TILE[0], y + 48), _colour(played), cv2.FILLED)
    verdict = "ADMIT" if played.crossing.admitted else "REFUSE"
    write(tile, verdict, (16, y + 32), size=22, colour=_WHITE, weight=BOLD)
    reason = played.crossing.reason.value if played.crossing.reason else played.message.headline
    right = _TILE[0] - 16 - width_of(reason, size=19)
    write(tile, reason, (right, y + 31), size=19, colour=_WHITE)
    write(tile, f"{number:02d}", (0, y + 84), size=21, colour=_GREY, weight=BOLD)
    write(tile, played.scene.title, (38, y + 84), size=21, colour=_INK, weight=BOLD)
    write_lines(tile, _sentence(played.scene.tried), (38, y + 110), size=17, colour=_GREY, width=_TILE[0] - 38)
    return tile


def _pass_tile(held: HeldPass) -> Pixels:
    side = _TILE[0]
    tile = _blank(side, side + 116)
    _paste(tile, _qr(held.text, side), (0, 0))
    issued = held.enrolled.issued
    write(tile, held.name, (0, side + 36), size=21, colour=_INK, weight=BOLD)
    write(tile, f"{held.kind} pass, {held.product}", (0, side + 64), size=17, colour=_GREY)
    write(tile, f"{issued.not_before:%d %b %Y} to {issued.expires:%d %b %Y}", (0, side + 90), size=17, colour=_GREY)
    return tile


def _sheet(title: str, subtitle: str, tiles: list[Pixels]) -> Pixels:
    height, width = tiles[0].shape[:2]
    rows = -(-len(tiles) // _COLUMNS)
    top = 150
    sheet = _blank(_MARGIN + _COLUMNS * (width + _MARGIN), top + rows * (height + _MARGIN))
    write(sheet, title, (_MARGIN, 76), size=44, colour=_INK, weight=BOLD)
    write(sheet, subtitle, (_MARGIN, 114), size=22, colour=_GREY)
    for index, tile in enumerate(tiles):
        row, column = divmod(index, _COLUMNS)
        _paste(sheet, tile, (_MARGIN + column * (width + _MARGIN), top + row * (height + _MARGIN)))
    return sheet


def _view(played: Played, engine: FaceEngine, size: tuple[int, int]) -> Pixels:
    """The last frame that the gate read with the faces in it boxed, or a dark field when it read none."""
    if not played.frames:
        return _closed_eye(played, size)
    frame = played.frames[-1]
    scale = size[0] / frame.width
    view = np.array(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    for face in locate(engine, frame):
        box = face.box
        corners = [round(v * scale) for v in (box.left, box.top, box.left + box.width, box.top + box.height)]
        for colour, thickness in ((_WHITE, 5), (_colour(played), 2)):
            cv2.rectangle(view, tuple(corners[:2]), tuple(corners[2:]), colour, thickness, cv2.LINE_AA)
    return view


def _closed_eye(played: Played, size: tuple[int, int]) -> Pixels:
    view = np.full((size[1], size[0], 3), _NIGHT, np.uint8)
    small = size[0] < _VIEW[0]
    head, body = (24, 16) if small else (32, 20)
    why = "A PIN pass needs no camera." if played.scene.pin is not None else "The pass was refused before any look."
    y = size[1] // 2
    for text, text_size, weight, colour, baseline in (
        ("No frame was read", head, BOLD, _WHITE, y - 4),
        (why, body, 400, _LINE, y - 4 + round(1.6 * body)),
    ):
        left = (size[0] - width_of(text, size=text_size, weight=weight)) // 2
        write(view, text, (left, baseline), size=text_size, colour=colour, weight=weight)
    return view


def _qr(text: str, side: int) -> Pixels:
    """The code with its quiet zone, in whole pixels a module, in the middle of a white square with a thin frame."""
    square = np.full((side, side, 3), 255, np.uint8)
    light = np.pad(~qr_modules(text), QUIET_MODULES, constant_values=True)
    scale = max(1, side // len(light))
    code = (light.astype(np.uint8) * 255).repeat(scale, 0).repeat(scale, 1)
    if len(code) > side:
        code = np.asarray(cv2.resize(code, (side, side), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    begin = (side - len(code)) // 2
    square[begin : begin + len(code), begin : begin + len(code)] = code[:, :, None]
    cv2.rectangle(square, (0, 0), (side - 1, side - 1), _LINE, 1)
    return square


def _blank(width: int, height: int) -> Pixels:
    return np.full((height, width, 3), _PAPER, np.uint8)


def _paste(picture: Pixels, part: np.ndarray, at: tuple[int, int]) -> None:
    x, y = at
    picture[y : y + part.shape[0], x : x + part.shape[1]] = part


def _colour(played: Played) -> Colour:
    return _GREEN if played.crossing.admitted else _RED


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def _save(path: Path, picture: Pixels) -> None:
    _, png = cv2.imencode(".png", picture)
    write_private(path, png.tobytes())
