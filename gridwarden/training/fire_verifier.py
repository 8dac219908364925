"""Train the verifier of flame and smoke: `python -m gridwarden.training.fire_verifier DATA OUT`.

DATA holds what `sources.py` names. It fits four nets: each third of the sources is scored by one
that the others taught, and one that all taught gives the weights. OUT gets `fire_verifier.onnx` and
`fire_verifier.json`, which says what went in and how it scored.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from contract.errors import GridwardenError
from detectors.kit.region import CHANNELS, SIDE
from detectors.kit.verifier import WEIGHTS
from gridwarden.training import (
    fire_composites,
    fire_renderings,
    fire_samples,
    fire_sheets,
    onnx_file,
    panoramas,
)
from gridwarden.training.augmentation import Augmentation
from gridwarden.training.samples import UNKNOWN, Samples, joined, kind_of
from gridwarden.training.scores import OUTPUTS, report
from gridwarden.training.sources import ELSEWHERE, FOLDS, fold_of

SEED = 20
WIDTHS = ((CHANNELS, 16, 2), (16, 32, 2), (32, 48, 1), (48, 64, 2), (64, 96, 1))
LAST = (96, 160, 2)
BATCH, RATE = 128, 2e-3
SHARES = {  # of a batch
    "flame": 0.14,
    "flame elsewhere": 0.11,
    "rendered flame": 0.06,
    "smoke": 0.12,
    "smoke elsewhere": 0.06,
    "rendered smoke": 0.08,
    "neither": 0.43,
}
RENDERED = ("flame", "blaze", "drift")  # kinds of what is no picture of a fire
SIFT_EVERY = 500  # steps after which it is looked anew what of so many is hardest to tell
SIFTED = 16_000


class Net(nn.Module):
    """Six convolutions, the mean and the maximum of what they see, and one score for each."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for wide_in, wide_out, stride in (*WIDTHS, LAST):
            layers += [
                nn.Conv2d(wide_in, wide_out, 3, stride, 1, bias=False),
                nn.BatchNorm2d(wide_out),
                nn.ReLU(inplace=True),
            ]
        self.features = nn.Sequential(*layers)
        self.drop = nn.Dropout(0.3)
        self.head = nn.Linear(2 * LAST[1], len(OUTPUTS))

    def forward(self, crops: Tensor) -> Tensor:
        """Logits (n, 2) of crops (n, 4, 64, 64), 0..1."""
        seen = self.features(crops)
        pooled = torch.cat((seen.mean((2, 3)), seen.amax((2, 3))), 1)
        logits: Tensor = self.head(self.drop(pooled))
        return logits


def fit(samples: Samples, steps: int, device: torch.device, seed: int = SEED) -> Net:
    """A net taught by these samples."""
    torch.manual_seed(seed)
    chance, changed = np.random.default_rng(seed), Augmentation(seed)
    net = Net().to(device, memory_format=torch.channels_last)
    kept: Net = Net().to(device, memory_format=torch.channels_last)
    kept.load_state_dict(net.state_dict())  # the running mean of the weights is what is kept
    groups, often = _groups(samples)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.03)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
    mine, new = _floats(kept), _floats(net)
    for step in range(steps):
        if step and step % SIFT_EVERY == 0:
            some = chance.permutation(len(groups["neither"]))[:SIFTED]
            hard = _scores(kept.eval(), samples.crops[groups["neither"][some]], device).max(axis=1)
            often["neither"][some] = 0.15 + hard
        picks = np.concatenate(
            [
                _drawn(group, often[name], round(SHARES[name] * BATCH), chance)
                for name, group in groups.items()
            ]
        )
        known_labels = samples.labels[picks]
        wanted = torch.from_numpy(known_labels).to(device)
        shown = changed.of(samples.crops[picks], known_labels[:, 0] != 0.0)
        with torch.autocast(device.type, torch.bfloat16):
            logits = net(_as_tensor(shown, device)).float()
        known = wanted != UNKNOWN
        soft = wanted.clamp(0.0, 1.0) * 0.95 + 0.02
        each = nn.functional.binary_cross_entropy_with_logits(logits, soft, reduction="none")
        loss = (each * known).sum() / known.sum()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        pace.step()
        torch._foreach_lerp_(mine, new, 1.0 - min(0.998, step / (step + 20.0)))
        if step % 500 == 0 or step == steps - 1:
            print(f"step {step}: loss {float(loss.detach()):.4f}", flush=True)
    kept.eval()
    return kept


