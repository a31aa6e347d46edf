"""Addressed chance: Philox is NumPy's, a name's address depends on its text only."""

from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstwo

from simlib.chance.addresses import name_hash
from simlib.chance.philox import block, uniform, uniforms

ONES = 2**64 - 1
words = st.one_of(st.integers(0, ONES), st.sampled_from([0, 1, ONES, ONES - 1, 2**63]))
keys = st.tuples(words, words)
counters = st.tuples(words, words, words, words)

Key = tuple[int, int]
Counter = tuple[int, int, int, int]


def split(whole: int) -> Counter:
    return tuple((whole >> (64 * i)) & ONES for i in range(4))  # type: ignore[return-value]


def successor(counter: Counter) -> Counter:
    """Return the counter after this one, carried over 256 bits."""
    return split((sum(word << (64 * i) for i, word in enumerate(counter)) + 1) % 2**256)


def of_numpy(key: Key, counter: Counter) -> tuple[int, ...]:
    generator = np.random.Philox(
        key=np.array(key, dtype=np.uint64), counter=np.array(counter, dtype=np.uint64)
    )
    return tuple(int(word) for word in generator.random_raw(4))


def of_simlib(key: Key, counter: Counter) -> tuple[int, ...]:
    return tuple(int(word) for word in block(*map(np.uint64, (*key, *counter))))


@given(key=keys, counter=counters)
def test_block_is_numpys_at_the_next_counter(key: Key, counter: Counter) -> None:
    """NumPy advances its counter before the first block; nothing else differs."""
    assert of_simlib(key, successor(counter)) == of_numpy(key, counter)


@pytest.mark.parametrize("n_ones", [1, 2, 3, 4])
@pytest.mark.parametrize("rest", [0, 5, ONES - 1])
def test_carry_runs_through_words_of_all_ones(n_ones: int, rest: int) -> None:
    """A word of all ones carries into the next; four of them wrap to zero."""
    counter: Counter = (*(ONES,) * n_ones, *(rest,) * (4 - n_ones))  # type: ignore[assignment]
    assert successor(counter)[:n_ones] == (0,) * n_ones
    assert of_simlib((3, 7), successor(counter)) == of_numpy((3, 7), counter)


def test_block_is_numpys_under_many_keys() -> None:
    for i in range(2000):
        key = (name_hash(f"root {i}"), i)
        counter = split(name_hash(f"counter {i}"))
        assert of_simlib(key, successor(counter)) == of_numpy(key, counter)


def test_uniforms_are_those_of_numpys_generator() -> None:
    """Both take a word's 53 leading bits, so NumPy's own doubles are an independent answer."""
    for i in range(200):
        counter = (name_hash(f"what {i}"), i, 2 * i, 1)
        before = split((sum(word << (64 * k) for k, word in enumerate(counter)) - 1) % 2**256)
        bits = np.random.Philox(
            key=np.array([11, i], dtype=np.uint64), counter=np.array(before, dtype=np.uint64)
        )
        expected = np.random.Generator(bits).random(4).tolist()
        a0, a1, a2, draw = counter
        assert [uniform(11, i, a0, a1, a2, draw=draw, word=w) for w in range(4)] == expected


def test_many_uniforms_are_the_single_ones() -> None:
    names = np.array([name_hash(f"name {i}") for i in range(5)], dtype=np.uint64)
    occasions = np.array([0, 1, ONES], dtype=np.uint64)
    expected = [[uniform(2, 9, int(a), int(b)) for b in occasions] for a in names]
    assert uniforms(2, 9, names, occasions).tolist() == expected


def least_unlikely_distance(n: int) -> float:
    """Return the Kolmogorov distance that n uniforms pass with a probability of 1e-6."""
    return float(kstwo.isf(1e-6, n))


def distance_from_uniform(sample: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    ranks = np.arange(len(sample) + 1) / len(sample)
    ordered = np.sort(sample)
    return float(max((ranks[1:] - ordered).max(), (ordered - ranks[:-1]).max()))


def test_uniforms_of_neighboring_addresses_are_uniform() -> None:
    """Names, occasions and replications that differ by one share no structure.

    Each sample of n = 10,000 stays below the Kolmogorov distance that uniforms pass once
    in a million, 0.027. The control, u^1.2, is max(u - u^1.2) = 0.067 away.
    """
    n = 10_000
    zero = np.zeros(1, dtype=np.uint64)
    count = np.arange(n, dtype=np.uint64)
    samples = [
        uniforms(1, 1, count, zero)[:, 0],
        uniforms(1, 1, np.array([name_hash("x")], dtype=np.uint64), count)[0],
        np.array([uniform(1, replication, name_hash("x")) for replication in range(n)]),
    ]
    bound = least_unlikely_distance(n)
    assert [sample for sample in samples if distance_from_uniform(sample) > bound] == []
    assert distance_from_uniform(samples[0] ** 1.2) > bound


def test_neighboring_replications_are_uncorrelated() -> None:
    """The correlation of n pairs has sd 1/sqrt(n); 5 sd is passed once in two million."""
    n = 10_000
    u = np.array([uniform(1, replication, name_hash("x")) for replication in range(n + 1)])
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 5 / math.sqrt(n)
    assert abs(np.corrcoef(u[:-1], u[:-1] + 0.2 * u[1:])[0, 1]) > 5 / math.sqrt(n)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("", 13020603013274838756),
        ("parameter|raids", 4428848405112893525),
        ("isis_attack|Anbar|isf", 15992064805081659754),
        ("Türkiye", 3451387949516462926),
    ],
)
def test_name_has_a_fixed_address(text: str, address: int) -> None:
    """Golden: stored results rest on these words. They are the first 8 bytes of blake2b."""
    first = hashlib.blake2b(text.encode("utf-8"), digest_size=8).digest()
    assert name_hash(text) == address == int.from_bytes(first, "little")


@given(st.text(), st.text())
def test_names_that_differ_have_different_addresses(one: str, other: str) -> None:
    assert (name_hash(one) == name_hash(other)) == (one == other)


ADDRESSES = """
import hashlib
from support.worlds import decided, run_of
from support.agents import Watcher
from support.scenarios import watched
run = run_of(watched(), Watcher)
print(hash("x"))
print(hashlib.sha256(run.incidents.address.tobytes() + repr(decided(run)).encode()).hexdigest())
"""


def test_no_address_depends_on_the_hash_seed() -> None:
    """Python's own hashes differ between the processes, the addresses of a run do not."""
    printed = []
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        environment["PYTHONPATH"] = str(Path(__file__).parent)
        done = subprocess.run(
            [sys.executable, "-c", ADDRESSES],
            env=environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        printed.append(done.stdout.split())
    assert printed[0][0] != printed[1][0]
    assert printed[0][1] == printed[1][1]
