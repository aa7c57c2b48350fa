"""VoxelMorph: it learns from a few pairs, gives the same twice, and believes no file."""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import ndimage

from bidsify.errors import SourceError, UsageError
from bidsify.preprocessing import checkpoint, metrics, unet, voxelmorph
from bidsify.preprocessing.stack import Pair
from bidsify.volume import Array

EDGE = 64
ORIGIN = voxelmorph.Origin(pairs=4, steps=70, batch=4, seed=3, threads=1, torch="2.0")


def slices(seed: int, edge: int = EDGE) -> Pair:
    """Return a ring in two contrasts, which is bent in one of them."""
    chance = np.random.default_rng(seed)
    bend = ndimage.gaussian_filter(chance.standard_normal((2, edge, edge)), (0, 7, 7))
    bend *= 5 / np.abs(bend).max()
    centre = edge / 2 + chance.uniform(-3, 3, 2)
    radius = chance.uniform(9, 12)

    def drawn(at: Array, blood: float, muscle: float) -> tuple[Array, Array]:
        far = np.hypot(*(at - centre[:, None, None]))
        heart, ring = far < radius + 6, (far < radius + 6) & (far >= radius)
        image = np.where(ring, muscle, np.where(heart, blood, 0.4))
        noise = chance.standard_normal(image.shape) * 0.02
        return ndimage.gaussian_filter(image, 0.7) + noise, np.stack([ring, heart])

    pixels = np.mgrid[:edge, :edge].astype(float)
    fixed, fixed_masks = drawn(pixels, 0.9, 0.2)
    moving, moving_masks = drawn(pixels + bend, 0.3, 0.6)
    return Pair(fixed, moving, fixed_masks, moving_masks)


def images_of(pair: Pair) -> Pair:
    return Pair(pair.fixed, pair.moving)


def overlap(pair: Pair, field: Array) -> float:
    assert pair.fixed_masks is not None
    assert pair.moving_masks is not None
    at = np.mgrid[:EDGE, :EDGE] + field
    moved = ndimage.map_coordinates(pair.moving_masks[0].astype(float), at, order=1)
    return metrics.dice(pair.fixed_masks[0], moved > 0.5)


def stored(*, masks: bool = True, edge: int = 32) -> voxelmorph.Network:
    """Return a network that nobody trained, made without torch."""
    chance = np.random.default_rng(0)
    shapes = unet.shapes(masks=masks)
    weights = {k: chance.normal(0, 0.1, shape).astype(np.float32) for k, shape in shapes.items()}
    return voxelmorph.Network(weights, masks, edge, ORIGIN)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch", reason="torch is not installed (extra voxelmorph)")


@pytest.fixture(scope="module")
def trained(torch: Any) -> voxelmorph.Network:
    assert torch
    return voxelmorph.train([slices(seed) for seed in range(24)], seed=3, steps=60)


def test_it_improves_the_overlap_of_pairs_that_it_never_saw(trained: voxelmorph.Network) -> None:
    tests = [slices(100 + seed) for seed in range(4)]
    fields = [trained.register(pair) for pair in tests]
    before = [overlap(pair, np.zeros((2, EDGE, EDGE))) for pair in tests]
    after = [overlap(pair, field) for pair, field in zip(tests, fields, strict=True)]
    assert np.mean(before) < 0.87
    assert np.mean(after) > 0.94
    assert min(np.subtract(after, before)) > 0.03
    assert [metrics.folding(field, np.eye(3)) for field in fields] == [0] * 4
    assert {(field.shape, field.dtype.name) for field in fields} == {((2, EDGE, EDGE), "float32")}


def test_nothing_moves_at_the_border(trained: voxelmorph.Network) -> None:
    field = trained.register(slices(100))
    border = np.ones((EDGE, EDGE), bool)
    border[1:-1, 1:-1] = False
    assert not field[:, border].any()


def test_its_axes_are_those_of_the_arrays(torch: Any) -> None:
    """The image at x + u(x), where u has i first."""
    image = np.random.default_rng(0).random((16, 16)).astype(np.float32)
    field = np.zeros((2, 16, 16), np.float32)
    field[0], field[1] = 2, -3
    found = unet.warped(torch.from_numpy(image[None, None]), torch.from_numpy(field[None]))
    expected = ndimage.map_coordinates(image, np.mgrid[:16, :16] + field, order=1)
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-5)


def test_images_alone_are_enough_to_learn(torch: Any) -> None:
    assert torch
    pairs = [images_of(slices(seed)) for seed in range(2)]
    losses: list[float] = []
    network = voxelmorph.train(
        pairs, steps=12, batch=2, log=lambda _step, loss, _network: losses.append(loss)
    )
    assert not network.masks
    assert len(losses) == 12
    assert losses[-1] < losses[0]
    assert network.register(slices(5)).any()