def _as_tensor(crops: NDArray[np.float32], device: torch.device) -> Tensor:
    """(n, 4, SIDE, SIDE) of (n, SIDE, SIDE, 4), channels last in memory as they are."""
    return torch.from_numpy(crops).to(device).permute(0, 3, 1, 2)


def _drawn(
    group: NDArray[np.intp], often: NDArray[np.float64], count: int, chance: np.random.Generator
) -> NDArray[np.intp]:
    """So many of a group, each as often as it is said to be shown."""
    upto = np.cumsum(often)
    return np.asarray(group[np.searchsorted(upto, chance.random(count) * upto[-1])], np.intp)


def _floats(net: Net) -> list[Tensor]:
    return [v for v in net.state_dict().values() if v.dtype.is_floating_point]


def _groups(
    samples: Samples,
) -> tuple[dict[str, NDArray[np.intp]], dict[str, NDArray[np.float64]]]:
    """The numbers of the samples of each of SHARES, and how often each is shown.

    Sources count by the root of what they hold: the largest must not be all that counts.
    """
    kinds = [kind_of(s) for s in samples.sources]
    held = Counter(kinds)
    rare = np.array([held[k] ** -0.5 for k in kinds])
    rendered = np.array([k in RENDERED for k in kinds])
    elsewhere = np.array([k.endswith(ELSEWHERE) for k in kinds])
    flame, smoke = samples.labels[:, 0] == 1.0, samples.labels[:, 1] == 1.0
    found = {
        "flame": flame & ~rendered & ~elsewhere,
        "flame elsewhere": flame & elsewhere,
        "rendered flame": flame & rendered,
        "smoke": smoke & ~flame & ~rendered & ~elsewhere,
        "smoke elsewhere": smoke & ~flame & elsewhere,
        "rendered smoke": smoke & ~flame & rendered,
        "neither": ~flame & ~smoke,
    }
    groups = {name: np.flatnonzero(where) for name, where in found.items()}
    return groups, {name: rare[group] for name, group in groups.items()}


def scores_of(net: Net, samples: Samples, device: torch.device) -> NDArray[np.float32]:
    """(n, 2) flame and smoke of each sample, 0..1."""
    return _scores(net, samples.crops, device)


def _scores(net: Net, crops: NDArray[np.uint8], device: torch.device) -> NDArray[np.float32]:
    with torch.no_grad():
        return np.concatenate(
            [
                torch.sigmoid(
                    net(_as_tensor(crops[n : n + 512].astype(np.float32) / 255.0, device))
                )
                .cpu()
                .numpy()
                for n in range(0, len(crops), 512)
            ]
        )


def gathered(data: Path, size: float) -> Samples:
    """All samples. size: 1 for the usual number of renderings and composites."""
    chance = np.random.default_rng(SEED)
    stills = fire_samples.read_stills(data)
    quiet = fire_samples.quiet_backdrops(data, stills, chance)
    backdrops = [a + b for a, b in zip(quiet, panoramas.backdrops(data, chance), strict=True)]
    made_of = fire_composites.material(stills, backdrops, chance)
    return joined(
        [
            fire_samples.from_stills(stills, chance, SEED),
            fire_samples.from_clips(data, SEED),
            fire_renderings.from_scenes(chance, each=round(240 * size)),
            fire_samples.from_furg(data, chance),
            panoramas.from_panoramas(data, SEED),
            fire_sheets.from_sheets(
                fire_sheets.stock(data, backdrops),
                flames=round(1200 * size),
                smokes=round(2700 * size),
                seed=SEED,
            ),
            fire_composites.from_composites(
                made_of, flames=round(200 * size), smokes=round(100 * size), seed=SEED
            ),
            fire_renderings.from_renderings(
                backdrops, flames=round(500 * size), lookalikes=round(150 * size), seed=SEED
            ),
        ]
    )


def write(folder: Path, samples: Samples) -> None:
    """Keep the samples where other processes find them."""
    np.save(folder / "crops.npy", samples.crops)
    np.save(folder / "labels.npy", samples.labels)
    (folder / "sources.json").write_text(json.dumps(samples.sources))


