"""The settings file that a new home starts with."""

DEFAULT_SETTINGS = """\
# Settings of one Openstile installation. Every key may be left out; the values below are the defaults.
# docs/operator-guide.md explains each. OPENSTILE_<TABLE>__<KEY> in the environment wins over this file.

[operator]
id = "example-operator"     # who runs the gates; goes into each pass
gate_group = "main"         # gates that share one sealing key

[issuer]
id = "example-issuer"       # who signs passes
algorithm = "EdDSA"         # of new issuer keys: EdDSA or ES256
status_list_uri = ""        # where the status list will be published; empty: passes carry no status reference
status_list_size = 16777216 # a pass gets a random index below this; nine tenths are used at most
status_list_days = 7        # for how long gates may use a list that was built
status_list_ttl_s = 300     # how often gates shall look for a newer one

[gate]
id = "gate-1"
direction = "in"            # which way the barrier lets people through: in or out
language = "en"             # of the display: en or de
camera = "camera:0"         # camera:N, rtsp://..., a video file, or a folder of frames
barrier = "console"         # console, http://... or gpio:PIN
barrier_open_ms = 3000
barrier_token_file = ""     # file with the token that an HTTP barrier asks for; readable by its owner only
model_pack = "centerface-dual"
display = "console"         # console: texts; light: a screen of the gate's own, filled with colours while it looks
display_lag_frames = 0      # frames from a colour to the camera's first frame in it: openstile gate --measure-light
display_light_ratio = 0.0   # the screen's light, all white, over the ambient light on a face; 0: not measured
display_opt_out = "none"    # how a rider asks for no colours: none, console (key X), gpio:PIN (a button to ground)
message_ms = 1500           # how long an answer stays on the display
rearm_ms = 1500             # a pass must be out of view so long before it counts as shown again

[policy]
products = []               # products that open this gate; empty: all
look_ms_max = 4000          # how long the gate looks for a frame that suffices
comparisons_max = 3         # good frames compared before the answer is no; each is also a chance for a stranger
# distance_max = 0.50       # smaller refuses more owners, larger admits more strangers; default: the pack's own
clock_skew_s = 60           # tolerated difference of the issuer's and the gate's clocks
clock_back_s_max = 300      # a clock this much behind the newest tap is not believed
passback_s = 300            # an admitted pass is refused here for so long; 0: off
attempts_max = 5            # wrong faces or PINs of one pass within the window below
attempts_window_s = 300
status_age_s_max = 86400    # how old a status list may be that says a pass was not withdrawn
status_when_stale = "refuse" # without a list fresh enough: refuse, or admit (marked in the journal)
attack_mode = "monitor"     # detectors of presentation attacks: off, monitor (only counted), enforce
attack_flash = "on"         # whether a display in colours may light the rider's face
attack_monitored = []       # detectors that are only counted where the others decide
attendance = "attended"     # whether staff see the lane: attended, unattended
live_products = []          # products that must be shown live from the rider's phone

# [zone] and [quality] hold what a frame must offer: see docs/operator-guide.md.

# [products."Season 2026"]  # a table each, in place of policy.products and policy.live_products
# showing = "any"           # any, or live: only from the rider's phone

[context]                   # a network of your own that sees presentation attacks; it can deny, and nothing more
network = ""                # ONNX file; empty: none
sha256 = ""                 # of the file
source = ""                 # its input, (1, 3, side, side) float32
result = ""                 # its output, a number a class
side = 80                   # pixels
around = 2.7                # width of what it sees over that of the face's box
channels = "bgr"            # order of the colours: bgr, rgb
mean = [0.0, 0.0, 0.0]      # (value - mean) * scale, in that order
scale = 1.0
attack_index = 1            # which class is the attack, from 0
attack_min = 0.9            # from which probability (after softmax) on it is one: set it on your own data

[hardware]
module = ""                 # PKCS#11 module of a token for private keys, as /usr/lib/softhsm/libsofthsm2.so
token = ""                  # the token's label
pin_file = ""               # file with the token's pin; readable by its owner only

[trust]
bundle_url = ""             # where this gate fetches its trust bundle; empty: openstile bundle apply
status_lists = []           # addresses of status lists to fetch, as they stand in passes
ca_file = ""                # certificates (PEM) that these servers are checked with; empty: the system's
fetch_every_s = 300         # how often; sooner where a list says so

[uplink]
office = ""                 # who gathers the taps, as https://office.example; empty: the office joined, or none
sync_every_s = 5            # how often taps are sent
batch_taps = 500            # how many at most in one request
keep_days = 14              # for how long a tap waits for an office that cannot be reached; then it fades unsent
ca_file = ""                # certificates (PEM) that the office is checked with; empty: the system's

[retention]
trips_hours = 48            # then a tap becomes one in a count per day and product; first the office must hold it
review_days = 14            # an office: for how long a trip that cannot be priced waits for somebody to look
audit_days = 400            # an office: of what staff did, and of alarms
backup_days = 7             # an office: then `office backup --prune` removes a backup

[office]
name = "Openstile"          # as passkeys' prompts show it
database = ""               # sqlite:////path/office.db or postgresql://user@host/name; empty: in the home
listen = "127.0.0.1:8080"   # plain HTTP: a proxy in front of it speaks TLS
public_url = "http://localhost:8080" # as browsers see the office; passkeys are bound to it
proxies = []                # addresses of proxies whose X-Forwarded-For is believed
currency = "EUR"
feed = ""                   # GTFS feed, zip or folder
fare_rules = ""             # caps, systems, period products (docs/fares.md)
payments = []               # providers of top-ups: "stripe"; "demo" moves no money and is for trying out
stripe_key_file = ""        # file with Stripe's secret API key; readable by its owner only
stripe_webhook_secret_file = "" # file with the signing secret of Stripe's webhook
demo_secret_file = ""       # file with the secret that the demo provider's events are signed with
clock_tolerance_s = 120     # taps of clocks that are further off go to review
metrics_token_file = ""     # file with the token that /metrics asks for; empty: it is closed
traces_url = ""             # OTLP over HTTP; needs the extra telemetry
oidc_issuer = ""            # OpenID provider of the staff; empty: passkeys only
oidc_client_id = ""
oidc_client_secret_file = "" # empty: a public client
oidc_redirect_url = ""      # page that takes the provider's answer
oidc_ca_file = ""           # certificates (PEM) that the provider is checked with; empty: the system's
"""
