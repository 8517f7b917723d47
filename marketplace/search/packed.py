"""One file of named numpy arrays that several processes map into memory at once: a JSON header, then aligned sections."""

import json
import mmap
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

_MAGIC: Final = b"CSPK0001"
_ALIGN: Final = 64

Array = npt.NDArray[Any]


class DamagedFileError(Exception):
    """The file is not what was written: wrong magic, header, length or checksum."""


def write_packed(path: Path, arrays: Mapping[str, Array]) -> int:
    """Write `arrays` durably to `path` (synced before it returns) and return the CRC-32 of the file."""
    sections: list[tuple[int, Array]] = []
    header: dict[str, Any] = {}
    offset = 0
    for name, array in arrays.items():
        flat = np.ascontiguousarray(array)
        header[name] = {"dtype": flat.dtype.str, "shape": flat.shape, "offset": offset}
        sections.append((offset, flat))
        offset += -(-flat.nbytes // _ALIGN) * _ALIGN
    head = json.dumps(header).encode()
    start = -(-(len(_MAGIC) + 16 + len(head)) // _ALIGN) * _ALIGN
    blob = bytearray(start + offset)
    blob[: len(_MAGIC)] = _MAGIC
    blob[8:16] = len(head).to_bytes(8, "little")
    blob[16:24] = len(blob).to_bytes(8, "little")
    blob[24 : 24 + len(head)] = head
    for at, flat in sections:
        blob[start + at : start + at + flat.nbytes] = flat.tobytes()
    with path.open("wb") as file:
        file.write(blob)
        file.flush()
        os.fsync(file.fileno())
    return zlib.crc32(blob)


def open_packed(path: Path) -> dict[str, Array]:
    """Map the arrays of `path`, read-only and shared between processes. Raises DamagedFileError."""
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as failure:
        raise DamagedFileError(f"{path.name}: {failure}") from failure
    head_length = int.from_bytes(mapped[8:16], "little")
    if mapped[:8] != _MAGIC or int.from_bytes(mapped[16:24], "little") != len(mapped) or head_length > len(mapped):
        raise DamagedFileError(f"{path.name}: not a complete file of this format")
    header = json.loads(mapped[24 : 24 + head_length])
    start = -(-(24 + head_length) // _ALIGN) * _ALIGN
    arrays: dict[str, Array] = {}
    for name, section in header.items():
        dtype = np.dtype(section["dtype"])
        count = int(np.prod(section["shape"], dtype=np.int64))
        flat = np.frombuffer(mapped, dtype=dtype, count=count, offset=start + section["offset"])
        arrays[name] = flat.reshape(section["shape"])
    return arrays


def checksum(path: Path) -> int:
    """The CRC-32 of a whole file."""
    return zlib.crc32(path.read_bytes())


def sync_directory(path: Path) -> None:
    """Make renames and new files in `path` survive a power loss."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
