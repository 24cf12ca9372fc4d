"""Load tens of thousands of damaged and hostile detector files, and count the outcomes.

    python tests/stress/fuzz_persistence.py --files 20000
    python tests/stress/fuzz_persistence.py --files 20000 \\
        --of tests/data/detector-0.1.0.safetensors
    python tests/stress/fuzz_persistence.py --files 0 --kills 100

Made the figures on damaged files and killed saves in docs/guarantees.md, "Files".

Each file is a random mutation of a valid one: of a detector fitted here, or of the one
given by ``--of``, for instance of an earlier format. Mutations named ``sealed`` get a
correct checksum, as an attacker would give them. `CoADDetector.load` must either return
a detector or raise `InvalidDetectorError`. Anything else is a failure: another
exception, the end of the process, more than 10 seconds, or more memory than the limit.
With ``--kills``, processes that save repeatedly are killed at random moments, and the
file that they leave must be complete. The exit status is 1 after any failure.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import json
import os
import random
import resource
import signal
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from skcoad import CoADDetector
from skcoad.io._container import KEY, UNSEALED
from skcoad.io._schema import InvalidDetectorError

MAX_SECONDS = 10
MAX_MEMORY = 256 * 2**20  # bytes beyond what the process has at its start
BATCH = 500

Content = dict[str, Any]
Tensors = dict[str, torch.Tensor]

NUMBERS = [0, -1, 1, 2, 3, 7, 64, 2**16, 10**6, 2**31, 2**63, 2**64, 10**40, 10**400]
HOSTILE: list[Any] = [
    *NUMBERS,
    *(1.5, -0.0, 1e-320, 1e308, float("nan"), float("inf")),
    *(None, True, False, "", "auto", "gru", "cuda:7", "x" * 10_000, "\ud800"),
    *([], {}, [[]], [None], [{}], [1e999], ["flip"] * 1000, {"a": {"b": []}}),
]


def make_valid(path: Path) -> None:
    """Save a small detector of two channels, with names and missing values."""
    X = np.sin(np.arange(200)[:, None] / 4 + np.arange(2))
    X[50:60, 1] = np.nan
    CoADDetector(
        hidden_size=4, n_layers=2, max_references=32, max_steps=3, random_state=0
    ).fit(X).save(path)


def unpack(data: bytes) -> tuple[Content, Tensors]:
    """Read a valid file of any format, without checks or conversion."""
    length = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + length])["__metadata__"]
    return json.loads(metadata[KEY]), safetensors.torch.load(data)


def pack(content: Content, tensors: Tensors) -> bytes:
    """Make a file with a correct checksum, whatever its content."""
    content = content | {"sha256": UNSEALED}
    return seal(safetensors.torch.save(tensors, {KEY: json.dumps(content)}))


def seal(data: bytes) -> bytes:
    """Write the checksum into a file in which 64 zeros take its place."""
    digest = hashlib.sha256(data).hexdigest()
    return data.replace(UNSEALED.encode(), digest.encode(), 1)


def repack_header(data: bytes, header: bytes) -> bytes:
    """Replace the header."""
    length = int.from_bytes(data[:8], "little")
    return len(header).to_bytes(8, "little") + header + data[8 + length :]


def flip_bits(data: bytes, chance: random.Random) -> bytes:
    """Flip 1 to 8 bits, half of the time in the header only."""
    changed = bytearray(data)
    header = 8 + int.from_bytes(data[:8], "little")
    end = chance.choice([header, len(data)])
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(end)] ^= 1 << chance.randrange(8)
    return bytes(changed)


def truncate(data: bytes, chance: random.Random) -> bytes:
    """Cut the end off."""
    return data[: chance.randrange(len(data))]


def extend(data: bytes, chance: random.Random) -> bytes:
    """Add bytes to the end."""
    return data + chance.randbytes(chance.randint(1, 1000))


def splice(data: bytes, chance: random.Random) -> bytes:
    """Remove, repeat, or overwrite some bytes."""
    start = chance.randrange(len(data))
    part = data[start : start + chance.randint(1, 500)]
    middle = chance.choice([b"", part * 2, chance.randbytes(len(part))])
    return data[:start] + middle + data[start + len(part) :]


def noise(data: bytes, chance: random.Random) -> bytes:
    """Return bytes that were never a detector."""
    return chance.randbytes(chance.randint(0, 2000))


def hostile_length(data: bytes, chance: random.Random) -> bytes:
    """Change the length that the file states for its header."""
    length = chance.choice([chance.getrandbits(64), 2**63, 2**64 - 1, 2**20, 0, 1])
    return length.to_bytes(8, "little") + data[8:]


def bomb(data: bytes, chance: random.Random) -> bytes:
    """Nest the header, or our JSON, deeply, or fill it with many small values."""
    n = chance.choice([10, 100, 1_000, 10_000, 50_000])
    text = chance.choice(
        ["[" * n, "[" * n + "]" * n, '{"a":' * n, "[" + "[]," * n + "1]", "9" * n]
    )
    if chance.random() < 0.5:
        text = json.dumps({"__metadata__": {KEY: text}})
    return repack_header(data, text.encode())


def table(data: bytes, chance: random.Random) -> bytes:
    """Change types, shapes and offsets in the table of tensors."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    entry = header[chance.choice([name for name in header if name != "__metadata__"])]
    key = chance.choice(["dtype", "shape", "data_offsets"])
    if chance.random() < 0.3 or key == "dtype":
        entry[key] = chance.choice(["F16", "I64", "F8_E4M3", "C64", *HOSTILE])
    else:
        entry[key] = [chance.choice(NUMBERS[:12]) for _ in entry[key]]
    text = json.dumps(header)
    digest = json.loads(header["__metadata__"][KEY])["sha256"]
    return seal(repack_header(data, text.replace(digest, UNSEALED).encode()))


