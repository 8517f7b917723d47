"""Where all pages of delivery are registered: one name, so that every address is `delivery.<page>`."""

from flask import Blueprint

pages = Blueprint("delivery", __name__, template_folder="../templates")
