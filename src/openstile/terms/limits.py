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
TEMPLATE_PARTS_MAX = 4
PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12
PRODUCT_CHARS_MAX = 48
ZONES_MAX = 16
PASS_DAYS_MAX = 3 * 366
NAME_CHARS_MAX = 40
"""Of an operator, a gate group, an issuer, a rider category or a zone."""
STATUS_URI_CHARS_MAX = 200
STATUS_INDEX_MAX = 2**32 - 1
REFERENCE_BYTES_MIN = 16
KEY_DAYS_MAX = 10 * 366
CLOCK_SKEW_S_MAX = 600
LIVE_AGE_S_MAX = 25
LIVE_AHEAD_S_MAX = 5
"""A live code is accepted from so long before its own time until so long after it: 30 s together, then it is dead,
whatever the phone's clock says."""
EPOCH_SECONDS_MAX = 2**33
"""No pass expires after the year 2242: keeps every time inside what all platforms can represent."""

# Status lists (docs/pass-format.md, "Status lists").
STATUS_ENTRIES_MAX = 2**27
"""Passes in one list: 16 MiB of bits in a gate's memory."""
STATUS_BITS_BYTES_MAX = STATUS_ENTRIES_MAX // 8
"""Inflating stops here."""
STATUS_TOKEN_BYTES_MAX = STATUS_BITS_BYTES_MAX + 2**20
"""A signed list, before any parsing. Deflate never makes bits longer by more than a thousandth (RFC 1951)."""
STATUS_TOKEN_ITEMS_MAX = 32
STATUS_TTL_S_MAX = 30 * 86_400

# The issuer's register of passes.
REGISTER_PASSES_SHOWN_MAX = 10_000
REGISTER_IDS_BYTES_MAX = 16 * 2**20
"""A file of pass ids, one a line: about half a million."""

# Images and frames.
IMAGE_FILE_BYTES_MAX = 64 * 2**20
IMAGE_PIXELS_MAX = 50_000_000
"""Read from the header before decoding; larger images are refused, not scaled."""
IMAGE_SIDE_PIXELS_MIN = 16
IMAGE_SIDE_PIXELS_MAX = 20_000
FACES_PER_FRAME_MAX = 32
QR_CODES_PER_FRAME_MAX = 4
QR_MODULE_PIXELS_MAX = 64
QR_CLOSER_LOOK_SIDE_PIXELS_MAX = 1024
"""The part of a frame that is enlarged twice when a code was found in it and could not be read."""
ENROL_FACES_MAX = 16
FRAMES_PER_FOLDER_MAX = 10_000

# Presentation attacks (docs/presentation-attacks.md).
ATTACK_DETECTOR_CHARS_MAX = 20
"""Of a detector's name: it is counted under it, with `pad_` before and the verdict behind."""
ATTACK_CLIP_FRAMES_MAX = 250
"""Of one clip: ten seconds."""
ATTACK_CONTEXT_SIDE_PIXELS_MAX = 512
"""Of the input of a deployer's context network."""
DEPTH_SIDE_PIXELS_MAX = 4096
"""Of a depth or infrared picture."""

# Model packs (docs/model-packs.md).
PACK_ID_CHARS_MAX = 24
"""The id goes into each pass, so it is short."""
PACKS_MAX = 64
PACK_WEIGHTS_MAX = 8
MODEL_OPERATIONS_MAX = 10_000
MODEL_TOPOLOGY_BYTES_MAX = 4 * 2**20
STAGE_INPUTS_MAX = 4096
"""Numbers that a network gives, before they are projected."""
ARCHIVE_MEMBERS_MAX = 20_000
FACE_CANDIDATES_MAX = 512
"""Boxes of a detector that are looked at before overlapping ones are merged."""

