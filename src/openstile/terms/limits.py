"""A limit on everything untrusted, in one place, with the relations between them asserted.

Bytes and counts unless the name ends in a unit.
"""

# The pass (docs/pass-format.md).
PASS_BYTES_MAX = 4096
"""A decoded pass, before any parsing."""
PASS_TEXT_CHARS_MAX = 4 + (PASS_BYTES_MAX // 2) * 3
"""The text form: `OS1:` and Base45, three characters for two bytes (RFC 9285)."""
CBOR_DEPTH_MAX = 8
CBOR_ITEMS_MAX = 256
PASS_ID_BYTES = 16
SALT_BYTES = 16
COMMITMENT_BYTES = 32
KEY_ID_BYTES = 8
TEMPLATE_BYTES_MAX = 256
PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12
PRODUCT_CHARS_MAX = 48
ZONES_MAX = 16
PASS_DAYS_MAX = 3 * 366
EPOCH_SECONDS_MAX = 2**33
"""No pass expires after the year 2242: keeps every time inside what all platforms can represent."""

# Images and frames.
IMAGE_FILE_BYTES_MAX = 64 * 2**20
IMAGE_PIXELS_MAX = 50_000_000
"""Read from the header before decoding; larger images are refused, not scaled."""
IMAGE_SIDE_PIXELS_MIN = 16
IMAGE_SIDE_PIXELS_MAX = 20_000
FACES_PER_FRAME_MAX = 32
QR_CODES_PER_FRAME_MAX = 4
ENROL_FACES_MAX = 16
FRAMES_PER_FOLDER_MAX = 10_000

# Files of ours and of deployers.
SETTINGS_BYTES_MAX = 64 * 2**10
KEY_FILE_BYTES_MAX = 4 * 2**10
KEYS_MAX = 64
MANIFEST_BYTES_MAX = 64 * 2**10
MODEL_FILE_BYTES_MAX = 512 * 2**20
ARCHIVE_BYTES_MAX = 256 * 2**20

# The gate.
PASSES_WATCHED_MAX = 10_000
"""Passes whose failed attempts a gate remembers at one time, in memory only."""
JOURNAL_BYTES_FREE_MIN = 16 * 2**20
"""A gate with less free disk than this refuses instead of admitting without a record."""

assert PASS_TEXT_CHARS_MAX >= 4 + (PASS_BYTES_MAX * 3 + 1) // 2
assert TEMPLATE_BYTES_MAX + SALT_BYTES < PASS_BYTES_MAX
assert PIN_DIGITS_MIN < PIN_DIGITS_MAX
assert IMAGE_SIDE_PIXELS_MIN**2 < IMAGE_PIXELS_MAX < IMAGE_SIDE_PIXELS_MAX**2
