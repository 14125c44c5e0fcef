"""The random numbers: published vectors, a second implementation, the laws of the draws."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys

import numpy as np
import pytest
from markets import draw_reference, normals_reference, philox_reference
from scipy import stats

from simulator.jit import kernel
from simulator.market.elementary import (
    box_muller,
    exponential,
    fma,
    logarithm,
    minus_two_log,
    nearest,
    uniform32,
)
from simulator.market.philox import fill_normals, fill_uniforms, normals4, uniforms4, words4
from simulator.market.streams import Stream, diffusion_stream, jump_stream
from simulator.units import LANES

SEED = 0x0123456789ABCDEF

# the known-answer tests that Random123 publishes for philox4x32-10: counter, key, words
KNOWN_ANSWERS = [
    ((0,) * 4, 0, (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, 2**64 - 1, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        0x299F31D0_A4093822,
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]


def words_of(counter, seed):
    step, stream, low, high = counter
    path = np.uint64(low | high << 32)
    return words4(np.uint64(seed), np.uint64(step), np.uint64(stream), path)


@pytest.mark.parametrize(("counter", "seed", "expected"), KNOWN_ANSWERS)
def test_philox__published_vectors(counter, seed, expected):
    assert tuple(int(word) for word in words_of(counter, seed)) == expected
    assert philox_reference(counter, seed) == expected


def test_philox__random_counters__equals_plain_integers():
    source = random.Random(7)
    for _ in range(200):
        counter = tuple(source.getrandbits(32) for _ in range(4))
        seed = source.getrandbits(64)
        assert tuple(int(word) for word in words_of(counter, seed)) == philox_reference(
            counter, seed
        )


def test_lanes__across_a_carry_of_the_path__equal_the_scalar_draws():
    first_path = 2**32 - 60
    uniforms = np.empty((4, LANES))
    normals = np.empty((4, LANES))
    words = np.empty(4 * LANES, np.uint32)
    fill_uniforms(uniforms, words, SEED, 5, Stream.REAL_RATE, first_path)
    fill_normals(normals, words, SEED, 5, Stream.REAL_RATE, first_path)
    for lane in range(LANES):
        path = first_path + lane
        drawn = tuple(int(word) for word in words.reshape(4, LANES)[:, lane])
        assert drawn == draw_reference(SEED, 5, Stream.REAL_RATE, path)
        assert tuple(uniforms[:, lane]) == uniforms4(SEED, 5, Stream.REAL_RATE, path)
        exact = normals4(SEED, 5, Stream.REAL_RATE, path)
        assert normals[:, lane] == pytest.approx(exact, rel=1e-6, abs=1e-6)


def test_normals4__equals_box_muller_of_the_reference_words():
    for path in range(200):
        a, b, c, d = draw_reference(SEED, 9, Stream.SALES, path)
        expected = normals_reference(a, b) + normals_reference(c, d)
        assert normals4(SEED, 9, Stream.SALES, path) == pytest.approx(expected, rel=1e-12)


def test_uniforms__extreme_words__stay_inside_the_open_interval():
    # (word + 1/2) / 2^32 at word 0 and 2^32 - 1
    assert float(uniform32(np.uint32(0))) == 2.0**-33
    assert float(uniform32(np.uint32(2**32 - 1))) == 1.0  # float32 rounds 1 - 2^-33 up
    for path in range(50):
        for uniform in uniforms4(SEED, 0, Stream.STRESS, path):
            assert 0.0 < uniform < 1.0


def test_box_muller__extreme_words__are_finite():
    # the longest radius is sqrt(-2 ln 2^-33) = 6.7637
    largest = 0.0
    for radius_word in (0, 1, 2**31, 2**32 - 1):
        for angle_word in (0, 2**29, 2**30 - 1, 2**30, 2**31, 3 * 2**30, 2**32 - 1):
            pair = box_muller(np.uint32(radius_word), np.uint32(angle_word))
            assert np.all(np.isfinite(pair))
            largest = max(largest, math.hypot(*pair))
    assert largest == pytest.approx(math.sqrt(66 * math.log(2)), rel=1e-6)


def collect_normals(n_calls):
    words = np.empty(4 * LANES, np.uint32)
    draws = np.empty((n_calls, 4, LANES), np.float32)
    for step in range(n_calls):
        fill_normals(draws[step], words, np.uint64(SEED), step, int(Stream.GOLD), 0)
    return draws.astype(np.float64)


def test_normals__follow_the_normal_law():
    draws = collect_normals(400)
    assert stats.kstest(draws.ravel(), "norm").pvalue > 0.001
    # the standard error of a sample moment: that of x^k over n draws
    for power, expected, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        moment = (draws**power).mean()
        assert abs(moment - expected) < 3 * math.sqrt(variance / draws.size), power


def test_normals__are_uncorrelated_between_words_lanes_and_steps():
    draws = collect_normals(400)
    n = draws.size
    pairs = {
        "words": (draws[:, :-1], draws[:, 1:]),
        "lanes": (draws[:, :, :-1], draws[:, :, 1:]),
        "steps": (draws[:-1], draws[1:]),
        "squares of a Box-Muller pair": (draws[:, 0] ** 2 - 1, draws[:, 1] ** 2 - 1),
    }
    for name, (x, y) in pairs.items():
        scale = x.std() * y.std()
        assert abs((x * y).mean()) < 3.5 * scale / math.sqrt(min(n, x.size)), name


def test_minus_two_log__over_its_domain__within_its_stated_error():
    exponents = np.linspace(-125, 0, 4_001)
    near_one = 1 - np.geomspace(2.0**-24, 0.5, 500)
    for x in np.float32(np.concatenate([2**exponents, near_one])):
        expected = -2 * math.log(float(x))
        assert float(minus_two_log(x)) == pytest.approx(expected, rel=4e-7)
    assert float(minus_two_log(np.float32(1.0))) == 0.0


def test_logarithm__over_its_domain__within_its_stated_error():
    rng = np.random.default_rng(5)
    for x in (*np.exp(rng.uniform(-700, 700, 2_000)), *rng.uniform(0.5, 2.0, 2_000), 1.0):
        assert abs(logarithm(x) - math.log(x)) <= 2e-16 + 3e-16 * abs(math.log(x))


def test_nearest__rounds_halves_to_the_even_integer():
    for x in (-2.5, -1.5, -0.5, 0.49, 0.5, 1.5, 2.5, 4_123.00000001e8, 2.0**50 + 0.5):
        assert nearest(x) == round(x)


def test_exponential__over_its_domain__within_its_stated_error():
    for x in np.linspace(-690, 690, 5_001):
        assert exponential(x) == pytest.approx(math.exp(x), rel=1e-13)
    for x in np.linspace(-20, 20, 5_001):
        assert exponential(x) == pytest.approx(math.exp(x), rel=2e-14)


@kernel
def multiply_add(x: float, y: float, z: float) -> float:
    return fma(x, y, z)


def test_fma__is_rounded_once():
    # (1 + e)(1 - e) - 1 = -e^2 exactly; rounded twice it is 0, for 1 - e^2 rounds to 1
    e = 2.0**-30
    assert (1 + e) * (1 - e) - 1 == 0.0
    assert multiply_add(1 + e, 1 - e, -1.0) == -(e**2)


def test_streams__diffusion_and_jumps__lie_apart():
    for asset in ("gold", "silver", "copper"):
        assert jump_stream(asset).name == diffusion_stream(asset).name + "_JUMP"
    assert len({int(stream) for stream in Stream}) == len(Stream)
    with pytest.raises(KeyError):
        diffusion_stream("lead")


def test_kernel__changed_helper_of_another_module__is_compiled_anew(tmp_path):
    (tmp_path / "caller.py").write_text(
        "from simulator.jit import kernel\nfrom helper import step\n"
        "@kernel\ndef twice(x):\n    return step(step(x))\nprint(twice(1))\n"
    )
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmp_path), os.getcwd()]))
    printed = []
    for added in (1, 10, 1):
        (tmp_path / "helper.py").write_text(
            f"from simulator.jit import inlined\n@inlined\ndef step(x):\n    return x + {added}\n"
        )
        run = subprocess.run(
            [sys.executable, str(tmp_path / "caller.py")],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        printed.append(int(run.stdout))
    assert printed == [3, 21, 3]
