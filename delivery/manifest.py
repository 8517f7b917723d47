"""Table of contents of the delivery domain."""

from flask import Flask, current_app

from app.kernel.access import Role
from app.kernel.words import N_
from app.manifest import Domain, NavigationItem, Topic
from app.settings import Settings
from delivery.carriers import chosen
from delivery.handlers import HANDLERS
from delivery.jobs import JOBS
from delivery.policy import GRANTS
from delivery.states import MACHINES
from delivery.web import (
    batches,
    carriers,
    claims,
    commands,
    custody,
    days,
    desk_api,
    exceptions,
    handset,
    labels,
    links,
    parcels,
    proofs,
    recipients,
    returns,
    rounds,
    schedule,
    settlement,
    statistics,
    track,
    workbench,
)
from delivery.web.notices import notices
from delivery.worklist import STAFF_ROLES, worklist

PAGES = (
    batches,
    carriers,
    claims,
    custody,
    days,
    exceptions,
    labels,
    links,
    parcels,
    proofs,
    recipients,
    returns,
    rounds,
    schedule,
    settlement,
    statistics,
    track,
    workbench,
)


def init_app(app: Flask) -> None:
    """Choose the carrier."""
    chosen.init_app(app)


def on_start() -> None:
    """In the demonstration, enter where pushes go in the simulated platform's console; real ones are entered by hand."""
    carrier = chosen.carrier()
    if isinstance(carrier, chosen.DemonstrationEms):
        settings: Settings = current_app.extensions["chaoshi_settings"]
        carrier.register_callback(f"{settings.public_url}/delivery/notice/ems/{settings.ems_notice_segment}")


DOMAIN = Domain(
    name="delivery",
    machines=MACHINES,
    handlers=(HANDLERS,),
    jobs=JOBS,
    blueprints=(*dict.fromkeys(module.pages for module in PAGES), desk_api.api, notices, handset.pages, handset.api),
    grants=GRANTS,
    navigation=(
        NavigationItem(N_("Post workbench"), "delivery.workbench", "package", STAFF_ROLES, 40),
        NavigationItem(N_("Hand-over lists"), "delivery.batch_list", "clipboard-list", STAFF_ROLES, 41),
        NavigationItem(N_("Returns desk"), "delivery.returns", "truck-return", STAFF_ROLES, 41),
        NavigationItem(N_("Parcel exceptions"), "delivery.exceptions", "alert-triangle", STAFF_ROLES, 41),
        NavigationItem(N_("Close of day"), "delivery.days", "checklist", STAFF_ROLES, 42),
        NavigationItem(
            N_("Settlement with the carrier"), "delivery.carrier_bills", "receipt",
            frozenset({Role.POSTAL_SUPERVISOR, Role.OPERATOR, Role.AUDITOR}), 43,
        ),
        NavigationItem(
            N_("Delivery statistics"), "delivery.statistics", "chart-bar",
            frozenset({Role.POSTAL_SUPERVISOR, Role.OPERATOR, Role.REGULATOR, Role.AUDITOR}), 44,
        ),
        NavigationItem(
            N_("Claims against the carrier"), "delivery.carrier_claims", "scale",
            frozenset({Role.POSTAL_SUPERVISOR, Role.OPERATOR, Role.AUDITOR}), 43,
        ),
        NavigationItem(
            N_("Parcels"), "delivery.parcels", "truck-delivery",
            frozenset({Role.APPLICANT, Role.OPERATOR, Role.REGULATOR, Role.AUDITOR}), 42,
        ),
        NavigationItem(
            N_("Carriers"), "delivery.carriers", "truck", frozenset({Role.OPERATOR, Role.REGULATOR, Role.AUDITOR}), 43
        ),
        NavigationItem(N_("Reading reports again"), "delivery.mapping", "refresh", frozenset({Role.OPERATOR}), 44),
        NavigationItem(N_("Couriers' rounds"), "delivery.round_list", "route", frozenset({Role.POSTAL_STAFF, Role.POSTAL_SUPERVISOR}), 42),
        NavigationItem(N_("Handset"), "handset.shell", "device-mobile", frozenset({Role.COURIER}), 40),
        NavigationItem(N_("Originals collected"), "delivery.papers_list", "files", STAFF_ROLES | {Role.APPLICANT}, 43),
        NavigationItem(N_("Delivery complaints"), "delivery.complaint_list", "message-circle", STAFF_ROLES | {Role.APPLICANT, Role.OPERATOR}, 44),
        NavigationItem(N_("Workload"), "delivery.workload_page", "chart-bar", STAFF_ROLES | {Role.OPERATOR}, 45),
        NavigationItem(N_("Collection and promises"), "delivery.schedule", "clock", STAFF_ROLES, 46),
        NavigationItem(N_("Track a parcel"), "delivery.track", "route", order=90),
    ),
    worklist=worklist,
    object_href={
        "parcel": lambda object_id: f"/parcels/{object_id}",
        "courier-round": lambda object_id: f"/courier-rounds/{object_id}",
        "handover-batch": lambda object_id: f"/handover-batches/{object_id}",
        "carrier-bill": lambda object_id: f"/carrier-bills/{object_id}",
        "hall-day": lambda object_id: f"/delivery/days/{object_id}",
        "carrier-claim": lambda object_id: f"/carrier-claims/{object_id}",
        "letter-of-authority": lambda object_id: f"/letters-of-authority/{object_id}",
        "delivery-complaint": lambda object_id: f"/delivery-complaints/{object_id}",
        "papers": lambda object_id: f"/papers/{object_id}",
    },
    notice_topics=(Topic("delivery", N_("Parcels")),),
    commands=(commands.cli,),
    init_app=init_app,
    on_start=on_start,
)  # fmt: skip
