"""Telling partners' own systems what happened: signed, repeated, logged, replayable.

Domains declare in their manifests which of their events are told (`catalogue.WebhookEvent`); an organisation subscribes
with an address. Headers and signature are those of the Standard Webhooks specification 1.0.
"""
