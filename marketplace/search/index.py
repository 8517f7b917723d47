"""The default search index: Whoosh for keeping, arrays for asking, one writer, many readers."""

import fcntl
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import numpy as np

from .contract import (
    Change,
    Document,
    Generation,
    IndexBusyError,
    IndexHealth,
    IndexUnavailableError,
    SearchPage,
    SearchQuery,
    Suggestion,
)
from .executor import Executor
from .packed import DamagedFileError, checksum, sync_directory
from .snapshot import Segment, export_segment
from .store import Weights, WhooshStore

FORMAT: Final = 2  # raise it when analysis, columns or files change: older indexes are then rebuilt
CACHED_PAGES: Final = 512
CHECK_SECONDS: Final = 1.0


class WhooshIndex:
    """An index in a directory.

    `manifest.json` names the visible build and its segments; it is replaced by a rename, so readers see a whole generation or the one
    before. Readers look for a new manifest at most once a second. Everything here can be thrown away and rebuilt from the database.
    """

    def __init__(
        self, directory: Path, *, weights: Weights | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._directory = directory
        self._weights = weights or Weights()
        self._monotonic = monotonic
        self._executor: Executor | None = None
        self._seen: tuple[int, int] | None = None
        self._looked_at = float("-inf")
        self._pages: dict[SearchQuery, SearchPage] = {}

    # asking

    def search(self, query: SearchQuery) -> SearchPage:
        """Answer one query. Raises IndexUnavailableError."""
        executor = self._current()
        page = self._pages.get(query)
        if page is None or page.generation != executor.generation:
            page = executor.search(query)
            if len(self._pages) >= CACHED_PAGES:
                self._pages.clear()
            self._pages[query] = page
        return page

    def suggest(self, prefix: str, limit: int = 10) -> tuple[Suggestion, ...]:
        """Names that complete `prefix`. Raises IndexUnavailableError."""
        return self._current().names.suggest(prefix, limit)

    def generation(self) -> Generation:
        """The visible generation. Raises IndexUnavailableError."""
        executor = self._current()
        return Generation(executor.generation, executor.documents)

    def health(self) -> IndexHealth:
        """Whether the visible generation can be opened; never raises."""
        try:
            manifest = self._manifest()
            executor = self._current()
        except IndexUnavailableError as failure:
            return IndexHealth(is_ready=False, generation=0, documents=0, segments=0, reason=str(failure))
        return IndexHealth(
            is_ready=True,
            generation=executor.generation,
            documents=executor.documents,
            segments=len(manifest["segments"]),
        )

    def refresh(self) -> None:
        """Look for a new generation now, not at the next full second."""
        self._looked_at = float("-inf")

    # writing

    def apply(self, changes: Iterable[Change]) -> Generation:
        """Take in a batch of changes and make it visible. Raises IndexBusyError, IndexUnavailableError."""
        last = {(change.kind, change.id): change for change in changes}
        with self._as_writer():
            manifest = self._manifest()
            build = self._directory / manifest["build"]
            try:
                store = WhooshStore(build / "whoosh")
                store.write(last.values(), self._weights)
                self._publish(store, manifest)
                store.close()
            except Exception as failure:
                if isinstance(failure, IndexUnavailableError):
                    raise
                # Whatever Whoosh cannot read is not worth repairing: the database has it all.
                raise IndexUnavailableError(f"cannot write: {failure!r}") from failure
        return self.generation()

    def rebuild(self, source: Iterable[Document]) -> Generation:
        """Build beside the old index, switch, then remove the old one. Raises IndexBusyError."""
        with self._as_writer():
            try:
                number = self._manifest()["generation"]
            except IndexUnavailableError:
                number = 0
            name = f"build-{time.time_ns()}"
            build = self._directory / name
            (build / "snapshot").mkdir(parents=True)
            store = WhooshStore(build / "whoosh", create=True)
            store.fill(source, self._weights)
            fresh = {"format": FORMAT, "build": name, "generation": number, "average_length": None, "categories": []}
            self._publish(store, {**fresh, "segments": []})
            store.close()
            self._remove_other_builds(name)
        return self.generation()

    def verify(self) -> bool:
        """Whether every file of the visible generation still has the checksum it was written with."""
        try:
            manifest = self._manifest()
            snapshot = self._directory / manifest["build"] / "snapshot"
            return all(checksum(snapshot / s["file"]) == s["checksum"] for s in manifest["segments"])
        except (IndexUnavailableError, OSError):
            return False

    # one generation

    def _current(self) -> Executor:
        moment = self._monotonic()
        if self._executor is not None and moment - self._looked_at < CHECK_SECONDS:
            return self._executor
        self._looked_at = moment
        try:
            status = (self._directory / "manifest.json").stat()
        except OSError as failure:
            self._executor = self._seen = None
            raise IndexUnavailableError("there is no index yet") from failure
        seen = (status.st_mtime_ns, status.st_ino)
        if self._executor is None or seen != self._seen:
            self._executor = None
            self._executor = self._open(self._manifest())
            self._seen = seen
        return self._executor

    def _open(self, manifest: dict[str, Any]) -> Executor:
        snapshot = self._directory / manifest["build"] / "snapshot"
        try:
            segments = [
                Segment(snapshot / entry["file"], _live_documents(snapshot, entry)) for entry in manifest["segments"]
            ]
        except (DamagedFileError, OSError, KeyError, ValueError) as failure:
            raise IndexUnavailableError(f"damaged: {failure!r}") from failure
        return Executor(segments, manifest["categories"], manifest["generation"])

    def _manifest(self) -> dict[str, Any]:
        try:
            manifest = json.loads((self._directory / "manifest.json").read_bytes())
        except (OSError, ValueError) as failure:
            raise IndexUnavailableError("there is no readable index") from failure
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise IndexUnavailableError("the index was written by another version")
        return manifest

    def _publish(self, store: WhooshStore, manifest: dict[str, Any]) -> None:
        """Export the segments that are new, note what was deleted in the others, and switch the manifest."""
        snapshot = self._directory / manifest["build"] / "snapshot"
        known = {entry["name"]: entry for entry in manifest["segments"]}
        categories = list(manifest["categories"])
        average = manifest["average_length"]
        number = manifest["generation"] + 1
        entries: list[dict[str, Any]] = []
        for name, reader in store.segments():
            entry = dict(known.get(name) or {"name": name, "file": f"{name}.bin", "live": None})
            if name not in known:
                entry["checksum"], average = export_segment(reader, snapshot / entry["file"], categories, average)
            entry["live"] = _write_live(reader, snapshot, name, number, entry["live"])
            entries.append(entry)
        sync_directory(snapshot)
        self._switch(
            {**manifest, "generation": number, "average_length": average, "categories": categories, "segments": entries}
        )
        kept = {entry["file"] for entry in entries} | {entry["live"] for entry in entries if entry["live"]}
        for path in snapshot.iterdir():
            if path.name not in kept:
                path.unlink()

    def _switch(self, manifest: dict[str, Any]) -> None:
        fresh = self._directory / "manifest.json.new"
        with fresh.open("w", encoding="utf-8") as file:
            json.dump(manifest, file, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._directory / "manifest.json")
        sync_directory(self._directory)
        self.refresh()

    def _remove_other_builds(self, kept: str) -> None:
        for path in self._directory.glob("build-*"):
            if path.name != kept:
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _as_writer(self) -> Iterator[None]:
        """Hold the only pen. The kernel takes it back when the process dies."""
        self._directory.mkdir(parents=True, exist_ok=True)
        handle = os.open(self._directory / "writer.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as failure:
                raise IndexBusyError("another process writes the index") from failure
            yield
        finally:
            with suppress(OSError):
                os.close(handle)


def _write_live(reader: Any, snapshot: Path, name: str, number: int, before: str | None) -> str | None:
    """Note which documents of a segment are live, as one byte each; None while all are."""
    count = reader.doc_count_all()
    if not reader.has_deletions():
        return None
    live = np.fromiter((not reader.is_deleted(n) for n in range(count)), np.bool_, count)
    if before and np.array_equal(np.fromfile(snapshot / before, np.bool_), live):
        return before
    file = f"{name}.{number}.live"
    with (snapshot / file).open("wb") as target:
        target.write(live.tobytes())
        target.flush()
        os.fsync(target.fileno())
    return file


def _live_documents(snapshot: Path, entry: dict[str, Any]) -> Any:
    return np.fromfile(snapshot / entry["live"], np.bool_) if entry["live"] else None
