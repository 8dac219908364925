"""Train the verifier of flame and smoke: `python -m gridwarden.training.fire_verifier DATA OUT`.

DATA holds `stills/fire8/train` and the clips of `sources.CLIPS`. It fits four nets: each third of
the sources is scored by one that the others taught, and one that all taught gives the weights. OUT
gets `fire_verifier.onnx` and `fire_verifier.json`, which says what went in and how it scored.
"""

from __future__ import annotations

import argparse
import hashlib
import json
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
from gridwarden.training import fire_composites, fire_renderings, fire_samples, onnx_file
from gridwarden.training.samples import UNKNOWN, Samples, joined, kind_of
from gridwarden.training.sources import ELSEWHERE, FOLDS, fold_of

SEED = 20
WIDTHS = ((CHANNELS, 16, 2), (16, 32, 2), (32, 48, 1), (48, 64, 2), (64, 96, 1))
LAST = (96, 160, 2)
BATCH, RATE = 256, 2e-3
SHARES = {  # of a batch
    "flame": 0.13,
    "flame elsewhere": 0.13,
    "rendered flame": 0.06,
    "smoke": 0.13,
    "smoke elsewhere": 0.08,
    "neither": 0.47,
}
SIFT_EVERY = 500  # steps after which what is hardest to tell is looked for anew
OUTPUTS = ("flame", "smoke")
BOUNDS = (0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95)  # scores whose rates are told


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


def augmented(crops: Tensor, burns: Tensor) -> Tensor:
    """The same things seen by another camera: turned, lit, coloured, blurred, noisy, covered.

    burns: (n,) whether a crop may show flame; only others are shown in infrared.
    """
    n, device = crops.shape[0], crops.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *shape, device=device)

    def some(share: float, *shape: int) -> Tensor:
        return torch.rand(n, *shape, device=device) < share

    one = (1, 1, 1)
    angle, scale = uniform(-0.25, 0.25), uniform(0.75, 1.15)
    mirror = torch.where(some(0.5), -1.0, 1.0)
    cosine, sine = torch.cos(angle) * scale, torch.sin(angle) * scale
    shift = uniform(-0.12, 0.12, 2)
    rows = (
        torch.stack((cosine * mirror, -sine, shift[:, 0]), 1),
        torch.stack((sine * mirror, cosine, shift[:, 1]), 1),
    )
    grid = nn.functional.affine_grid(torch.stack(rows, 1), list(crops.shape), align_corners=False)
    crops = nn.functional.grid_sample(crops, grid, padding_mode="border", align_corners=False)
    picture, change = crops[:, :3], crops[:, 3:]
    picture = picture.clamp(1e-4, 1.0) ** uniform(0.65, 1.55, *one)
    picture = picture * uniform(0.6, 1.6, *one) * uniform(0.82, 1.18, 3, 1, 1)
    grey = picture.mean(1, keepdim=True)
    none = torch.ones(n, *one, device=device)
    keep = torch.where(some(0.4, *one), uniform(0.2, 1.6, *one), none)
    infrared = some(0.08, *one) & ~burns[:, None, None, None]
    keep = torch.where(infrared, torch.zeros_like(none), keep)
    picture = grey + (picture - grey) * keep
    middle = picture.mean((1, 2, 3), keepdim=True)
    picture = middle + (picture - middle) * uniform(0.7, 1.3, *one)
    veil = torch.where(some(0.2, *one), uniform(0.0, 0.4, *one), torch.zeros_like(none))
    picture = picture * (1.0 - veil) + veil * uniform(0.2, 0.9, *one)
    picture = picture.clamp(0.0, 1.0)
    soft = nn.functional.avg_pool2d(picture, 3, 1, 1)
    coarse = nn.functional.interpolate(
        nn.functional.avg_pool2d(picture, 4), size=(SIDE, SIDE), mode="bilinear"
    )
    how = torch.rand(n, *one, device=device)
    picture = torch.where(how < 0.25, soft, torch.where(how > 0.9, coarse, picture))
    picture = picture + torch.randn_like(picture) * uniform(0.0, 0.05, *one)
    change = change * uniform(0.5, 1.5, *one) * (~some(0.3, *one))
    crops = torch.cat((picture, change), 1).clamp(0.0, 1.0)
    at = torch.arange(SIDE, device=device)
    left, top, size = uniform(0, SIDE, 1), uniform(0, SIDE, 1), uniform(6, 26, 1)
    across = (at >= left) & (at < left + size)
    down = (at >= top) & (at < top + size)
    hole = (down[:, :, None] & across[:, None, :])[:, None] & some(0.25, *one)
    return crops.masked_fill(hole, 0.35)


