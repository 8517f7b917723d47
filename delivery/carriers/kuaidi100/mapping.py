"""kuaidi100's JSON to our models and back. Pure; the states are `states.csv`, read once.

The aggregator tells no codes of the carrier, only its own states. An entry without a state of its own is transit, and
the newest entry has the state of the whole answer.
"""

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

from delivery.carriers.kuaidi100.signing import query_sign
from delivery.observed import Observation, SignerClass, Status
from delivery.ports import Report
from delivery.rules import signer_in

CARRIER: Final = "kuaidi100"
MAPPING_VERSION: Final = "kuaidi100/1"
EMS: Final = "ems"
"""How the aggregator names the carrier that we ask about."""
_BEIJING: Final = ZoneInfo("Asia/Shanghai")
_TIME_FORMAT: Final = "%Y-%m-%d %H:%M:%S"


class BadAnswer(Exception):
    """An answer that is neither tracking nor one of the aggregator's refusals."""


@dataclass(frozen=True, slots=True)
class State:
    """A row of the table."""

    name: str
    status: Status
    signer: SignerClass


@cache
def states() -> Mapping[str, State]:
    """The table by code. Raises ValueError if a code stands twice."""
    text = resources.files(__package__).joinpath("states.csv").read_text("utf-8")
    table: dict[str, State] = {}
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        if row["code"] in table:
            raise ValueError(f"{row['code']} stands twice in states.csv")
        signer = SignerClass(row["signer"]) if row["signer"] else SignerClass.UNSTATED
        table[row["code"]] = State(row["name_zh"], Status(row["normalised"]), signer)
    return table


def query_form(waybill_no: str, customer: str, key: str) -> dict[str, str]:
    """The form of a query, oldest entry last, with states per entry."""
    param = _compact({"com": EMS, "num": waybill_no, "resultv2": "4", "show": "0", "order": "desc"})
    return {"customer": customer, "param": param, "sign": query_sign(param, key, customer)}


def subscription_form(waybill_no: str, key: str, callback: str, salt: str) -> dict[str, str]:
    """The form that asks for notices about a number."""
    parameters = {"callbackurl": callback, "salt": salt, "resultv2": "4"}
    return {
        "schema": "json",
        "param": _compact({"company": EMS, "number": waybill_no, "key": key, "parameters": parameters}),
    }


def _compact(content: Mapping[str, object]) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def reports(answer: Mapping[str, object], waybill_no: str) -> tuple[Report, ...]:
    """The entries of an answer, oldest first; those without a readable time are left out. Raises BadAnswer."""
    entries = answer.get("data")
    if not isinstance(entries, list):
        raise BadAnswer("no list of entries")
    told = [each for each in entries if isinstance(each, dict)]
    found = [
        _report(entry, waybill_no, _state_of(entry, newest=number == 0, answer=answer))
        for number, entry in enumerate(told)
    ]
    return tuple(each for each in reversed(found) if each is not None)


def _state_of(entry: Mapping[str, object], *, newest: bool, answer: Mapping[str, object]) -> str:
    own = str(entry.get("statusCode") or "").strip()
    if own:
        return own
    return str(answer.get("state") or "0").strip() if newest else "0"


def _report(entry: Mapping[str, object], waybill_no: str, code: str) -> Report | None:
    try:
        text = str(entry.get("time") or entry["ftime"]).strip()
        at = datetime.strptime(text, _TIME_FORMAT).replace(tzinfo=_BEIJING).astimezone(UTC)
    except (KeyError, ValueError):
        return None
    told = str(entry.get("context") or "")
    state = states().get(code)
    seen = Observation(
        carrier=CARRIER,
        waybill_no=waybill_no,
        code=code,
        occurred_at=at,
        status=state.status if state else Status.UNKNOWN,
        key=hashlib.sha256(f"{CARRIER}\x1f{waybill_no}\x1f{code}\x1f{at.isoformat()}\x1f{told}".encode()).hexdigest(),
        name=str(entry.get("status") or (state.name if state else "")),
        description=told,
        region=str(entry.get("areaName") or ""),
        known=state is not None,
        signer_class=state.signer if state else SignerClass.UNSTATED,
        signer_name=signer_in(told),
    )
    return Report(seen, dict(entry), MAPPING_VERSION)
