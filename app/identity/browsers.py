"""The name of a browser from its User-Agent, good enough for a person to recognise it. Pure."""

from __future__ import annotations

BROWSERS = (
    ("MicroMessenger", "WeChat"),
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("HeadlessChrome", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl", "curl"),
    ("python", "Python"),
)
SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def client_name(user_agent: str) -> str:
    """`Mozilla/5.0 (Windows NT 10.0 ...) ... Chrome/140` -> "Chrome · Windows"; empty when nothing is known."""
    browser = next((name for mark, name in BROWSERS if mark.lower() in user_agent.lower()), "")
    system = next((name for mark, name in SYSTEMS if mark.lower() in user_agent.lower()), "")
    return " · ".join(part for part in (browser, system) if part)
