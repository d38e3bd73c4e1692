"""Every threshold of the detectors, with its meaning and what it buys.

Measured on simulated presentations (tests/attacks, docs/presentation-attacks.md has the table and how to repeat
it), chosen there for about 5 % of living faces rejected by all detectors together; no figure here is of real attacks.
"""

PARALLAX_FRAMES_MIN = 10
"""Frames after the first: less is too short to move in."""
PARALLAX_CORNERS_MIN = 30
"""Corners followed through the whole clip: 48 numbers a frame for 11 that are fitted."""
PARALLAX_LIVE_MIN = 9.0
"""F-ratio of the generic depth profile. Flat sheets and screens, whatever they do: at most 6.6 of 40, for the errors of
following corners are not independent. A living face that turns or sways: mostly above; one that keeps quite still:
3 to 7, so inconclusive."""
PARALLAX_ATTACK_MAX = 1.5
"""F-ratio of what moved enough and yet shows no depth. Living faces that came nearer by 10 to 25 cm: 1.52 to 15 (9
clips); of sheets and screens that did, half are below."""
PARALLAX_MOTION_MIN = 0.2
"""Change of scale and aspect from which a face would have shown its depth. Below it no face is called an attack."""

LIGHT_RATIO_MIN = 0.01
"""Display's light over ambient light. Below it the flash detectors abstain: what noise leaves of the answer decides."""
FLASH_ERROR_MAX = 0.55
"""Standard error of one square's gain over the display's light ratio."""
FLASH_FRAMES_MIN = 16
"""Frames of the plan that were seen: four of its five colours."""
FLASH_MATCH_MIN = 0.93
"""Part of the face's change of colour that the colours shown explain. Living faces at a ratio of 0.03 and more:
0.94 and more, in 80 lux; mostly 0.99. A recording in the light of another plan: below 0.3, and up to 0.95 where its
screen mirrors the display."""
FLASH_GAIN_MIN = 0.3
FLASH_GAIN_MAX = 2.8
"""The answer's strength over the ratio, with room for a meter that is off by a fifth (deviation). Living faces and
prints: 0.56 to 1.96. Screens shine by themselves, so less, or mirror the display, so more."""
FLASH_LAG_MAX = 0.5
"""Frames by which the answer comes late, the display's own known delay taken off. A relay needs one frame at least."""
FLASH_SHAPE_MIN = 7.0
"""F-ratio of the generic face. Living faces: 8 in the dark, mostly 20 to 50. Sheets: below 14, at hardly any relief;
screens: up to 20, nearly all with a mirror's patch."""
FLASH_RELIEF_MIN = 0.125
"""Root mean square of what the generic face explains. Living faces: 0.18 and more; sheets, bent ones too: at most 0.06;
screens: up to 0.4 where they mirror a patch of the display."""
FLASH_HOLLOWS_MIN = 1.1
"""Growth of the logarithm of the strength with an eye distance of depth."""
FLASH_LEAST_MIN = 0.36
FLASH_MOST_MAX = 2.5
"""Tenth and ninetieth percentile of the strength over its median. Living faces: 0.26 and more, at most 3 (9 in 1 of 39,
whose glasses mirror); screens that mirror a patch of the display: below 0.25, or above 6."""

DEPTH_FRAMES_MIN = 3
"""Frames with depth."""
DEPTH_POINTS_MIN = 0.5
"""Part of the face's places whose depth was measured."""
DEPTH_FLAT_MAX = 2.0
"""Millimetres off the best plane: a sheet on a board. Geometry, not measured."""
DEPTH_RELIEF_MIN = 5.0
"""Millimetres off the best plane: half of what the generic face has (10)."""
DEPTH_DETAIL_MIN = 0.5
"""Millimetres of relief that no bent sheet has; below it there is none."""
DEPTH_MATCH_MIN = 0.6
"""Correlation of that relief with the generic face's: nose, sockets, chin."""