# The trust bundle (docs/trust-bundle.md).
BUNDLE_BYTES_MAX = 64 * 2**20
"""Status lists ride inside: ten million passes are 1.25 MB before compression."""
BUNDLE_ITEMS_MAX = 2**15
BUNDLE_SEQUENCE_MAX = 2**53 - 1
"""The largest integer that every JSON reader takes exactly."""
BUNDLE_DAYS_MAX = 366
BUNDLE_OPERATORS_MAX = 8
BUNDLE_GROUP_KEYS_MAX = 16
BUNDLE_LISTS_MAX = 64
BUNDLE_SETTINGS_MAX = 64
BUNDLE_SETTING_CHARS_MAX = 4000
BUNDLE_PRODUCTS_MAX = 256
BUNDLE_SEALED_KEYS_MAX = 4096
"""One for each gate and gate-group key: a thousand gates and four keys."""
TRUST_FLOORS_BYTES_MAX = 2**20
TRUST_LISTS_MAX = 1024
"""Addresses of status lists that a gate remembers the newest list of."""
ETAG_CHARS_MAX = 256

# Changes of keys.
KEY_OVERLAP_HOURS_MAX = 90 * 24
"""How long gates may have to learn a new key before it is used."""
KEY_GRACE_DAYS_MAX = PASS_DAYS_MAX
"""After that no pass sealed to a stolen key is left anyway."""

# Files of ours and of deployers.
SETTINGS_BYTES_MAX = 64 * 2**10
KEY_FILE_BYTES_MAX = 4 * 2**10
KEYS_MAX = 64
WALLET_FILE_BYTES_MAX = 16 * 2**10
"""A holder's key, or a pass on a phone."""
MANIFEST_BYTES_MAX = 64 * 2**10
MODEL_FILE_BYTES_MAX = 512 * 2**20
ARCHIVE_BYTES_MAX = 256 * 2**20

# Keys in hardware.
HARDWARE_LABEL_BYTES_MAX = 32
"""Of a token's label (PKCS#11, CK_TOKEN_INFO)."""
HARDWARE_KEY_ID_BYTES_MAX = 32
PIN_FILE_BYTES_MAX = 256
"""A token's pin and a line end."""

# The gate.
PASSES_WATCHED_MAX = 10_000
"""Passes whose failed attempts a gate remembers at one time, in memory only."""
PIN_WAIT_S_MAX = 30
"""How long a gate waits for a PIN before it serves the next rider."""
PIN_LINE_BYTES_MAX = 256
JOURNAL_BYTES_FREE_MIN = 16 * 2**20
"""With less free disk than this, `openstile doctor` calls a gate not ready."""

# The journal.
JOURNAL_BYTES_MAX = 4 * 2**30
"""A journal that reached this takes no more taps until older ones fade: over ten million taps."""
JOURNAL_FADE_BYTES = 2**20
"""What fading may use beyond that, so that a full journal can still be emptied."""
JOURNAL_REASON_CHARS_MAX = 40
JOURNAL_TAPS_SHOWN_MAX = 10_000
JOURNAL_PASSES_REMEMBERED_MAX = 100_000
"""Of so many passes admitted last a gate knows when that was: more than it can let through within the longest time of
anti-passback, a day, at one a second. About 25 MB when full."""
RECEIPT_BYTES_MAX = 1024
"""Of the office's answer to a batch."""
UPLINK_FAULT_BYTES_MAX = 8192
"""Of the file that says why a gate's last sync failed."""
SIGNATURE_HEADERS_CHARS_MAX = 2000
"""Of a signed request's Signature-Input, Signature and Content-Digest together."""
REQUEST_AHEAD_S_MAX = 60
"""How far a gate's clock, corrected by the office's, may be ahead when it signs a request."""

# Money.
MONEY_MINOR_MAX = 10**15
"""Of one amount or balance: keeps sums of all accounts inside 64 bits."""

# Fares (docs/fares.md).
FEED_FILE_BYTES_MAX = 256 * 2**20
"""One file of a GTFS feed, decompressed."""
FEED_ARCHIVE_BYTES_MAX = 512 * 2**20
FEED_ROWS_MAX = 5_000_000
"""Rows of one file of a feed that is read."""
FEED_FIELD_CHARS_MAX = 2000
FEED_LINE_BYTES_MAX = 2**20
FEED_SERVICE_DAYS_MAX = 20 * 366
"""From the first to the last day of one service of a feed."""
FEED_DAYS_MAX = 2_000_000
"""Days of all services that timeframes name, each counted by itself."""
FEED_WARNINGS_MAX = 200
"""Those that are kept; how many more there were is said."""
FARE_RULES_MAX = 1_000_000
FARE_RULES_FILE_BYTES_MAX = 256 * 2**10
"""Our own file of caps, systems and period products."""
TAPS_PRICED_MAX = 1_000_000
"""Taps in one file for `openstile fares price`."""
LEGS_PER_JOURNEY_MAX = 32
FARE_RULES_TABLES_MAX = 256
"""Systems, caps, period products or categories in that file."""
FARE_ID_CHARS_MAX = 40
FARE_NAME_CHARS_MAX = 80
"""Of what a rider reads: the name of a cap or a period product."""
TAPS_FILE_BYTES_MAX = 256 * 2**20
TAPS_FIELD_CHARS_MAX = 200