def metadata(data: bytes, chance: random.Random) -> bytes:
    """Change values of our JSON, at any depth."""
    content, tensors = unpack(data)
    for _ in range(chance.randint(1, 3)):
        place = chance.choice(objects(content))
        key = chance.choice(list(place))
        action = chance.random()
        if action < 0.1:
            del place[key]
            break
        hostile = copy.deepcopy(chance.choice(HOSTILE))
        if isinstance(place[key], list) and place[key] and action < 0.6:
            place[key][chance.randrange(len(place[key]))] = hostile
        else:
            place[key] = hostile
    return pack(content, tensors)


def objects(content: Content) -> list[Content]:
    """All objects of our JSON that are not empty: the whole, and those within."""
    found = [content]
    for value in content.values():
        if isinstance(value, dict) and value:
            found += objects(value)
    return found


def values(data: bytes, chance: random.Random) -> bytes:
    """Change values, shape, or type of tensors, remove or add some."""
    content, tensors = unpack(data)
    name = chance.choice(list(tensors))
    tensor = tensors[name].clone()
    action = chance.randrange(6)
    if action == 0:
        del tensors[name]
    elif action == 1:
        dtypes = [torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
        tensors[name] = tensor.to(chance.choice(dtypes))
    elif action == 2:
        shape = chance.choice([(0,), (0, 2**40), (1,), (), (3, 5), (2, 200)])
        tensors[name] = torch.zeros(shape, dtype=tensor.dtype)
    elif action == 3:
        more = ["more", "model.more", "model.network.more", "references.x", ""]
        tensors[chance.choice(more)] = tensor
    elif tensor.numel():
        index = chance.randrange(tensor.numel())
        if tensor.is_floating_point():
            extremes = [float("nan"), float("inf"), -float("inf"), -1.0, 0.0, 3e38]
            tensor.view(-1)[index] = chance.choice(extremes)
        else:
            tensor.view(torch.uint8).view(-1)[index] = chance.randrange(256)
        tensors[name] = tensor
    return pack(content, tensors)


MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits flipped": flip_bits,
    "truncated": truncate,
    "extended": extend,
    "spliced": splice,
    "noise": noise,
    "header length": hostile_length,
    "JSON bomb": bomb,
    "table, sealed": table,
    "metadata, sealed": metadata,
    "tensors, sealed": values,
}


class TooLongError(Exception):
    """A file took more than MAX_SECONDS."""


def stop(*_: object) -> None:
    """Interrupt a load that takes too long."""
    raise TooLongError


def start_worker() -> None:
    """Warm up, then limit the memory of this process."""
    # Loading warns of some of the values that are out of range on purpose.
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        make_valid(Path(folder, "valid"))
        CoADDetector.load(Path(folder, "valid"))
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + MAX_MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    signal.signal(signal.SIGALRM, stop)


