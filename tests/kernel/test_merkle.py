import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.merkle import (
    EMPTY_ROOT,
    completed_nodes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    nodes_of,
    root,
    verify_consistency,
    verify_inclusion,
)

# The reference log of the Certificate Transparency project: its leaves and the roots of its first 0..8 entries.
ENTRIES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
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
LEAVES = [leaf_hash(entry) for entry in ENTRIES]


@pytest.mark.parametrize("size", range(9))
def test_reference_roots(size) -> None:
    assert root(size, nodes_of(LEAVES)).hex() == ROOTS[size]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(n).encode()) for n in range(count)]


def test_every_proof_up_to_40_leaves() -> None:
    nodes = nodes_of(leaves(40))
    for size in range(1, 41):
        top = root(size, nodes)
        for index in range(size):
            proof = inclusion_proof(index, size, nodes)
            assert verify_inclusion(leaves(40)[index], index, size, proof, top)
        for old in range(size + 1):
            assert verify_consistency(old, root(old, nodes), size, top, consistency_proof(old, size, nodes))


def test_incremental_nodes_equal_the_whole_tree() -> None:
    stored: dict[tuple[int, int], bytes] = {}
    for index, leaf in enumerate(leaves(100)):
        for level, position, digest in completed_nodes(index, leaf, lambda *at: stored[at]):
            stored[level, position] = digest
    for size in range(101):
        assert root(size, lambda *at: stored[at]) == root(size, nodes_of(leaves(100)))


@given(st.data(), st.integers(2, 200))
def test_no_forged_inclusion_is_accepted(data, size) -> None:
    nodes = nodes_of(leaves(size))
    index = data.draw(st.integers(0, size - 1))
    proof, top = list(inclusion_proof(index, size, nodes)), root(size, nodes)
    leaf = leaves(size)[index]
    forgery = data.draw(st.sampled_from(["leaf", "index", "size", "flip", "drop", "extend", "swap", "root"]))
    if forgery == "leaf":
        leaf = leaf_hash(b"forged")
    elif forgery == "index":
        index = data.draw(st.integers(-1, size + 1).filter(lambda other: other != index))
    elif forgery == "size":
        # The same path may belong to another size only with another root.
        top, size = leaf_hash(b"root"), size + 1
    elif forgery == "flip":
        at = data.draw(st.integers(0, len(proof) - 1))
        proof[at] = bytes([proof[at][0] ^ 1]) + proof[at][1:]
    elif forgery == "drop":
        proof.pop(data.draw(st.integers(0, len(proof) - 1)))
    elif forgery == "extend":
        proof.append(leaf_hash(b"more"))
    elif forgery == "swap":
        proof = [proof[-1], *proof[1:-1], proof[0]] if len(proof) > 1 else [leaf_hash(b"x")]
    else:
        top = hashlib.sha256(top).digest()
    assert not verify_inclusion(leaf, index, size, proof, top)


@given(st.data(), st.integers(2, 200))
def test_a_rewritten_history_has_no_consistency_proof(data, size) -> None:
    old = data.draw(st.integers(1, size - 1))
    changed = data.draw(st.integers(0, old - 1))
    honest = leaves(size)
    forged = [leaf_hash(b"forged") if n == changed else leaf for n, leaf in enumerate(honest)]
    proof = consistency_proof(old, size, nodes_of(forged))
    assert not verify_consistency(old, root(old, nodes_of(honest)), size, root(size, nodes_of(forged)), proof)


def test_an_inner_node_is_no_leaf() -> None:
    pair = leaves(2)
    top = node_hash(*pair)
    assert root(2, nodes_of(pair)) == top
    assert leaf_hash(b"\x01" + pair[0] + pair[1]) != top
    assert not verify_inclusion(top, 0, 1, (), leaf_hash(top))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (5, 3)])
def test_refuses_proofs_that_cannot_exist(index, size) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        inclusion_proof(index, size, nodes_of(leaves(3)))
    assert not verify_inclusion(leaves(1)[0], index, size, (), EMPTY_ROOT)


def test_refuses_a_shrinking_log() -> None:
    with pytest.raises(ValueError, match="prefix"):
        consistency_proof(3, 2, nodes_of(leaves(3)))
    assert not verify_consistency(3, root(3, nodes_of(leaves(3))), 2, root(2, nodes_of(leaves(3))), ())
