"""RFC 9162 section 2.1, against its own definitions and examples."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallylight.ledger.errors import LedgerError, ProofError
from tallylight.ledger.merkle import (
    EMPTY_ROOT,
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    subtree_root,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [  # of the first n leaves: the test vectors of the Certificate Transparency code base
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def grow(hashes: list[bytes]) -> Frontier:
    frontier = Frontier()
    for value in hashes:
        frontier = frontier.append(value)
    return frontier


def some_leaves(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


# The definitions of sections 2.1.1, 2.1.3.1 and 2.1.4.1, word for word.


def mth(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaves[0]
    k = split(len(leaves))
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], complete: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if complete else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], complete), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], False), mth(leaves[:k])]


def split(n: int) -> int:
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@pytest.mark.parametrize("size", range(9))
def test_roots_are_the_known_ones(size: int) -> None:
    assert grow([leaf_hash(leaf) for leaf in LEAVES[:size]]).root().hex() == ROOTS[size]


def test_the_examples_of_section_2_1_5() -> None:
    leaves = some_leaves(7)
    a, b, c, d, e, f, j = leaves
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l7 = node_hash(g, h), node_hash(i, j)
    at = leaves.__getitem__
    assert grow(leaves).root() == node_hash(k, l7)
    assert inclusion_proof(0, 7, at) == [b, h, l7]
    assert inclusion_proof(3, 7, at) == [c, g, l7]
    assert inclusion_proof(4, 7, at) == [f, j, k]
    assert inclusion_proof(6, 7, at) == [i, k]
    assert consistency_proof(3, 7, at) == [c, d, g, l7]
    assert consistency_proof(4, 7, at) == [l7]
    assert consistency_proof(6, 7, at) == [i, j, k]


def test_every_proof_up_to_33_leaves_is_as_defined_and_verifies() -> None:
    leaves = some_leaves(33)
    at = leaves.__getitem__
    for size in range(1, 34):
        root = grow(leaves[:size]).root()
        assert root == mth(leaves[:size]) == subtree_root(0, size, at)
        for index in range(size):
            proof = inclusion_proof(index, size, at)
            assert proof == path(index, leaves[:size])
            verify_inclusion(leaves[index], index, size, proof, root)
        for first in range(1, size + 1):
            steps = consistency_proof(first, size, at)
            assert steps == subproof(first, leaves[:size], True)
            verify_consistency(first, size, mth(leaves[:first]), root, steps)
        verify_consistency(0, size, EMPTY_ROOT, root, [])


@given(st.integers(1, 200), st.data())
def test_a_proof_fits_one_leaf_at_one_place_in_one_tree(size: int, data: st.DataObject) -> None:
    leaves = some_leaves(size)
    root = mth(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, leaves.__getitem__)
    other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index)) if size > 1 else None
    if other is not None:
        with pytest.raises(ProofError):
            verify_inclusion(leaves[index], other, size, proof, root)
        with pytest.raises(ProofError):
            verify_inclusion(leaves[other], index, size, proof, root)
    for wrong in ([*proof, root], proof[:-1] if proof else [root], [root, *proof]):
        with pytest.raises(ProofError):
            verify_inclusion(leaves[index], index, size, wrong, root)
    with pytest.raises(ProofError):
        verify_inclusion(leaves[index], index, size, proof, EMPTY_ROOT)
    for outside in (-1, size):
        with pytest.raises(ProofError, match="no entry"):
            verify_inclusion(leaves[index], outside, size, proof, root)
        with pytest.raises(ProofError, match="no entry"):
            inclusion_proof(outside, size, leaves.__getitem__)


@given(st.integers(2, 200), st.data())
def test_a_fork_has_no_consistency_proof(size: int, data: st.DataObject) -> None:
    leaves = some_leaves(size)
    first = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, first - 1))
    forked = list(leaves)
    forked[changed] = leaf_hash(b"another history")
    for basis in (leaves, forked):
        proof = consistency_proof(first, size, basis.__getitem__)
        with pytest.raises(ProofError, match="forked"):
            verify_consistency(first, size, mth(leaves[:first]), mth(forked), proof)
    right = consistency_proof(first, size, leaves.__getitem__)
    for wrong in ([*right, EMPTY_ROOT], right[:-1], [EMPTY_ROOT, *right]):
        with pytest.raises(ProofError):
            verify_consistency(first, size, mth(leaves[:first]), mth(leaves), wrong)


def test_trees_of_one_size_are_consistent_only_when_equal() -> None:
    root = mth(some_leaves(5))
    verify_consistency(5, 5, root, root, [])
    for first, second, old, new, proof in (
        (5, 5, root, EMPTY_ROOT, []),
        (5, 5, root, root, [root]),
        (0, 5, root, root, []),
        (0, 5, EMPTY_ROOT, root, [root]),
        (6, 5, root, root, []),
        (-1, 5, root, root, []),
    ):
        with pytest.raises(ProofError):
            verify_consistency(first, second, old, new, proof)
    with pytest.raises(ProofError, match="cannot contain"):
        consistency_proof(6, 5, some_leaves(6).__getitem__)
    assert consistency_proof(0, 5, some_leaves(5).__getitem__) == []


@given(st.integers(0, 300))
def test_the_frontier_is_read_back_from_its_bytes(size: int) -> None:
    frontier = grow(some_leaves(size))
    assert Frontier.parse(frontier.serialise()) == frontier
    assert len(frontier.serialise()) == 8 + 32 * size.bit_count()


@given(st.binary(max_size=120))
def test_any_bytes_are_a_frontier_or_refused(blob: bytes) -> None:
    try:
        frontier = Frontier.parse(blob)
    except LedgerError:
        return
    assert frontier.serialise() == blob