FARE_CACHED_MAX = 50_000
"""Answers that pricing by a feed remembers of one kind (pairs of areas, local days, riders' prices); then it begins
anew."""

# The office (docs/office.md).
BATCH_TAPS_MAX = 1000
BATCH_BYTES_MAX = 512 * 2**10
REQUEST_BYTES_MAX = 64 * 2**10
"""Of any request to the office that is no batch."""
PAGE_ITEMS_MAX = 200
CLAIM_TTL_S_MAX = 86_400
REQUEST_AGE_S_MAX = 300
"""How old a gate's signed request may be; its nonce is remembered for as long."""
IDEMPOTENCY_KEY_CHARS_MAX = 128
CONTACT_CHARS_MAX = 254
EPOCHS_PER_GATE_MAX = 1000
TAP_HASHES_DAYS = 100
"""For so long after a tap has faded the office keeps its hash: longer than a gate keeps taps that were not sent."""
EPOCH_ID_MAX = 2**23 - 1
"""Epochs of all gates together."""
TAP_SEQ_MAX = 2**40 - 1
"""Taps of one epoch: a tap each second for 34,000 years."""
FEED_ID_CHARS_MAX = 200
"""Of a stop or a network, where staff say at which one a gate stands."""
CLAIM_TOKEN_CHARS = 52
"""32 random bytes in Base32 without padding."""
GATE_KEYS_MAX = 4
"""Of one gate that are valid at one time: two while they rotate, and one spare each."""
KEY_OVERLAP_S = 86_400
"""For how long a gate's old key still signs after it made a new one."""
GAP_ALARM_S = 600
"""A gap that stays for longer is looked at by somebody."""

# Sign-in at the office.
SIGN_IN_FAILURES_MAX = 10
"""Failed sign-ins of one client in the window; then it waits."""
SIGN_IN_WINDOW_S = 900
SIGN_IN_CLIENTS_WATCHED_MAX = 10_000
CHALLENGES_OPEN_MAX = 10_000
"""Sign-ins that have begun and have no answer yet; where one more begins, the oldest is forgotten."""
PASSKEYS_PER_OWNER_MAX = 20
WEBAUTHN_ID_BYTES_MAX = 1023
"""Of a credential id (WebAuthn, section 4)."""
WEBAUTHN_KEY_BYTES_MAX = 2048
WEBAUTHN_TEXT_CHARS_MAX = 16 * 2**10
"""Of one part of an authenticator's answer, base64url."""
STAFF_NAME_CHARS_MAX = 80
OIDC_SUBJECT_CHARS_MAX = 255
AUDIT_DAYS_MIN = 30
"""The database keeps what staff did at least so long, whatever is set."""
OIDC_ANSWER_BYTES_MAX = 256 * 2**10

# Forgetting and backups (docs/data-held.md).
TRIPS_HOURS_MAX = 168
REVIEW_DAYS_MAX = 30
"""A trip that nobody could price goes then, however it is set."""
PASS_FORGOTTEN_DAYS = 7
AUDIT_DAYS_MAX = 10 * 366
BACKUP_DAYS_MAX = 90
BACKUP_MANIFEST_BYTES_MAX = 64 * 2**10

# The ledger.
LEDGER_ENTRIES_MAX = 64
"""Entries of one posting."""
LEDGER_MEMO_CHARS_MAX = 200
LEDGER_BATCH_MAX = 5000
"""Postings of one call."""
LEDGER_SHARDS_MAX = 256
"""Of one account that many post to at once."""
LEDGER_HOLD_HOURS_MAX = 24
"""Of a hold, from now to its expiry (terms.held: Until.EXPIRES)."""

