"""Demonstration data: an invented province at work, made through the services under a moved clock.

`flask demo seed --scale 1` fills an empty database; the same seed gives the same world. Every organisation, person,
number and amount is invented; credit codes have valid check digits and carry the registrar mark `MADEM`.
"""
