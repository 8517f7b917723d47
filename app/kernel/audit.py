r"""The tamper-evident audit log: what was done, by whom, to what; provable to a citizen and beyond the operator's reach.

An event is written in the business transaction, not yet in sequence (a sequence inside it would serialise every
writer). A sequencer gives gap-free numbers, extends the Merkle tree of RFC 6962 and signs the tree head with a key that
is not in the database. `leaf = SHA-256(0x00 || "GMLOG/1\n" || SHA-256(salt || body))`: erasing salt and body for the
protection of a person leaves the tree whole, and the salt keeps a leaf from being guessed back to an ID number.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from flask import current_app
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel import clock, faults, merkle
from app.kernel.access import Actor
from app.kernel.db import Base, append_only, db, extra_ddl, in_transaction, new_id, transaction, use_case, uuid_pk
from app.kernel.errors import NotFound
from app.kernel.money import Money

LEAF_PREFIX: Final = b"GMLOG/1\n"
HEAD_PREFIX: Final = b"GMSTH/1\n"
SALT_BYTES: Final = 32
BATCH: Final = 1000
SEQUENCER_LOCK: Final = 0x474D4C4F47  # "GMLOG": the PostgreSQL advisory lock of the one sequencer


class AuditEvent(Base):
    """One act. `seq` is its index in the tree, empty until sequenced; `body` and `salt` are empty after erasure."""

    __tablename__ = "audit_event"
    id: Mapped[UUID] = uuid_pk()
    seq: Mapped[int | None] = mapped_column(unique=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(sa.String(60))
    action: Mapped[str] = mapped_column(sa.String(80))
    object_type: Mapped[str] = mapped_column(sa.String(40))
    object_id: Mapped[str] = mapped_column(sa.String(60))
    salt: Mapped[bytes | None] = mapped_column(sa.LargeBinary(SALT_BYTES))
    body: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    leaf: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    __table_args__ = (
        sa.Index("ix_audit_event_object", "object_type", "object_id", "id"),
        sa.Index(
            "ix_audit_event_unsequenced",
            "id",
            sqlite_where=sa.text("seq IS NULL"),
            postgresql_where=sa.text("seq IS NULL"),
        ),
    )


class AuditNode(Base):
    """A complete subtree: `hash` covers the leaves [idx * 2**level, (idx + 1) * 2**level)."""

    __tablename__ = "audit_node"
    level: Mapped[int] = mapped_column(sa.SmallInteger(), primary_key=True, autoincrement=False)
    idx: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary(32))


class AuditHead(Base):
    r"""A signed tree head: `signature` is Ed25519 over "GMSTH/1\nSIZE\nUNIXTIME\n" and the 32 bytes of the root."""

    __tablename__ = "audit_head"
    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    unixtime: Mapped[int]
    root: Mapped[bytes] = mapped_column(sa.LargeBinary(32))
    key_id: Mapped[str] = mapped_column(sa.String(16))
    signature: Mapped[bytes] = mapped_column(sa.LargeBinary(64))

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.unixtime, UTC)


_FIXED: Final = ("id", "at", "actor", "action", "object_type", "object_id", "leaf")
_SQLITE_ALLOWED: Final = (
    " AND ".join(f"NEW.{column} IS OLD.{column}" for column in _FIXED)
    + " AND (NEW.seq IS OLD.seq OR OLD.seq IS NULL)"
    + " AND ((NEW.body IS OLD.body AND NEW.salt IS OLD.salt) OR (NEW.body IS NULL AND NEW.salt IS NULL))"
)
_POSTGRES_ALLOWED: Final = (
    " AND ".join(f"NEW.{column} IS NOT DISTINCT FROM OLD.{column}" for column in _FIXED)
    + " AND (NEW.seq IS NOT DISTINCT FROM OLD.seq OR OLD.seq IS NULL)"
    + " AND ((NEW.body IS NOT DISTINCT FROM OLD.body AND NEW.salt IS NOT DISTINCT FROM OLD.salt)"
    + " OR (NEW.body IS NULL AND NEW.salt IS NULL))"
)
# Two changes are allowed: a number once, and erasure. Everything else the database refuses, whoever asks.
extra_ddl(
    AuditEvent,
    sqlite=(
        (
            "CREATE TRIGGER audit_event_no_delete BEFORE DELETE ON audit_event "
            "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
        ),
        (
            f"CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event WHEN NOT ({_SQLITE_ALLOWED}) "
            "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
        ),
    ),
    postgresql=(
        (
            "CREATE FUNCTION audit_event_guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF TG_OP = 'UPDATE' AND {_POSTGRES_ALLOWED} THEN RETURN NEW; END IF; "
            "RAISE EXCEPTION 'audit_event is append-only' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        ),
        (
            "CREATE TRIGGER audit_event_guard BEFORE UPDATE OR DELETE ON audit_event "
            "FOR EACH ROW EXECUTE FUNCTION audit_event_guard()"
        ),
    ),
)
append_only(AuditNode)
append_only(AuditHead)


# --- writing ----------------------------------------------------------------------------------------------------


def append(
    *, action: str, object_type: str, object_id: UUID | str, actor: Actor, body: Mapping[str, Any] | None = None
) -> AuditEvent:
    """Record an act in the open business transaction; it stands or falls with it.

    `body` holds plain values (text, numbers, UUIDs, instants, enums, Money, lists and mappings of these).
    Raises RuntimeError outside a transaction and TypeError for a value without one canonical spelling.
    """
    if not in_transaction():
        raise RuntimeError("an audit event belongs into the transaction of the act it records")
    event = AuditEvent(
        id=new_id(),  # known before the flush, for those who keep it beside what they write
        at=clock.now(),
        actor=actor_key(actor),
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        salt=secrets.token_bytes(SALT_BYTES),
    )
    event.body = canonical({**_bound(event), "by": _actor_facts(actor), "data": body or {}})
    assert event.salt is not None
    event.leaf = leaf_of(event.salt, event.body)
    db.session.add(event)
    return event


def actor_key(actor: Actor) -> str:
    """The name of an actor in the log: an id, never a person's name."""
    if actor.is_system:
        return "system"
    return f"user:{actor.user_id}" if actor.user_id else "anonymous"


