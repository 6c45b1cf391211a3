"""The tree compared with published vectors and RFC 6962's definitions, and with small alterations."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_contact_guard.proof import merkle as m
from crm_contact_guard.proof import tiles as t
from crm_contact_guard.proof.canonical import leaf_hash
from crm_contact_guard.proof.errors import ConsistencyBroken, InclusionBroken, TileBroken
from tests.proof.trees import TileStore, leaf, naive_path, naive_proof, naive_root, store_of

CT = json.loads((Path(__file__).parent / "vectors" / "certificate-transparency.json").read_text("utf-8"))
CT_HASHES = [leaf_hash(bytes.fromhex(text)) for text in CT["leaves"]]
SIZES = st.one_of(st.integers(0, 40), st.sampled_from([255, 256, 257, 511, 512, 513, 700, 1024, 1500]))


def unhex(texts: list[str]) -> list[bytes]:
    return [bytes.fromhex(text) for text in texts]


def test_published_roots() -> None:
    assert m.EMPTY_ROOT.hex() == CT["empty_root"]
    assert [m.tree_root(b"".join(CT_HASHES[:n])).hex() for n in range(1, 9)] == CT["roots"]


@pytest.mark.parametrize("case", CT["inclusion"])
def test_published_inclusion_paths(case: dict) -> None:
    store = TileStore()
    store.append(b"".join(CT_HASHES[: case["size"]]))
    path = t.inclusion_proof(case["index"], case["size"], store.read)
    assert path == unhex(case["path"])
    root = bytes.fromhex(CT["roots"][case["size"] - 1])
    m.check_inclusion(CT_HASHES[case["index"]], case["index"], case["size"], path, root)


@pytest.mark.parametrize("case", CT["consistency"])
def test_published_consistency_proofs(case: dict) -> None:
    store = TileStore()
    store.append(b"".join(CT_HASHES))
    proof = t.consistency_proof(case["old"], case["new"], store.read)
    assert proof == unhex(case["proof"])
    old, new = (bytes.fromhex(CT["roots"][case[name] - 1]) for name in ("old", "new"))
    m.check_consistency(case["old"], case["new"], proof, old, new)


@given(SIZES, st.integers(1, 600))
@settings(max_examples=60)
def test_tiles_frontier_and_definition_agree_for_any_batches(count: int, step: int) -> None:
    leaves = tuple(leaf(number) for number in range(count))
    store = store_of(count, step)
    frontier = m.Frontier()
    for start in range(0, count, step):
        frontier.append(b"".join(leaves[start : start + step]))
        frontier = m.Frontier.from_bytes(frontier.to_bytes())
    assert store.tiles == store_of(count).tiles
    walked = [frontier for _tile, frontier in t.walk(count, store.read)]
    root = walked[-1].root() if walked else m.EMPTY_ROOT
    assert frontier.root() == root == naive_root(leaves) == m.tree_root(b"".join(leaves))
    assert frontier.size == count


@given(st.data(), SIZES.filter(bool))
@settings(max_examples=80)
def test_inclusion_paths_are_those_of_the_definition(data: st.DataObject, size: int) -> None:
    leaves = tuple(leaf(number) for number in range(size))
    index = data.draw(st.integers(0, size - 1))
    grown = data.draw(st.integers(0, 300))
    path = t.inclusion_proof(index, size, store_of(size + grown, 300).read)
    assert path == naive_path(index, leaves)
    m.check_inclusion(leaves[index], index, size, path, naive_root(leaves))


@given(st.data(), SIZES.filter(bool))
@settings(max_examples=80)
def test_consistency_proofs_are_those_of_the_definition(data: st.DataObject, new: int) -> None:
    leaves = tuple(leaf(number) for number in range(new))
    old = data.draw(st.integers(1, new))
    proof = t.consistency_proof(old, new, store_of(new).read)
    assert proof == naive_proof(old, leaves)
    m.check_consistency(old, new, proof, naive_root(leaves[:old]), naive_root(leaves))


def test_only_the_right_inclusion_proofs_of_small_trees_are_valid() -> None:
    """All sizes up to 20: only the right path is accepted, no similar one."""
    leaves = tuple(leaf(number) for number in range(20))
    store = store_of(20)
    for size in range(1, 21):
        root = naive_root(leaves[:size])
        for index in range(size):
            path = t.inclusion_proof(index, size, store.read)
            m.check_inclusion(leaves[index], index, size, path, root)
            wrong = [
                (leaves[(index + 1) % 20], index, size, path, root),
                (leaves[index], index, size, [*path, leaves[0]], root),
                (leaves[index], index, size, path, naive_root(leaves[: size - 1])),
                (leaves[index], size, size, path, root),
                (leaves[index], -1, size, path, root),
                *((leaves[index], other, size, path, root) for other in range(size) if other != index),
                *((leaves[index], index, size, path[:at] + path[at + 1 :], root) for at in range(len(path))),
                *(
                    (leaves[index], index, size, [*path[:at], flip(path[at]), *path[at + 1 :]], root)
                    for at in range(len(path))
                ),
                *(
                    (leaves[index], index, size, [*path[:at], path[at][:31], *path[at + 1 :]], root)
                    for at in range(len(path))
                ),
            ]
            for arguments in wrong:
                with pytest.raises(InclusionBroken):
                    m.check_inclusion(*arguments)


def test_only_the_right_consistency_proofs_of_small_trees_are_valid() -> None:
    leaves = tuple(leaf(number) for number in range(20))
    roots = [naive_root(leaves[:size]) for size in range(21)]
    store = store_of(20)
    for new in range(1, 21):
        for old in range(1, new + 1):
            proof = t.consistency_proof(old, new, store.read)
            m.check_consistency(old, new, proof, roots[old], roots[new])
            wrong = [
                (old, new, [*proof, leaves[0]], roots[old], roots[new]),
                (old, new, proof, flip(roots[old]), roots[new]),
                *((old, new, proof[:at] + proof[at + 1 :], roots[old], roots[new]) for at in range(len(proof))),
                *(
                    (old, new, [*proof[:at], flip(proof[at]), *proof[at + 1 :]], roots[old], roots[new])
                    for at in range(len(proof))
                ),
                *((old, new, [*proof[:at], b"", *proof[at + 1 :]], roots[old], roots[new]) for at in range(len(proof))),
                (old, new, proof, roots[old], flip(roots[new])),
                (0, new, [], roots[0], roots[new]),
                *([(new, old, proof, roots[new], roots[old])] if old != new else []),
            ]
            for arguments in wrong:
                with pytest.raises(ConsistencyBroken):
                    m.check_consistency(*arguments)


def test_nothing_is_proved_of_an_empty_leaf_an_empty_root_or_an_empty_tree() -> None:
    """Vectors of peers' logs: without a size check, an empty leaf "is in" the tree with an empty root."""
    for wrong, root in ((b"", b""), (leaf(0)[:31], leaf(0)[:31]), (b"", leaf(0)), (leaf(0), b"")):
        with pytest.raises(InclusionBroken):
            m.check_inclusion(wrong, 0, 1, [], root)
    some = naive_root((leaf(0),))
    for old, new, old_root, new_root in (
        (0, 1, m.EMPTY_ROOT, some),
        (0, 0, m.EMPTY_ROOT, m.EMPTY_ROOT),
        (0, 5, b"", b"anything"),
        (1, 1, b"", b""),
        (1, 1, some, some[:31]),
    ):
        with pytest.raises(ConsistencyBroken):
            m.check_consistency(old, new, [], old_root, new_root)


