"""The Merkle tree of RFC 9162 section 2.1 over SHA-256: leaf hashes in, roots and proofs out.

A leaf hash is SHA-256(0x00 || leaf), an inner node SHA-256(0x01 || left || right), the empty tree's root SHA-256 of
nothing. Indexes count from 0. All hashes are 32 bytes.
"""

import hashlib
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tallylight.ledger.errors import LedgerError, ProofError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

LeafHashes = Callable[[int], bytes]
"""Gives the leaf hash at an index."""

_SIZE = struct.Struct(">Q")


def leaf_hash(leaf: bytes) -> bytes:
    """SHA-256(0x00 || leaf)."""
    return hashlib.sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frontier:
    """All that is needed to append and to know the root: the perfect subtrees' roots, largest (leftmost) first.

    There is one hash for each bit set in `size`, so at most 64.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Frontier":
        """The tree with one more leaf, given by its leaf hash. Amortised one node hash."""
        node, remaining, kept = leaf, self.size, len(self.hashes)
        while remaining & 1:
            kept -= 1
            node = node_hash(self.hashes[kept], node)
            remaining >>= 1
        return Frontier(size=self.size + 1, hashes=(*self.hashes[:kept], node))

    def root(self) -> bytes:
        """The tree's root hash."""
        if not self.hashes:
            return EMPTY_ROOT
        node = self.hashes[-1]
        for left in self.hashes[-2::-1]:
            node = node_hash(left, node)
        return node

    def serialise(self) -> bytes:
        """u64 big-endian size, then the hashes."""
        return _SIZE.pack(self.size) + b"".join(self.hashes)

    @staticmethod
    def parse(blob: bytes) -> "Frontier":
        """The inverse of `serialise`; LedgerError where the length does not fit the size."""
        if len(blob) < _SIZE.size:
            raise LedgerError(
                "The stored ledger head is shorter than its size field. Restore the database from a backup."
            )
        (size,) = _SIZE.unpack_from(blob)
        if len(blob) != _SIZE.size + HASH_SIZE * size.bit_count():
            raise LedgerError(
                f"The stored ledger head has {len(blob)} bytes, which does not fit {size} entries."
                " Restore the database from a backup."
            )
        return Frontier(
            size=size, hashes=tuple(blob[at : at + HASH_SIZE] for at in range(_SIZE.size, len(blob), HASH_SIZE))
        )


def subtree_root(start: int, end: int, leaf_hashes: LeafHashes) -> bytes:
    """The root over the leaves [start, end): MTH(D[start:end]) of section 2.1.1."""
    frontier = Frontier()
    for index in range(start, end):
        frontier = frontier.append(leaf_hashes(index))
    return frontier.root()


def inclusion_proof(index: int, size: int, leaf_hashes: LeafHashes) -> list[bytes]:
    """PATH(index, D[size]) of section 2.1.3.1: what leads from that leaf to the root of the first `size` leaves."""
    if not 0 <= index < size:
        raise ProofError(f"There is no entry {index} among the first {size}.")
    path: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree_root(middle, end, leaf_hashes))
            end = middle
        else:
            path.append(subtree_root(start, middle, leaf_hashes))
            start = middle
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Section 2.1.3.2: ProofError unless `proof` leads from the leaf hash at `index` to the root of `size` leaves."""
    if not 0 <= index < size:
        raise ProofError(f"There is no entry {index} among the first {size}.")
    node, last, result = index, size - 1, leaf
    for step in proof:
        if last == 0:
            raise ProofError("The inclusion proof is longer than the tree is high.")
        if node & 1 or node == last:
            result = node_hash(step, result)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            result = node_hash(result, step)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("The inclusion proof is shorter than the tree is high.")
    if result != root:
        raise ProofError(f"The inclusion proof of entry {index} does not lead to the root of {size} entries.")


def consistency_proof(first: int, second: int, leaf_hashes: LeafHashes) -> list[bytes]:
    """PROOF(first, D[second]) of section 2.1.4.1: that the tree of `first` leaves is the beginning of that of `second`.

    Empty where there is nothing to prove: for the empty tree and for two trees of the same size.
    """
    if not 0 <= first <= second:
        raise ProofError(f"A log of {second} entries cannot contain one of {first}.")
    if first in (0, second):
        return []
    path: list[bytes] = []
    start, end, complete = 0, second, True
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            path.append(subtree_root(middle, end, leaf_hashes))
            end = middle
        else:
            path.append(subtree_root(start, middle, leaf_hashes))
            start, complete = middle, False
    if not complete:
        path.append(subtree_root(start, end, leaf_hashes))
    return path[::-1]


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    """Section 2.1.4.2: ProofError unless the tree of `second` leaves begins with that of `first`."""
    if not 0 <= first <= second:
        raise ProofError(f"A log of {second} entries cannot contain one of {first}.")
    if first in (0, second):
        expected = EMPTY_ROOT if first == 0 else second_root
        if proof or first_root != expected:
            raise ProofError(f"The roots of {first} and {second} entries contradict each other.")
        return
    steps = list(proof)
    if first & (first - 1) == 0:
        steps.insert(0, first_root)
    if not steps:
        raise ProofError("The consistency proof is empty.")
    node, last = first - 1, second - 1
    while node & 1:
        node >>= 1
        last >>= 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofError("The consistency proof is longer than the tree is high.")
        if node & 1 or node == last:
            old = node_hash(step, old)
            new = node_hash(step, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, step)
        node >>= 1
        last >>= 1
    if last or old != first_root or new != second_root:
        raise ProofError(f"The log of {second} entries does not begin with the log of {first} entries: it was forked.")


def _split(size: int) -> int:
    """The largest power of two smaller than `size` (size > 1)."""
    return 1 << (size - 1).bit_length() - 1
