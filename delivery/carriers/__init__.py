"""Carriers behind the port of `delivery.ports`: one package or module each."""