# The lab: linking passes, and its report (docs/lab.md).
LINK_TRIALS_MAX = 100_000
"""Pairs of passes of one kind."""
LINK_PEOPLE_MIN = 8
"""Half of them teach the attack, the other half are attacked: fewer make no pairs."""
REPORT_JSON_BYTES_MAX = 64 * 2**20

# The lab: data sets and runs (docs/lab.md).
LAB_SUBJECTS_MAX = 20_000
LAB_CAPTURES_MAX = 100_000
LAB_CONDITIONS_MAX = 64
LAB_ATTRIBUTES_MAX = 32
LAB_ID_CHARS_MAX = 80
"""Of a person, a session, a condition, an attribute or an answer."""
LAB_CSV_BYTES_MAX = 1024 * 2**20
LAB_CSV_ROWS_MAX = 20_000_000
LAB_COMPARISONS_MAX = 60_000_000
"""Of one run; they lie in memory, 12 bytes each."""
LAB_WORKERS_MAX = 512
LAB_WORK_BYTES_MAX = 2 * 2**30
"""Of the file that an interrupted run is resumed from."""
LAB_REPLICATES_MAX = 100_000
LAB_WORST_MAX = 1000
"""Pairs of the list of worst pairs."""

# The lab: recorded presentations (docs/presentation-attacks.md, "Field kit").
ATTACK_SESSION_BYTES_MAX = 32 * 2**20
ATTACK_SESSIONS_MAX = 64
"""Files that are counted together."""
ATTACK_PRESENTATIONS_MAX = 10_000
"""Of one file."""
ATTACK_PRESENTATION_BYTES_MAX = 3072
"""Of one presentation as it is written: there is no room for a picture in it."""
ATTACK_NUMBER_MAX = 9999
"""Of a person or an instrument; people and instruments are numbered, not named."""
ATTACK_SPECIES_CHARS_MAX = 40
ATTACK_CONDITIONS_CHARS_MAX = 80
ATTACK_CLIP_DETECTORS_MAX = 8
ATTACK_TIMES_MAX = 100
"""Presentations of one species and person that are asked for in a row."""

assert PASS_TEXT_CHARS_MAX >= 4 + (PASS_BYTES_MAX * 3 + 1) // 2
assert TEMPLATE_BYTES_MAX + SALT_BYTES < PASS_BYTES_MAX
assert STATUS_ENTRIES_MAX % 8 == 0
assert STATUS_ENTRIES_MAX <= STATUS_INDEX_MAX + 1
assert STATUS_BITS_BYTES_MAX + STATUS_BITS_BYTES_MAX // 1000 + PASS_BYTES_MAX <= STATUS_TOKEN_BYTES_MAX
assert PIN_DIGITS_MIN < PIN_DIGITS_MAX < PIN_LINE_BYTES_MAX
assert REFERENCE_BYTES_MIN <= TEMPLATE_BYTES_MAX
assert PASS_DAYS_MAX < KEY_DAYS_MAX
assert FACES_PER_FRAME_MAX <= FACE_CANDIDATES_MAX
assert IMAGE_SIDE_PIXELS_MIN**2 < IMAGE_PIXELS_MAX < IMAGE_SIDE_PIXELS_MAX**2
assert 5 * BUNDLE_SEALED_KEYS_MAX + 3 * BUNDLE_PRODUCTS_MAX + 2 * BUNDLE_SETTINGS_MAX + 6 * KEYS_MAX < BUNDLE_ITEMS_MAX
assert BUNDLE_LISTS_MAX <= TRUST_LISTS_MAX
assert BATCH_TAPS_MAX * 160 < BATCH_BYTES_MAX
assert MONEY_MINOR_MAX * 9000 < 2**63
assert (EPOCH_ID_MAX + 1) * (TAP_SEQ_MAX + 1) <= 2**63
assert len("pad_") + ATTACK_DETECTOR_CHARS_MAX + len("_inconclusive") <= JOURNAL_REASON_CHARS_MAX
assert ATTACK_PRESENTATIONS_MAX * ATTACK_PRESENTATION_BYTES_MAX < ATTACK_SESSION_BYTES_MAX