def test_the_same_seed_gives_the_same_weights(torch: Any) -> None:
    state = torch.get_rng_state()
    pairs = [slices(seed) for seed in range(3)]
    first, again, other = (
        voxelmorph.pack(voxelmorph.train(pairs, seed=seed, steps=3, batch=2)) for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other
    assert torch.equal(torch.get_rng_state(), state)


def test_torch_is_left_as_it_was(torch: Any) -> None:
    before = (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())
    seen: list[tuple[int, bool]] = []

    def log(*_: object) -> None:
        seen.append((torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()))

    voxelmorph.train([slices(0)], steps=1, log=log, threads=2)
    assert seen == [(2, True)]
    with pytest.raises(SourceError):
        voxelmorph.train([slices(0), images_of(slices(1))], steps=1)
    assert before == (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled())


def test_a_saved_network_gives_the_same_displacement(
    trained: voxelmorph.Network, tmp_path: Path
) -> None:
    (tmp_path / "weights.npz").write_bytes(voxelmorph.pack(trained))
    loaded = voxelmorph.load(tmp_path / "weights.npz")
    assert loaded.origin == trained.origin
    assert (loaded.origin.seed, loaded.origin.steps, loaded.edge) == (3, 60, EDGE)
    pair = slices(100)
    np.testing.assert_array_equal(loaded.register(pair), trained.register(pair))


@pytest.mark.parametrize("edge", [20, 100, 150])
def test_any_size_of_slice_goes(torch: Any, edge: int) -> None:
    """Smaller than what the network sees, or larger: outside of its square nothing moves."""
    assert torch
    pair = slices(0, edge)
    field = stored(edge=96).register(pair)
    assert field.shape == (2, edge, edge)
    moving = np.argwhere(field.any(0))
    assert len(moving)
    assert np.ptp(moving, axis=0).max() < 96


@pytest.mark.parametrize(("row", "column"), [(0, 0), (149, 149), (70, 20)])
def test_the_square_lies_around_the_heart_and_within_the_slice(row: int, column: int) -> None:
    heart = np.zeros((2, 150, 150), bool)
    heart[:, row, column] = True
    image = np.zeros((150, 150))
    image[row, column] = 1
    seen = voxelmorph._seen(Pair(image, image, heart, heart), 64, masks=True)
    assert seen.shape == (6, 64, 64)
    assert seen.sum() == 6
    ((i, j),) = np.argwhere(seen[1])
    assert (i, j) == {0: (0, 0), 149: (63, 63), 70: (32, 20)}[row]


@pytest.mark.parametrize("masks", [None, np.zeros((2, 150, 150), bool)])
def test_without_a_heart_the_square_is_in_the_middle(masks: Array | None) -> None:
    image = np.zeros((150, 150))
    image[74:76, 74:76] = 1
    seen = voxelmorph._seen(Pair(image, image, masks, masks), 64, masks=False)
    assert np.argwhere(seen[0]).mean(0).tolist() == [31.5, 31.5]


def test_an_empty_mask_is_not_learnt_from(torch: Any) -> None:
    """It says that nobody drew the heart, not that there is none."""
    seen = np.zeros((1, 6, 32, 32), np.float32)
    seen[0, 2:4, 8:24, 8:24] = 1
    nothing = torch.zeros(1, 2, 32, 32)
    without = unet.loss(torch.from_numpy(seen), nothing)
    seen[0, 4:, 9:25, 8:24] = 1
    assert unet.loss(torch.from_numpy(seen), nothing) > without


def test_pairs_without_masks_do_not_fit_a_network_that_sees_them(torch: Any) -> None:
    assert torch
    with pytest.raises(SourceError, match="give masks of all images, or train without any"):
        stored().register(images_of(slices(0)))


def test_values_that_are_no_numbers_are_refused(torch: Any) -> None:
    assert torch
    pair = slices(0)
    pair.moving[30, 30] = np.nan
    with pytest.raises(SourceError, match="values that are no numbers"):
        voxelmorph.train([pair], steps=1)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"batch": 0}, {"threads": 0}])
def test_training_on_nothing_is_refused(torch: Any, wrong: Mapping[str, int]) -> None:
    assert torch
    with pytest.raises(UsageError, match="1 or more"):
        voxelmorph.train([slices(0)], **wrong)
    with pytest.raises(UsageError, match="1 or more"):
        voxelmorph.train([])


def test_without_torch_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for wish in (lambda: voxelmorph.train([slices(0)]), lambda: stored().register(slices(0))):
        with pytest.raises(UsageError, match=r"pip install bidsify-datasets\[voxelmorph\]"):
            wish()