def flip(value: bytes) -> bytes:
    return bytes([value[0] ^ 1]) + value[1:]


def test_a_fork_is_not_consistent_with_the_older_head() -> None:
    honest, forked = store_of(600), store_of(300)
    forked.append(b"".join(leaf(number + 10**6) for number in range(300, 600)))
    proof = t.consistency_proof(400, 600, forked.read)
    old = naive_root(tuple(leaf(number) for number in range(400)))
    new = m.tree_root(b"".join(forked.tiles[0, index] for index in range(3)))
    with pytest.raises(ConsistencyBroken):
        m.check_consistency(400, 600, proof, old, new)
    assert honest.tiles[0, 0] == forked.tiles[0, 0]


class VirtualTree:
    """A tree of any size with equal leaves, so that every tile can be computed on demand."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.levels = [leaf(0)]
        self.reads: list[tuple[int, int]] = []
        for _ in range(64):
            self.levels.append(m.node_hash(self.levels[-1], self.levels[-1]))

    def read(self, level: int, index: int, width: int) -> bytes:
        self.reads.append((level, index))
        assert index * 256 + width <= self.size >> 8 * level
        return self.levels[8 * level] * width

    def root(self, size: int) -> bytes:
        frontier = m.Frontier()
        for bit in reversed(range(64)):
            if size >> bit & 1:
                frontier.append_subtree(1 << bit, self.levels[bit])
        return frontier.root()


@pytest.mark.parametrize("index", [0, 1, 4_999_999, 9_999_744, 9_999_999])
def test_a_proof_from_ten_million_leaves_needs_few_tiles_and_hashes(index: int) -> None:
    size = 10_000_000
    tree = VirtualTree(size)
    path = t.inclusion_proof(index, size, tree.read)
    m.check_inclusion(leaf(0), index, size, path, tree.root(size))
    assert len(path) <= 30
    assert len(tree.reads) == len(set(tree.reads)) <= 6
    tree.reads.clear()
    proof = t.consistency_proof(index + 1, size, tree.read)
    m.check_consistency(index + 1, size, proof, tree.root(index + 1), tree.root(size))
    assert len(tree.reads) == len(set(tree.reads)) <= 6


def test_appending_reads_only_the_right_edge() -> None:
    store = store_of(70_000)
    store.reads.clear()
    store.append(leaf(70_000) + leaf(70_001))
    assert store.reads == [(0, 273, 112)]
    store.reads.clear()
    store.append(b"".join(leaf(number) for number in range(70_002, 70_200)))
    assert store.reads == [(0, 273, 114), (1, 1, 17)]


def test_appending_changes_no_full_tile() -> None:
    store = store_of(1000)
    before = {place: tile for place, tile in store.tiles.items() if len(tile) == 256 * 32}
    store.append(b"".join(leaf(number) for number in range(1000, 1600)))
    assert {place: store.tiles[place] for place in before} == before


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (0, 272), (1, 0), (1, 1), (2, 0)])
def test_walk_reports_an_altered_tile(place: tuple[int, int]) -> None:
    store = store_of(70_000)
    store.tiles[place] = flip(store.tiles[place])
    with pytest.raises(TileBroken) as caught:
        list(t.walk(70_000, store.read))
    # An altered leaf tile is reported at the tile above, which contains its root; an altered upper tile at itself.
    level, index = place
    assert (caught.value.level, caught.value.index) == ((1, index // 256) if level == 0 else place)


@pytest.mark.parametrize("place", [(0, 0), (0, 273), (1, 0), (1, 1), (2, 0)])
def test_walk_reports_a_missing_tile(place: tuple[int, int]) -> None:
    store = store_of(70_000)
    del store.tiles[place]
    with pytest.raises(TileBroken) as caught:
        list(t.walk(70_000, store.read))
    assert (caught.value.level, caught.value.index) == place


def test_a_larger_store_can_serve_an_older_tree() -> None:
    store = store_of(900)
    frontier = [frontier for _tile, frontier in t.walk(600, store.read)][-1]
    assert frontier.root() == naive_root(tuple(leaf(number) for number in range(600)))


@pytest.mark.parametrize(
    ("level", "index", "width", "path"),
    [
        (0, 0, 256, "0/000"),
        (1, 1234067, 256, "1/x001/x234/067"),
        (0, 999, 112, "0/999.p/112"),
        (2, 1000, 1, "2/x001/000.p/1"),
    ],
)
def test_tile_paths_are_those_of_c2sp(level: int, index: int, width: int, path: str) -> None:
    assert t.tile_path(level, index, width) == path


@pytest.mark.parametrize("data", [b"", bytes(7), bytes(8) + bytes(32), (3).to_bytes(8, "big") + bytes(32), bytes(9)])
def test_a_broken_frontier_is_not_restored(data: bytes) -> None:
    with pytest.raises(ValueError, match="frontier"):
        m.Frontier.from_bytes(data)


def test_misaligned_and_ragged_input_is_refused() -> None:
    frontier = m.Frontier()
    frontier.append(leaf(0))
    with pytest.raises(ValueError, match="can't start"):
        frontier.append_subtree(2, leaf(1))
    with pytest.raises(ValueError, match="not hashes"):
        frontier.append(bytes(33))
    with pytest.raises(ValueError, match="power of two"):
        m.perfect_root(bytes(96))
    with pytest.raises(IndexError):
        t.inclusion_proof(5, 5, TileStore().read)
    with pytest.raises(IndexError):
        t.consistency_proof(6, 5, TileStore().read)


def test_a_leaf_is_not_a_node() -> None:
    """Second preimage: the two children of a node, used as a leaf, have a different hash."""
    assert leaf_hash(leaf(0) + leaf(1)) != m.node_hash(leaf(0), leaf(1))
    assert m.node_hash(leaf(0), leaf(1)) == hashlib.sha256(b"\x01" + leaf(0) + leaf(1)).digest()


LOG = json.loads((Path(__file__).parent / "vectors" / "independent-log.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def entries() -> TileStore:
    store = TileStore()
    store.append(b"".join(leaf_hash(f"entry {number}".encode()) for number in range(LOG["leaves"])))
    return store


def test_an_independent_log_has_the_same_roots_and_tiles(entries: TileStore) -> None:
    for size, root in LOG["roots"].items():
        assert [frontier for _tile, frontier in t.walk(int(size), entries.read)][-1].root().hex() == root
    named = {
        t.tile_path(level, index, len(tile) // 32): hashlib.sha256(tile).hexdigest()
        for (level, index), tile in entries.tiles.items()
    }
    assert {path: named[path] for path in LOG["tiles"]} == LOG["tiles"]


def test_an_independent_log_gives_the_same_proofs(entries: TileStore) -> None:
    for case in LOG["inclusion"]:
        assert t.inclusion_proof(case["index"], case["size"], entries.read) == unhex(case["path"])
    for case in LOG["consistency"]:
        assert t.consistency_proof(case["old"], case["new"], entries.read) == unhex(case["proof"])
