"""One office with everything real behind it: database, clock, randomness, keys, providers."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from openstile.assembly.office_database import open_office_database
from openstile.assembly.office_riders import rider_jobs, rider_services
from openstile.assembly.office_trust import TrustFilesOfHome
from openstile.assembly.settings_office import OfficeTable, read_secret
from openstile.assembly.wire import Installation
from openstile.office.api.gates import TrustService
from openstile.office.api.office import Office, OfficeValues
from openstile.office.jobs import Job
from openstile.office.server import Listening
from openstile.office.staff.oidc import OidcClient, OidcProvider
from openstile.office.store.migrations.running import is_current
from openstile.terms.errors import BadInputError


@dataclass(frozen=True, slots=True)
class OpenedOffice:
    """An office that can be served."""

    office: Office
    listening: Listening
    jobs: tuple[Job, ...]


@contextmanager
def open_office(installation: Installation) -> Iterator[OpenedOffice]:
    """The office of this installation, ready to serve. Raises BadInputError for settings that cannot be used."""
    table = installation.settings.office
    with open_office_database(installation) as database:
        trust = TrustService(TrustFilesOfHome(installation.home.office_bundle, installation.home.status_lists))
        riders = rider_services(installation, database)
        office = Office(
            database=database,
            clock=installation.clock,
            random=secrets.token_bytes,
            values=_values(installation, table),
            is_current=is_current,
            oidc=_oidc(installation, table),
            services=(trust, riders),
        )
        host, port = table.host_and_port
        listening = Listening(host, port, tuple(table.proxies))
        yield OpenedOffice(office, listening, rider_jobs(installation, database, riders))


def _values(installation: Installation, table: OfficeTable) -> OfficeValues:
    token = None
    if table.metrics_token_file:
        path = installation.home.folder / table.metrics_token_file
        token = read_secret(path, what="office.metrics_token_file")
    return OfficeValues(
        name=table.name,
        public_url=table.public_url,
        currency=table.currency,
        clock_tolerance_s=table.clock_tolerance_s,
        metrics_token=token,
    )


def _oidc(installation: Installation, table: OfficeTable) -> OidcProvider | None:
    if not table.oidc_issuer:
        return None
    if not (table.oidc_client_id and table.oidc_redirect_url):
        raise BadInputError("office: set oidc_client_id and oidc_redirect_url beside oidc_issuer")
    folder, secret = installation.home.folder, None
    if table.oidc_client_secret_file:
        secret = read_secret(folder / table.oidc_client_secret_file, what="office.oidc_client_secret_file")
    return OidcProvider(
        OidcClient(
            issuer=table.oidc_issuer,
            client_id=table.oidc_client_id,
            redirect_url=table.oidc_redirect_url,
            client_secret=secret,
            ca_file=folder / table.oidc_ca_file if table.oidc_ca_file else None,
        )
    )