def test_files_are_read_and_written_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    network = stored()
    data = voxelmorph.pack(network)
    assert data == voxelmorph.pack(voxelmorph.unpack(data, "w.npz"))
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        assert json.loads(arrays["header"].tobytes())["origin"]["seed"] == 3
        np.testing.assert_array_equal(arrays["flow.weight"], network.weights["flow.weight"])


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"w\.npz: cannot be read \(No such file"):
        voxelmorph.load(tmp_path / "w.npz")


class Bomb:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (pytest.fail, ("a checkpoint was executed",))


def changed(header: Mapping[str, Any] | None = None, **arrays: Array | None) -> bytes:
    """Return a checkpoint with another header or other arrays; None leaves one out."""
    network = stored()
    found = dict(checkpoint.header_of(voxelmorph.pack(network), "")) | dict(header or {})
    weights = {**network.weights}
    for name, array in arrays.items():
        weights.pop(name.replace("_", "."))
        if array is not None:
            weights[name.replace("_", ".")] = array
    return checkpoint.pack(found, weights)


def with_member(name: str, content: bytes, packing: int = zipfile.ZIP_STORED) -> bytes:
    """Return a checkpoint in which one file of the archive is another one."""
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(voxelmorph.pack(stored()))) as old,
        zipfile.ZipFile(stream, "w", packing) as new,
    ):
        for each in old.namelist():
            new.writestr(each, content if each == name else old.read(each))
    return stream.getvalue()


def npy(array: Array, *, claims: tuple[int, ...] | None = None, pickled: bool = False) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    data = stream.getvalue()
    if claims is None:
        return data
    said = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        said, {"descr": array.dtype.str, "fortran_order": False, "shape": claims}
    )
    return said.getvalue() + array.tobytes()


def hostile() -> Iterator[tuple[str, bytes, str]]:
    good = voxelmorph.pack(stored())
    one = np.zeros(unet.shapes(masks=True)["flow.weight"], np.float32)
    objects = np.array([Bomb()], dtype=object)
    damaged = "or a damaged file"
    yield "nothing", b"", damaged
    yield "pickle", pickle.dumps(Bomb()), damaged
    yield "cut", good[:-500], damaged
    yield "flipped", good[:3000] + bytes([good[3000] ^ 255]) + good[3001:], damaged
    yield "objects", with_member("flow.weight.npy", npy(objects, pickled=True)), "not float32"
    yield "object header", with_member("header.npy", npy(objects, pickled=True)), damaged
    yield "no header", with_member("header.npy", b""), damaged
    yield "no JSON", with_member("header.npy", npy(np.zeros(9, np.uint8))), damaged
    yield "deep JSON", with_member("header.npy", npy(np.full(8000, ord("["), np.uint8))), damaged
    yield "list", with_member("header.npy", npy(np.frombuffer(b"[]", np.uint8))), damaged
    yield "huge header", with_member("header.npy", npy(one.view("u1"), claims=(2**40,))), damaged
    yield "huge", with_member("flow.weight.npy", npy(one, claims=(2**40, 12, 3, 3))), "flow.weight"
    yield "short", with_member("flow.weight.npy", npy(one[:1], claims=one.shape)), damaged
    zeros = npy(np.zeros((2**13, 2**11), np.float32))
    yield "bomb", with_member("flow.weight.npy", zeros, zipfile.ZIP_DEFLATED), "flow.weight"
    yield "missing", changed(flow_weight=None), damaged
    yield "shape", changed(flow_weight=one[:1]), r"flow.weight is float32 of \(1, 12, 3, 3\)"
    yield "NaN", changed(flow_weight=one + np.nan), "flow.weight has values that are no numbers"
    yield "order", with_member("flow.weight.npy", npy(np.asfortranarray(one))), damaged
    yield "other", changed({"architecture": "unet-9"}), "weights of 'unet-9', not of the network"
    for wrong in (
        {"edge": 2**40}, {"edge": 100}, {"edge": "32"}, {"edge": None}, {"masks": 1},
        {"masks": None}, {"origin": None}, {"origin": {"seed": 1}},
    ):  # fmt: skip
        yield f"{wrong}", changed(wrong), "train anew"
    yield "masks", changed({"masks": False}), "encode0.weight is float32"


@pytest.mark.parametrize(
    ("data", "reason"), [pytest.param(data, why, id=name) for name, data, why in hostile()]
)
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "w.npz"
    path.write_bytes(data)
    with pytest.raises(SourceError, match=reason) as caught:
        voxelmorph.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert len(str(caught.value)) < len(str(path)) + 200
