"""Every threshold of the detectors, with its meaning and what it buys.

Chosen on 539 living and 698 attacking simulated presentations (the calibration set of tests/attacks/conditions.py; for
parallax on 319 of the living), where all detectors together refused 0.6 % of the living and were unsure about 3.9 %.
docs/presentation-attacks.md has what they do on the test set, which had no part in the choice, and how to repeat it.
No figure here is of real attacks. The line of each in a report: docs/model-cards/cf-dual-1.md, anchors
threshold-parallax_live_min and so on. Percentiles are of the calibration set, display light 3 to 40 % of the ambient
light.
"""

PARALLAX_FRAMES_MIN = 10
"""Frames after the first: less is too short to move in."""
PARALLAX_CORNERS_MIN = 30
"""Corners followed through the whole clip: 60 numbers a frame for 11 that are fitted. With fewer, single corners on a
screen's mirrored display made F-ratios up to 46."""
PARALLAX_LIVE_MIN = 9.0
"""F-ratio of the generic depth profile. Three in four living faces are above; those that keep still are at 3 to 9, so
inconclusive. 5 % of the sheets (bent ones that turn: they are curved as a head) and 7 % of the screens (with the
display mirrored at another depth) are above too, for the errors of following corners are not independent."""
PARALLAX_ATTACK_MAX = 1.5
"""F-ratio of what moved enough and yet shows no depth. None of 78 living faces that did, 4 in 10 of the sheets and 2
in 10 of the screens. At 2.0 it would refuse 2 of the 78."""
PARALLAX_MOTION_MIN = 0.2
"""Change of scale and aspect from which a face would have shown its depth. Below it no face is called an attack."""

LIGHT_RATIO_MIN = 0.01
"""Display's light over ambient light. Below it the flash detectors abstain: what noise leaves of the answer decides."""
FLASH_ERROR_MAX = 0.45
"""Standard error of one square's gain over the light ratio. Above it they abstain too: it is dark, and the display
weaker still. 5.4 % of living faces, half of them in less than 90 lux, nearly all at a ratio below 0.06. Without this
limit one in three of these would be refused as attacks; dark skin, which sends back less, most often.
"""
FLASH_FRAMES_MIN = 16
"""Frames of the plan that were seen: four of its five colours."""
FLASH_MATCH_MIN = 0.93
"""Part of the face's change of colour that the colours shown explain. Living faces: 0.94 and more for 99 %, half of
them 0.996. A recording in the light of another plan: half below 0.7; above 0.95 only where its screen mirrors the
display. 0.95 would refuse 8 living faces more, and hold back one attack more."""
FLASH_GAIN_MIN = 0.28
FLASH_GAIN_MAX = 2.8
"""The answer's strength in the middlemost square over the light ratio, with room for a meter that is off by a fifth
(deviation) and for faces from 0.4 m to 0.9 m off. Living faces: 0.41 to 2.25 for 98 %. Screens shine by themselves, so
less (5 %: 0.1), or mirror the display, so more (95 %: 4.7)."""
FLASH_LAG_MAX = 0.5
"""Frames by which the answer comes late, the display's own known delay taken off. Living faces: at most 0.08. A relay
needs one frame at least."""
FLASH_SHAPE_MIN = 7.0
"""F-ratio of the generic face. Living faces: 7.9 and more for 99 %, half 28. Sheets: half 3; screens: half 7."""
FLASH_RELIEF_MIN = 0.125
"""Root mean square of what the generic face explains. Living faces: 0.127 and more. Sheets, bent ones too: at most
0.123, 95 % below 0.08. Screens that mirror a patch of the display: up to 0.4."""
FLASH_HOLLOWS_MIN = 1.1
"""Growth of the logarithm of the strength with an eye distance of depth. Living faces: 1.39 and more for 99 %. Sheets:
0.3; screens: anything from -7 to 10, half of them below 0.95, for the edge of a mirrored patch knows no hollows."""
FLASH_LEAST_MIN = 0.34
FLASH_MOST_MAX = 2.5
"""Tenth and ninetieth percentile of the strength over its median, beside the eyes. Living faces: 0.40 and more for 99 %
and at most 2.3; screens that mirror a patch of the display: half below 0.28, 95 % up to 9."""

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
