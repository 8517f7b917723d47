"""A stand-in for Stripe, in a process of its own.

It speaks Stripe's wire well enough for the real ``stripe`` package to be used unchanged in development and in tests:
objects, errors, idempotency keys, events, signed webhooks and a hosted cashier page. It imports nothing of the
application and the application imports nothing of it: they meet over HTTP only.

Real Stripe was never contacted while this was written. What is copied is its documented behaviour; the request and
response contract is taken from the types of the installed ``stripe`` package (see :mod:`payments.simulator.contract`).
"""
