"""What the clock does to the item list: versions come into force on their day."""

from app.kernel.jobs import Job, every
from app.kernel.words import N_
from marketplace.services import catalogue

JOBS = (
    Job(
        "marketplace.items-take-effect",
        catalogue.take_effect_due,
        every(seconds=30),
        N_("Put item versions into force on their day"),
    ),
)