def fit(samples: Samples, steps: int, device: torch.device, seed: int = SEED) -> Net:
    """A net taught by these samples."""
    torch.manual_seed(seed)
    net = Net().to(device)
    kept: Net = Net().to(device)  # the running mean of the weights is what is kept
    kept.load_state_dict(net.state_dict())
    crops = torch.from_numpy(samples.crops).to(device)
    labels = torch.from_numpy(samples.labels).to(device)
    groups, often = _groups(samples, device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.03)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
    mine, new = _floats(kept), _floats(net)
    for step in range(steps):
        if step and step % SIFT_EVERY == 0:
            often["neither"] = 0.15 + _scores(kept.eval(), crops[groups["neither"]]).amax(1)
        picks = torch.cat(
            [
                group[torch.multinomial(often[name], round(SHARES[name] * BATCH), True)]
                for name, group in groups.items()
            ]
        )
        shown = crops[picks].permute(0, 3, 1, 2).float() / 255.0
        wanted = labels[picks]
        shown = augmented(shown, wanted[:, 0] != 0.0)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = net(shown).float()
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


def _floats(net: Net) -> list[Tensor]:
    return [v for v in net.state_dict().values() if v.dtype.is_floating_point]


def _groups(samples: Samples, device: torch.device) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The numbers of the samples of each of SHARES, and how often each is shown.

    Sources count by the root of what they hold: the largest must not be all that counts.
    """
    kinds = [kind_of(s) for s in samples.sources]
    held = Counter(kinds)
    rare = torch.tensor([held[k] ** -0.5 for k in kinds], device=device)
    rendered = torch.tensor([k == "flame" for k in kinds], device=device)
    elsewhere = torch.tensor([k.endswith(ELSEWHERE) for k in kinds], device=device)
    labels = torch.from_numpy(samples.labels).to(device)
    flame, smoke = labels[:, 0] == 1.0, labels[:, 1] == 1.0
    found = {
        "flame": flame & ~rendered & ~elsewhere,
        "flame elsewhere": flame & elsewhere,
        "rendered flame": flame & rendered,
        "smoke": smoke & ~flame & ~elsewhere,
        "smoke elsewhere": smoke & ~flame & elsewhere,
        "neither": ~flame & ~smoke,
    }
    groups = {name: torch.nonzero(where)[:, 0] for name, where in found.items()}
    return groups, {name: rare[group] for name, group in groups.items()}


def scores_of(net: Net, samples: Samples, device: torch.device) -> NDArray[np.float32]:
    """(n, 2) flame and smoke of each sample, 0..1."""
    return np.asarray(_scores(net, torch.from_numpy(samples.crops).to(device)).cpu(), np.float32)


def _scores(net: Net, crops: Tensor) -> Tensor:
    with torch.no_grad():
        return torch.cat(
            [
                torch.sigmoid(net(part.permute(0, 3, 1, 2).float() / 255.0))
                for part in crops.split(1024)
            ]
        )


def report(samples: Samples, scores: NDArray[np.float32]) -> dict[str, object]:
    """For each output: the area under the curve, and rates at a score of 0.5 by source."""
    told: dict[str, object] = {}
    for column, name in enumerate(OUTPUTS):
        known = samples.labels[:, column] != UNKNOWN
        truth = samples.labels[known, column] == 1.0
        score = scores[known, column]
        order = np.argsort(score, kind="stable")
        rank = np.empty(len(order))
        rank[order] = np.arange(1, len(order) + 1)
        yes, no = int(truth.sum()), int((~truth).sum())
        area = (rank[truth].sum() - yes * (yes + 1) / 2.0) / max(1, yes * no)
        by: dict[str, list[int]] = {}
        sources = [s for s, k in zip(samples.sources, known, strict=True) if k]
        for source, real, value in zip(sources, truth, score, strict=True):
            row = by.setdefault(f"{'with' if real else 'without'}: {kind_of(source)}", [0, 0])
            row[0] += int(value >= 0.5)
            row[1] += 1
        told[name] = {
            "area": round(float(area), 4),
            "found": int((score[truth] >= 0.5).sum()),
            "of": yes,
            "false": int((score[~truth] >= 0.5).sum()),
            "of_nothing": no,
            "bounds": [
                {
                    "score": bound,
                    "found": round(float((score[truth] >= bound).mean()), 4),
                    "found in stills and clips": round(
                        float((score[truth & _real(sources)] >= bound).mean()), 4
                    ),
                    "false": round(float((score[~truth] >= bound).mean()), 4),
                }
                for bound in BOUNDS
            ],
            "by_source": {k: v for k, v in sorted(by.items())},
        }
    return told


def _real(sources: list[str]) -> NDArray[np.bool_]:
    """Which are neither rendered nor composed."""
    return np.array([not s.endswith(ELSEWHERE) and kind_of(s) == s for s in sources])


def gathered(data: Path, size: float) -> Samples:
    """All samples. size: 1 for the usual number of renderings and composites."""
    chance = np.random.default_rng(SEED)
    stills = fire_samples.read_stills(data)
    backdrops = fire_samples.quiet_backdrops(data, stills, chance)
    made_of = fire_composites.material(stills, backdrops, chance)
    return joined(
        [
            fire_samples.from_stills(stills, chance, SEED),
            fire_samples.from_clips(data, SEED),
            fire_renderings.from_scenes(chance, each=round(240 * size)),
            fire_samples.from_furg(data, chance),
            fire_composites.from_composites(
                made_of, flames=round(600 * size), smokes=round(300 * size), seed=SEED
            ),
            fire_renderings.from_renderings(
                backdrops, flames=round(900 * size), lookalikes=round(300 * size), seed=SEED
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
        np.load(folder / "crops.npy"),
        np.load(folder / "labels.npy"),
        json.loads((folder / "sources.json").read_text()),
    )


def fitted(folder: Path, fold: int | None, steps: int, device: str) -> NDArray[np.float32] | bytes:
    """The scores of a fold by a net that the others taught; without one, the weights of all."""
    samples = read(folder)
    if fold is None:
        net = fit(samples, steps, torch.device(device)).cpu()
        return onnx_file.of(net, (CHANNELS, SIDE, SIDE), "gridwarden fire verifier")
    of = np.array([fold_of(s) for s in samples.sources])
    net = fit(samples.where(of != fold), steps, torch.device(device))
    return scores_of(net, samples.where(of == fold), torch.device(device))


def trained(samples: Samples, out: Path, steps: int, device: str, at_once: int) -> None:
    """Fits all nets, `at_once` at a time; OUT gets the weights and what there is to say of them."""
    of = np.array([fold_of(s) for s in samples.sources])
    scores = np.zeros(samples.labels.shape, np.float32)
    with ProcessPoolExecutor(at_once, mp_context=get_context("spawn")) as pool:
        folds: tuple[int | None, ...] = (None, *range(FOLDS))
        jobs = {pool.submit(fitted, out, fold, steps, device): fold for fold in folds}
        for job in as_completed(jobs):
            fold, made = jobs[job], job.result()
            print(f"fitted {'all' if fold is None else f'all but fold {fold}'}", flush=True)
            if isinstance(made, bytes):
                (out / WEIGHTS).write_bytes(made)
            else:
                scores[of == fold] = made
    tell(samples, scores, out, steps)


def tell(samples: Samples, scores: NDArray[np.float32], out: Path, steps: int) -> None:
    """What went in and how each sample was scored by a net that its fold did not teach."""
    weights = (out / WEIGHTS).read_bytes()
    labels = (
        "flame" if f == 1.0 else "smoke" if s == 1.0 else "neither" for f, s in samples.labels
    )
    told = {
        "sha256": hashlib.sha256(weights).hexdigest(),
        "bytes": len(weights),
        "seed": SEED,
        "steps": steps,
        "samples": dict(Counter(labels)),
        "sources": dict(sorted(Counter(kind_of(s) for s in samples.sources).items())),
        "held_out": report(samples, scores),
    }
    (out / "fire_verifier.json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps(told, indent=1), flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit code is 0, or 2 with one line of reason."""
    parser = argparse.ArgumentParser(
        prog="python -m gridwarden.training.fire_verifier", description=__doc__
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--steps", type=int, default=4000, help="each fit takes (default: %(default)s)"
    )
    parser.add_argument("--size", type=float, default=1.0, help="share of the renderings made")
    parser.add_argument(
        "--at-once", type=int, default=1, help="fits at a time (default: %(default)s)"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args(arguments)
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
    trained(samples, options.out, options.steps, options.device, options.at_once)
    print(f"{(time.monotonic() - begun) / 60.0:.1f} minutes on {options.device}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
