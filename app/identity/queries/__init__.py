"""Reads of identity. What other domains ask is here by name; account and administration pages have modules of their own."""

from app.identity.queries.directory import (
    OrganisationView,
    PersonView,
    members_with_role,
    organisation,
    organisation_by_uscc,
    organisation_ids_named,
    organisation_name,
    organisations_by_ids,
    organisations_of_kind,
    person,
    persons_by_ids,
    users_of_organisation,
    users_of_role,
)

__all__ = [
    "OrganisationView",
    "PersonView",
    "members_with_role",
    "organisation",
    "organisation_by_uscc",
    "organisation_ids_named",
    "organisation_name",
    "organisations_by_ids",
    "organisations_of_kind",
    "person",
    "persons_by_ids",
    "users_of_organisation",
    "users_of_role",
]
