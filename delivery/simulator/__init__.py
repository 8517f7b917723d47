"""The EMS open platform as a process of its own: the same bytes on the wire, its own number series, nothing real.

`python -m delivery.simulator --port 8422 --data DIR`. What it does not know about the real platform it makes
configurable by fault rules instead of guessing (EMS-PROTOCOL 8).
"""