def leaf_of(salt: bytes, body: bytes) -> bytes:
    return merkle.leaf_hash(LEAF_PREFIX + hashlib.sha256(salt + body).digest())


def canonical(value: Any) -> bytes:
    """The one spelling of a value: UTF-8 JSON, keys sorted, no spaces. Raises TypeError for a type without one, ValueError for NaN."""
    return json.dumps(
        _plain(value), ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value  # a float is spelt by its shortest repr; not-a-number has no spelling and is refused below
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Money):
        return value.fen
    if hasattr(value, "isoformat"):  # a date
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, set | frozenset):
        return sorted(_plain(item) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no canonical spelling in the audit log")


def _bound(event: AuditEvent) -> dict[str, Any]:
    """The columns that the body repeats, so that changing a column alone is found too."""
    return {
        "at": event.at.isoformat(),
        "actor": event.actor,
        "action": event.action,
        "object": f"{event.object_type}:{event.object_id}",
    }


def _actor_facts(actor: Actor) -> dict[str, Any]:
    return {"organisation": actor.organisation_id, "roles": actor.roles}


@use_case
def erase(actor: Actor, object_type: str, object_id: UUID | str, reason: str) -> int:
    """Erase the contents of an object's events (PIPL art. 47) and record that; leaves, order and proofs stay.

    Returns how many were erased. Where a law demands retention, do not call this: restrict access instead.
    """
    erased = db.session.execute(
        sa.update(AuditEvent)
        .where(
            AuditEvent.object_type == object_type,
            AuditEvent.object_id == str(object_id),
            AuditEvent.body.is_not(None),
        )
        .values(body=None, salt=None)
        .execution_options(synchronize_session=False)
    )
    count = int(getattr(erased, "rowcount", 0))
    append(
        action="audit.erase",
        object_type=object_type,
        object_id=object_id,
        actor=actor,
        body={"reason": reason, "events": count},
    )
    return count


# --- the tree ---------------------------------------------------------------------------------------------------


def sequence(limit: int = BATCH) -> int:
    """Number up to `limit` waiting events, extend the tree and sign a head. Returns how many were numbered.

    Any number of processes may call this: PostgreSQL serialises them with an advisory lock, SQLite with its write lock.
    """
    waiting = sa.select(AuditEvent.id).where(AuditEvent.seq.is_(None)).limit(1)
    if db.session.scalar(waiting) is None:
        return 0  # an idle sequencer must not take SQLite's write lock
    with transaction() as session:
        if session.get_bind().dialect.name == "postgresql":
            session.execute(sa.select(sa.func.pg_advisory_xact_lock(SEQUENCER_LOCK)))
        rows = session.execute(
            sa.select(AuditEvent.id, AuditEvent.leaf)
            .where(AuditEvent.seq.is_(None))
            .order_by(AuditEvent.id)
            .limit(limit)
        ).all()
        if not rows:
            return 0
        size = _size()
        fresh: dict[tuple[int, int], bytes] = {}

        def nodes(level: int, index: int) -> bytes:
            return fresh.get((level, index)) or stored_node(level, index)

        for seq, (_, leaf) in enumerate(rows, size):
            for level, index, digest in merkle.completed_nodes(seq, leaf, nodes):
                fresh[level, index] = digest
        session.execute(
            sa.update(AuditEvent), [{"id": event_id, "seq": seq} for seq, (event_id, _) in enumerate(rows, size)]
        )
        session.execute(
            sa.insert(AuditNode),
            [{"level": level, "idx": index, "hash": digest} for (level, index), digest in fresh.items()],
        )
        faults.point("audit-before-head")
        _sign_head(size + len(rows), nodes)
        return len(rows)


def sequence_all() -> int:
    """Number everything that waits; for the command line, tests and before a backup."""
    total = 0
    while done := sequence():
        total += done
    return total


def stored_node(level: int, index: int) -> bytes:
    """The hash of a complete subtree. Raises NotFound when the tree has not grown that far."""
    digest = db.session.scalar(sa.select(AuditNode.hash).where(AuditNode.level == level, AuditNode.idx == index))
    if digest is None:
        raise NotFound
    return digest


def _size() -> int:
    return (db.session.scalar(sa.select(sa.func.max(AuditNode.idx)).where(AuditNode.level == 0)) or 0) + bool(
        db.session.scalar(sa.select(AuditNode.idx).where(AuditNode.level == 0).limit(1)) is not None
    )


def _sign_head(size: int, nodes: merkle.Nodes) -> None:
    key = signing_key()
    moment = int(clock.now().timestamp())
    top = merkle.root(size, nodes)
    db.session.add(
        AuditHead(
            size=size,
            unixtime=moment,
            root=top,
            key_id=key_id(key.public_key()),
            signature=key.sign(head_message(size, moment, top)),
        )
    )


def head_message(size: int, unixtime: int, root: bytes) -> bytes:
    """The exact bytes that are signed."""
    return HEAD_PREFIX + f"{size}\n{unixtime}\n".encode() + root


# --- the key ----------------------------------------------------------------------------------------------------


def signing_key() -> Ed25519PrivateKey:
    """The log's private key, from the file that the settings name; made on first use where the settings allow it.

    Raises FileNotFoundError when there is none and the installation is a production one: a new key in silence would
    make every earlier head unverifiable.
    """
    path = Path(current_app.config["AUDIT_KEY_FILE"])
    if not path.exists():
        if getattr(current_app.extensions.get("chaoshi_settings"), "is_production", False):
            raise FileNotFoundError(f"the audit key {path} is missing; restore it from its safe place")
        _make_key(path)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError(f"{path} holds no Ed25519 key")
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_bytes(pem)
    try:
        os.link(draft, path)  # fails when another process was first, whose key then counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def key_id(key: Ed25519PublicKey) -> str:
    """Sixteen hexadecimal digits that name a public key."""
    return hashlib.sha256(public_bytes(key)).hexdigest()[:16]


def public_bytes(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def trusted_keys() -> dict[str, Ed25519PublicKey]:
    """The present key and the retired ones, whose public halves lie beside it as `<name>.<key id>.pub` (32 raw bytes)."""
    path = Path(current_app.config["AUDIT_KEY_FILE"])
    keys = [signing_key().public_key()]
    keys += [
        Ed25519PublicKey.from_public_bytes(old.read_bytes()) for old in sorted(path.parent.glob(f"{path.name}.*.pub"))
    ]
    return {key_id(key): key for key in keys}


# --- proving ----------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Receipt:
    """What a citizen keeps: the event's place in the log, the signed head and the path between them.

    Checked with nothing but SHA-256 and Ed25519, by `check_receipt` or any RFC 6962 verifier.
    """

    index: int
    leaf: bytes
    size: int
    unixtime: int
    root: bytes
    key_id: str
    signature: bytes
    path: tuple[bytes, ...]


def latest_head() -> AuditHead | None:
    return db.session.scalar(sa.select(AuditHead).order_by(AuditHead.size.desc()).limit(1))


def heads(limit: int) -> tuple[AuditHead, ...]:
    """The latest heads, newest first."""
    return tuple(db.session.scalars(sa.select(AuditHead).order_by(AuditHead.size.desc()).limit(limit)))


def receipt(event_id: UUID) -> Receipt | None:
    """The receipt of an event under the latest head; None while it waits for its number. Raises NotFound."""
    row = db.session.execute(sa.select(AuditEvent.seq, AuditEvent.leaf).where(AuditEvent.id == event_id)).one_or_none()
    if row is None:
        raise NotFound
    head = latest_head()
    if row.seq is None or head is None or head.size <= row.seq:
        return None
    path = merkle.inclusion_proof(row.seq, head.size, stored_node)
    return Receipt(row.seq, row.leaf, head.size, head.unixtime, head.root, head.key_id, head.signature, path)


def check_receipt(paper: Receipt, key: Ed25519PublicKey) -> bool:
    """Whether the receipt's head is signed by `key` and holds the leaf at the index."""
    return _signed(key, paper.size, paper.unixtime, paper.root, paper.signature) and merkle.verify_inclusion(
        paper.leaf, paper.index, paper.size, paper.path, paper.root
    )


def consistency(old_size: int, new_size: int) -> tuple[bytes, ...]:
    """The proof that the head of `old_size` is a prefix of that of `new_size`. Raises NotFound for sizes beyond the log."""
    if not 0 <= old_size <= new_size:
        raise NotFound
    return merkle.consistency_proof(old_size, new_size, stored_node)


def _signed(key: Ed25519PublicKey, size: int, unixtime: int, root: bytes, signature: bytes) -> bool:
    try:
        key.verify(signature, head_message(size, unixtime, root))
    except InvalidSignature:
        return False
    return True


# --- verifying the whole log ------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Verification:
    """The result of reading the whole log. `problems` name the place and what is wrong with it; empty means sound."""

    events: int
    waiting: int
    erased: int
    heads: int
    problems: tuple[str, ...]

    @property
    def sound(self) -> bool:
        return not self.problems


def verify() -> Verification:
    """Recompute every leaf, node and head from the events and compare with what is stored.

    Finds a changed body, column, leaf, node, order or signature, a missing or foreign event and a cut tail (as far as
    a head still stands: heads kept outside the house show the rest, see `check_receipt` and `consistency`).
    """
    return _Verifier().run()


class _Verifier:
    def __init__(self) -> None:
        self.problems: list[str] = []
        self.erased = 0
        self.size = 0
        self.peaks: dict[tuple[int, int], bytes] = {}  # complete subtrees still needed, so memory stays logarithmic

    def run(self) -> Verification:
        heads = list(db.session.scalars(sa.select(AuditHead).order_by(AuditHead.size)))
        keys = trusted_keys()
        pending = {head.size: head for head in heads}
        for chunk in self._chunks():
            self._chunk(chunk, pending, keys)
        self._tail(pending)
        self._foreign_nodes()
        waiting = self._waiting()
        return Verification(self.size, waiting, self.erased, len(heads), tuple(self.problems))

    def _chunks(self) -> Iterator[list[AuditEvent]]:
        last = -1
        while True:
            statement = sa.select(AuditEvent).where(AuditEvent.seq > last).order_by(AuditEvent.seq).limit(BATCH)
            rows = list(db.session.scalars(statement.execution_options(populate_existing=True)))
            if not rows:
                return
            yield rows
            assert rows[-1].seq is not None
            last = rows[-1].seq
            for row in rows:
                db.session.expunge(row)

    def _chunk(
        self, rows: list[AuditEvent], pending: dict[int, AuditHead], keys: Mapping[str, Ed25519PublicKey]
    ) -> None:
        computed: dict[tuple[int, int], bytes] = {}
        for row in rows:
            self._event(row, f"event {row.seq}")
            if row.seq != self.size:
                self.problems.append(f"event {self.size}: missing (the next number is {row.seq})")
            for level, index, digest in merkle.completed_nodes(self.size, row.leaf, lambda *at: self.peaks[at]):
                computed[level, index] = self.peaks[level, index] = digest
                if level:
                    del self.peaks[level - 1, index * 2], self.peaks[level - 1, index * 2 + 1]
            self.size += 1
            if head := pending.pop(self.size, None):
                self._head(head, keys)
        self._nodes(computed)

    def _event(self, row: AuditEvent, place: str) -> None:
        if row.body is None and row.salt is None:
            self.erased += 1
            return
        if row.body is None or row.salt is None:
            self.problems.append(f"{place}: half erased")
            return
        if leaf_of(row.salt, row.body) != row.leaf:
            self.problems.append(f"{place}: its contents do not match its leaf")
            return
        told = json.loads(row.body)
        for name, value in _bound(row).items():
            if told.get(name) != value:
                self.problems.append(f"{place}: column {name} differs from the recorded body")

    def _head(self, head: AuditHead, keys: Mapping[str, Ed25519PublicKey]) -> None:
        place = f"head {head.size}"
        if merkle.root(head.size, lambda *at: self.peaks[at]) != head.root:
            self.problems.append(f"{place}: its root is not the root of the first {head.size} events")
        key = keys.get(head.key_id)
        if key is None:
            self.problems.append(f"{place}: signed by an unknown key {head.key_id}")
        elif not _signed(key, head.size, head.unixtime, head.root, head.signature):
            self.problems.append(f"{place}: the signature does not hold")

    def _nodes(self, computed: dict[tuple[int, int], bytes]) -> None:
        for level in sorted({level for level, _ in computed}):
            indices = [index for at, index in computed if at == level]
            found = db.session.execute(
                sa.select(AuditNode.idx, AuditNode.hash).where(
                    AuditNode.level == level, AuditNode.idx.between(min(indices), max(indices))
                )
            )
            stored = {row.idx: row.hash for row in found}
            for index in indices:
                if stored.get(index) != computed[level, index]:
                    self.problems.append(f"node {level}/{index}: {'differs' if index in stored else 'missing'}")

    def _foreign_nodes(self) -> None:
        stored = db.session.scalar(sa.select(sa.func.count()).select_from(AuditNode)) or 0
        expected = sum(self.size >> level for level in range(self.size.bit_length()))
        if stored != expected:
            self.problems.append(f"tree: {stored} nodes are stored where {self.size} events make {expected}")

    def _tail(self, pending: Mapping[int, AuditHead]) -> None:
        for size in pending:
            self.problems.append(f"head {size}: signed {size} events, but only {self.size} are left")

    def _waiting(self) -> int:
        rows = list(db.session.scalars(sa.select(AuditEvent).where(AuditEvent.seq.is_(None))))
        for row in rows:
            self._event(row, f"waiting event {row.id}")
        return len(rows)


def lag_seconds() -> float:
    """Age of the oldest event without a number; 0 when nothing waits. Beyond 60 s the installation is not ready."""
    oldest = db.session.scalar(sa.select(sa.func.min(AuditEvent.at)).where(AuditEvent.seq.is_(None)))
    return max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0
