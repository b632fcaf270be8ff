"""Reads Chroma's HNSW index files (format 1, Chroma 0.4 to 1.5) and finds out whether they are torn.

An index is a directory of five files. header.bin: the sizes. data_level0.bin: for each element its links, its vector and
its label. length.bin: the length of each vector, where the index normalises them. link_lists.bin: the links of the upper
levels. index_metadata.pickle: which id has which label. Nothing in the files is executed.
"""

from __future__ import annotations

import array
import io
import math
import os
import pickle
import struct
import sys
from collections.abc import Iterator

HEADER = struct.Struct("<iQQQQQQiIQQQdQ")
INDEX_FILES = ("header.bin", "data_level0.bin", "length.bin", "link_lists.bin", "index_metadata.pickle")


class Torn(Exception):
    """The index files contradict themselves or the database."""


class _PlainData(pickle.Unpickler):
    """Reads dictionaries, strings and numbers; refuses everything that would name code."""

    def find_class(self, module: str, name: str) -> object:
        raise Torn(f"index_metadata.pickle names {module}.{name}")


def read_labels(path: str) -> dict[str, int]:
    """The ids in an index and their labels."""
    with open(os.path.join(path, "index_metadata.pickle"), "rb") as file:
        raw = file.read()
    try:
        data = _PlainData(io.BytesIO(raw)).load()
        ids, labels, total = data["id_to_label"], data["label_to_id"], data["total_elements_added"]
        inverse = {label: key for key, label in ids.items()}
    except Torn:
        raise
    except Exception as error:  # A torn pickle can fail in any way.
        raise Torn(f"index_metadata.pickle: {type(error).__name__} {error}") from None
    if inverse != labels or len(inverse) != len(ids) or (ids and max(labels) > total):
        raise Torn("index_metadata.pickle contradicts itself")
    return ids


class Index:
    """The four files of an index, read and checked. Raises Torn."""

    def __init__(self, path: str, dimension: int):
        self.path, self.dimension = path, dimension
        for name in INDEX_FILES:
            if not os.path.isfile(os.path.join(path, name)):
                raise Torn(f"{name} is missing")
        self._read_header()
        # Sizes first: a torn list of links has made Chroma write a file of hundreds of gigabytes.
        links_limit = self.count * (4 + (self.max_level + 1) * self.links_size)
        for name, least, most in (
            ("data_level0.bin", self.count * self.element_size, self.capacity * self.element_size),
            ("length.bin", self.count * 4, self.capacity * 4),
            ("link_lists.bin", self.count * 4, links_limit),
        ):
            size = os.path.getsize(os.path.join(path, name))
            if not least <= size <= most:
                raise Torn(f"{name} has {size} bytes, expected {least} to {most}")
        self.vectors_at = self._read_level0()
        self._read_links()

    def _read_header(self) -> None:
        with open(os.path.join(self.path, "header.bin"), "rb") as file:
            raw = file.read(HEADER.size + 1)
        if len(raw) != HEADER.size:
            raise Torn(f"header.bin has {len(raw)} bytes")
        (version, _, self.capacity, self.count, self.element_size, label_at, self.vector_at, self.max_level, entry, max_m,
         max_m0, m, _, _) = HEADER.unpack(raw)  # fmt: skip
        self.links, self.links0 = max_m, max_m0
        self.links_size = 4 + 4 * max_m
        good = (
            version == 1
            and 0 < m == max_m <= 4096
            and max_m0 == 2 * m
            and self.vector_at == 4 + 4 * max_m0
            and label_at == self.vector_at + 4 * self.dimension
            and self.element_size == label_at + 8
            and 0 < self.count <= self.capacity < 2**31
            and entry < self.count
            and 0 <= self.max_level < 64
        )
        if not good:
            raise Torn("header.bin does not fit the collection")
        self.entry, self.label_at = entry, label_at

    def _read_level0(self) -> dict[int, int]:
        """Where each label's vector is, deleted ones left out."""
        found: dict[int, int] = {}
        seen: set[int] = set()
        links = struct.Struct(f"<HBB{self.links0}I")
        with open(os.path.join(self.path, "data_level0.bin"), "rb") as file:
            for number in range(self.count):
                element = file.read(self.element_size)
                amount, deleted, _, *targets = links.unpack_from(element)
                (label,) = struct.unpack_from("<Q", element, self.label_at)
                if amount > self.links0 or any(target >= self.count for target in targets[:amount]):
                    raise Torn(f"data_level0.bin: element {number} points nowhere")
                if not label or label in seen:
                    raise Torn(f"data_level0.bin: element {number} has the label {label}")
                seen.add(label)
                if not deleted & 1:
                    found[label] = number * self.element_size + self.vector_at
        return found

    def _read_links(self) -> None:
        with open(os.path.join(self.path, "link_lists.bin"), "rb") as file:
            for number in range(self.count):
                head = file.read(4)
                size = struct.unpack("<I", head)[0] if len(head) == 4 else 1
                levels, rest = divmod(size, self.links_size)
                if rest or levels > self.max_level or (number == self.entry and levels != self.max_level):
                    raise Torn(f"link_lists.bin: element {number} has a list of {size} bytes")
                body = file.read(size)
                if len(body) != size:
                    raise Torn("link_lists.bin ends early")
                for level in range(levels):
                    amount, _, *targets = struct.unpack_from(f"<HH{self.links}I", body, level * self.links_size)
                    if amount > self.links or any(target >= self.count for target in targets[:amount]):
                        raise Torn(f"link_lists.bin: element {number} points nowhere")
            if file.read(1):
                raise Torn("link_lists.bin is longer than its elements")

    def vectors(self, labels: list[int]) -> Iterator[tuple[int, bytes]]:
        """The raw vectors as they were added: for cosine the index stores them normalised, their length beside them."""
        with open(os.path.join(self.path, "data_level0.bin"), "rb") as data, open(
            os.path.join(self.path, "length.bin"), "rb"
        ) as lengths:
            for label in sorted(labels, key=self.vectors_at.__getitem__):
                place = self.vectors_at[label]
                data.seek(place)
                raw = data.read(4 * self.dimension)
                lengths.seek(place // self.element_size * 4)
                (length,) = struct.unpack("<f", lengths.read(4))
                yield label, self._denormalised(raw, length)

    def _denormalised(self, raw: bytes, length: float) -> bytes:
        numbers = array.array("f", raw)
        if sys.byteorder == "big":
            numbers.byteswap()
        norm = math.sqrt(sum(number * number for number in numbers))
        if not math.isfinite(norm):
            raise Torn("data_level0.bin holds numbers that are none")
        # Only a cosine index fills the lengths, and then each stored vector has the length one.
        if length > 0 and math.isfinite(length) and abs(norm - 1) < 1e-3 and abs(length - 1) > 1e-6:
            numbers = array.array("f", (number * length for number in numbers))
        if sys.byteorder == "big":
            numbers.byteswap()
        return numbers.tobytes()