def read(folder: Path) -> Samples:
    """The samples that `write` kept."""
    return Samples(
        np.load(folder / "crops.npy", mmap_mode="r"),
        np.load(folder / "labels.npy"),
        json.loads((folder / "sources.json").read_text()),
    )


def fitted(
    folder: Path, fold: int | None, steps: int, device: str, threads: int
) -> NDArray[np.float32] | bytes:
    """The scores of a fold by a net that the others taught; without one, the weights of all."""
    cv2.setNumThreads(1)
    if device == "cpu":
        torch.set_num_threads(threads)
    samples = read(folder)
    if fold is None:
        net = fit(samples, steps, torch.device(device)).cpu()
        return onnx_file.of(net, (CHANNELS, SIDE, SIDE), "gridwarden fire verifier")
    of = np.array([fold_of(s) for s in samples.sources])
    net = fit(samples.where(of != fold), steps, torch.device(device))
    return scores_of(net, samples.where(of == fold), torch.device(device))


def trained(
    samples: Samples, out: Path, steps: int, device: str, at_once: int, folds: Sequence[int | None]
) -> None:
    """Fits the nets, `at_once` at a time; OUT gets the weights and what there is to say of them.

    folds: those to score; None stands for the net that all teach.
    """
    of = np.array([fold_of(s) for s in samples.sources])
    scores = np.zeros(samples.labels.shape, np.float32)
    threads = max(1, len(os.sched_getaffinity(0)) // at_once)
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        jobs = {pool.submit(fitted, out, fold, steps, device, threads): fold for fold in folds}
        for job in as_completed(jobs):
            fold, made = jobs[job], job.result()
            print(f"fitted {'all' if fold is None else f'all but fold {fold}'}", flush=True)
            if isinstance(made, bytes):
                (out / WEIGHTS).write_bytes(made)
            else:
                scores[of == fold] = made
    scored = np.isin(of, [fold for fold in folds if fold is not None])
    tell(samples, samples.where(scored), scores[scored], out, steps)


def tell(
    samples: Samples, held_out: Samples, scores: NDArray[np.float32], out: Path, steps: int
) -> None:
    """What went in, and how each sample of a fold was scored by a net that it did not teach."""
    weights = (out / WEIGHTS).read_bytes() if (out / WEIGHTS).exists() else b""
    labels = (
        "flame" if f == 1.0 else "smoke" if s == 1.0 else "neither" for f, s in samples.labels
    )
    told = {
        "sha256": hashlib.sha256(weights).hexdigest() if weights else None,
        "bytes": len(weights),
        "seed": SEED,
        "steps": steps,
        "samples": dict(Counter(labels)),
        "sources": dict(sorted(Counter(kind_of(s) for s in samples.sources).items())),
        "held_out": report(held_out, scores),
    }
    (out / "fire_verifier.json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1), flush=True)


def _folds(text: str) -> tuple[int | None, ...]:
    """`all,0,2` as None for all and numbers; raises KeyError for what is no fold."""
    named = {"all": None, **{str(number): number for number in range(FOLDS)}}
    return tuple(named[name] for name in dict.fromkeys(text.split(",")))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit code is 0, or 2 with one line of reason."""
    parser = argparse.ArgumentParser(
        prog="python -m gridwarden.training.fire_verifier", description=__doc__
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--steps", type=int, default=8000, help="each fit takes (default: %(default)s)"
    )
    parser.add_argument("--size", type=float, default=1.0, help="share of the renderings made")
    parser.add_argument(
        "--at-once", type=int, default=1, help="fits at a time (default: %(default)s)"
    )
    parser.add_argument(
        "--folds",
        default="all,0,1,2",
        help="thirds to score, and `all` for the weights (default: %(default)s)",
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)
    try:
        folds = _folds(options.folds)
    except KeyError as e:
        parser.error(f"--folds: no fold is called {e}; there are all, 0, 1 and 2")
    cv2.setNumThreads(1)
    begun = time.monotonic()
    try:
        samples = gathered(options.data, options.size)
    except GridwardenError as e:
        sys.stderr.write(f"{e}\n")
        return 2
    print(f"{len(samples.sources)} samples after {time.monotonic() - begun:.0f} s", flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    write(options.out, samples)
    trained(samples, options.out, options.steps, options.device, options.at_once, folds)
    print(f"{(time.monotonic() - begun) / 60.0:.1f} minutes on {options.device}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