def peak_memory() -> int:
    """Most that this process ever held, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def load_mutated(
    data: bytes, numbers: range, seed: int
) -> tuple[Counter[tuple[str, str]], list[str], float, int]:
    """Load the files of some numbers: outcomes, failures, longest time, more memory."""
    before = peak_memory()
    outcomes: Counter[tuple[str, str]] = Counter()
    failures, longest = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "detector")
        for number in numbers:
            chance = random.Random(f"{seed} {number}")
            kind = chance.choice(list(MUTATIONS))
            path.write_bytes(MUTATIONS[kind](data, chance))
            started = time.perf_counter()
            signal.alarm(MAX_SECONDS)
            try:
                CoADDetector.load(path)
                outcome = "loaded"
            except InvalidDetectorError:
                outcome = "invalid"
            except TooLongError:
                outcome = "hung"
            except MemoryError:
                outcome = "memory"
            except Exception as error:
                outcome = "other error"
                failures.append(f"file {number}, {kind}: {error!r}")
            finally:
                signal.alarm(0)
            longest = max(longest, time.perf_counter() - started)
            outcomes[kind, outcome] += 1
    return outcomes, failures, longest, peak_memory() - before


def fuzz(data: bytes, n_files: int, seed: int) -> bool:
    """Load mutations of a valid file, and print a table of the outcomes.

    Parameters
    ----------
    data : bytes
        The valid file.
    n_files, seed : int
        How many mutations, and the source of their randomness.

    Returns
    -------
    bool
        Whether every outcome was one of the two that are allowed.
    """
    outcomes: Counter[tuple[str, str]] = Counter()
    failures, longest, growth, n_crashes = [], 0.0, 0, 0
    pool = ProcessPoolExecutor(1, initializer=start_worker)
    started = time.perf_counter()
    for first in range(0, n_files, BATCH):
        numbers = range(first, min(first + BATCH, n_files))
        try:
            result = pool.submit(load_mutated, data, numbers, seed).result()
        except BrokenProcessPool:
            n_crashes += 1
            failures.append(f"the process ended in {numbers}")
            pool = ProcessPoolExecutor(1, initializer=start_worker)
            continue
        outcomes += result[0]
        failures += result[1]
        longest = max(longest, result[2])
        growth += result[3]
    pool.shutdown()
    columns = ["invalid", "loaded", "other error", "hung", "memory"]
    totals = {
        outcome: sum(outcomes[kind, outcome] for kind in MUTATIONS)
        for outcome in columns
    }
    print("| mutation |", " | ".join(columns), "|")
    print("|---|" + "---:|" * len(columns))
    for kind in MUTATIONS:
        counts = [str(outcomes[kind, outcome]) for outcome in columns]
        print(f"| {kind} |", " | ".join(counts), "|")
    print("| all |", " | ".join(map(str, totals.values())), "|")
    print(
        f"\n{n_files} files of {len(data)} bytes before mutation, {n_crashes} crashes, "
        f"longest load {longest:.2f} s, peak memory grew by {growth / 2**10:.0f} MiB "
        f"(limit {MAX_MEMORY // 2**20}), "
        f"{time.perf_counter() - started:.0f} s in all"
    )
    for failure in failures[:20]:
        print(failure)
    return n_files == totals["invalid"] + totals["loaded"]


def kill(n_kills: int, seed: int) -> bool:
    """Kill processes that save, and compare what they leave with what was saved.

    Parameters
    ----------
    n_kills, seed : int
        How many, and the source of the random moments.

    Returns
    -------
    bool
        Whether every kill left a complete file.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "detector")
        make_valid(path)
        detectors = [CoADDetector.load(path), CoADDetector.load(path)]
        detectors[1].threshold_ = 1000.0
        complete = []
        for detector in detectors:
            detector.save(path)
            complete.append(path.read_bytes())
        found: Counter[int] = Counter()
        for _ in range(n_kills):
            child = os.fork()
            if child == 0:
                while True:
                    for detector in detectors:
                        detector.save(path)
            time.sleep(chance.uniform(0, 0.3))
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            data = path.read_bytes()
            found[complete.index(data) if data in complete else -1] += 1
        unfinished = len(list(Path(folder).glob(".skcoad-*.tmp")))
    print(
        f"{n_kills} kills: {found[0]} left the one file, {found[1]} the other, "
        f"{found[-1]} neither; {unfinished} fell into the writing itself"
    )
    return found[-1] == 0


def main() -> None:
    """Run what was asked for; the status is 1 after a failure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=20_000)
    parser.add_argument("--of", type=Path, help="valid file to mutate")
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    passed = True
    if arguments.files:
        with tempfile.TemporaryDirectory() as folder:
            path = arguments.of or Path(folder, "valid")
            if arguments.of is None:
                make_valid(path)
            CoADDetector.load(path)
            data = path.read_bytes()
        passed &= fuzz(data, arguments.files, arguments.seed)
    if arguments.kills:
        passed &= kill(arguments.kills, arguments.seed)
    raise SystemExit(not passed)


if __name__ == "__main__":
    main()
