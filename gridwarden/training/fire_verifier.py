"""Train the verifier of flame and smoke: `python -m gridwarden.training.fire_verifier DATA OUT`.

DATA holds `stills/fire8/train` and the clips of `sources.CLIPS`. It fits twice: once without the
held-out sources, for the scores, and once with everything, for the weights. OUT gets
`fire_verifier.onnx` and `fire_verifier.json`, which says what went in and how it scored.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from contract.errors import GridwardenError
from detectors.kit.region import CHANNELS, SIDE
from gridwarden.training import fire_renderings, fire_samples, onnx_file
from gridwarden.training.samples import UNKNOWN, Samples, joined
from gridwarden.training.sources import HELD_OUT, HELD_OUT_CLIPS, MIXED

SEED = 20
WIDTHS = ((CHANNELS, 24, 2), (24, 32, 1), (32, 48, 2), (48, 64, 1), (64, 96, 2), (96, 128, 1))
LAST = (128, 128, 2)
BATCH, RATE = 256, 2e-3
SHARES = {"flame": 0.22, "rendered flame": 0.08, "smoke": 0.22, "neither": 0.48}  # of a batch
SIFT_EVERY = 500  # steps after which what is hardest to tell is looked for anew
OUTPUTS = ("flame", "smoke")


class Net(nn.Module):
    """Seven convolutions, the mean and the maximum of what they see, and one score for each."""

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


def augmented(crops: Tensor) -> Tensor:
    """The same things seen by another camera: turned, lit, coloured, blurred, noisy, covered."""
    n, device = crops.shape[0], crops.device

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(n, *shape, device=device)

    def some(share: float, *shape: int) -> Tensor:
        return torch.rand(n, *shape, device=device) < share

    angle, scale = uniform(-0.25, 0.25), uniform(0.75, 1.1)
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
    picture = picture.clamp(1e-4, 1.0) ** uniform(0.7, 1.45, 1, 1, 1)
    picture = picture * uniform(0.65, 1.45, 1, 1, 1) * uniform(0.88, 1.12, 3, 1, 1)
    grey = picture.mean(1, keepdim=True)
    keep = torch.where(
        some(0.35, 1, 1, 1), uniform(0.2, 1.4, 1, 1, 1), torch.ones_like(angle)[:, None, None, None]
    )
    picture = grey + (picture - grey) * keep
    middle = picture.mean((1, 2, 3), keepdim=True)
    picture = middle + (picture - middle) * uniform(0.75, 1.25, 1, 1, 1)
    soft = nn.functional.avg_pool2d(picture, 3, 1, 1)
    picture = torch.where(some(0.3, 1, 1, 1), soft, picture)
    picture = picture + torch.randn_like(picture) * uniform(0.0, 0.04, 1, 1, 1)
    change = change * uniform(0.5, 1.5, 1, 1, 1) * (~some(0.35, 1, 1, 1))
    crops = torch.cat((picture, change), 1).clamp(0.0, 1.0)
    at = torch.arange(SIDE, device=device)
    left, top, size = uniform(0, SIDE, 1), uniform(0, SIDE, 1), uniform(6, 26, 1)
    across = (at >= left) & (at < left + size)
    down = (at >= top) & (at < top + size)
    hole = (down[:, :, None] & across[:, None, :])[:, None] & some(0.25, 1, 1, 1)
    return crops.masked_fill(hole, 0.35)


def fit(samples: Samples, steps: int, device: torch.device, seed: int = SEED) -> Net:
    """A net taught by these samples."""
    torch.manual_seed(seed)
    net = Net().to(device)
    kept: Net = Net().to(device)  # the running mean of the weights is what is kept
    kept.load_state_dict(net.state_dict())
    crops = torch.from_numpy(samples.crops).to(device)
    labels = torch.from_numpy(samples.labels).to(device)
    rendered = torch.tensor([s.startswith("flame ") for s in samples.sources], device=device)
    flame = labels[:, 0] == 1.0
    groups = {
        "flame": torch.nonzero(flame & ~rendered)[:, 0],
        "rendered flame": torch.nonzero(flame & rendered)[:, 0],
        "smoke": torch.nonzero((labels[:, 1] == 1.0) & (labels[:, 0] != 1.0))[:, 0],
        "neither": torch.nonzero((labels != 1.0).all(1))[:, 0],
    }
    hard = torch.ones(len(groups["neither"]), device=device)
    optimiser = torch.optim.AdamW(net.parameters(), lr=RATE, weight_decay=0.03)
    pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps, pct_start=0.1)
    for step in range(steps):
        if step and step % SIFT_EVERY == 0:
            hard = 0.15 + _scores(kept.eval(), crops[groups["neither"]]).amax(1)
        picks = torch.cat(
            [
                group[
                    torch.multinomial(hard, round(SHARES[name] * BATCH), replacement=True)
                    if name == "neither"
                    else torch.randint(len(group), (round(SHARES[name] * BATCH),), device=device)
                ]
                for name, group in groups.items()
            ]
        )
        shown = crops[picks].permute(0, 3, 1, 2).float() / 255.0
        wanted = labels[picks]
        logits = net(augmented(shown))
        known = wanted != UNKNOWN
        soft = wanted.clamp(0.0, 1.0) * 0.95 + 0.02
        each = nn.functional.binary_cross_entropy_with_logits(logits, soft, reduction="none")
        loss = (each * known).sum() / known.sum()
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimiser.step()
        pace.step()
        weight = min(0.998, step / (step + 20.0))
        with torch.no_grad():
            for mine, new in zip(
                kept.state_dict().values(), net.state_dict().values(), strict=True
            ):
                if mine.dtype.is_floating_point:
                    mine.lerp_(new, 1.0 - weight)
                else:
                    mine.copy_(new)
        if step % 500 == 0 or step == steps - 1:
            print(f"step {step}: loss {float(loss.detach()):.4f}", flush=True)
    kept.eval()
    return kept


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
            key = f"{'with' if real else 'without'}: {source.rstrip('0123456789 ') or source}"
            row = by.setdefault(key, [0, 0])
            row[0] += int(value >= 0.5)
            row[1] += 1
        told[name] = {
            "auc": round(float(area), 4),
            "at_half": {
                "found": int((score[truth] >= 0.5).sum()),
                "of": yes,
                "false": int((score[~truth] >= 0.5).sum()),
                "of_nothing": no,
            },
            "by_source": {k: v for k, v in sorted(by.items())},
        }
    return told


def gathered(data: Path, size: float) -> Samples:
    """All samples. size: 1 for the usual number of renderings."""
    chance = np.random.default_rng(SEED)
    backdrops = fire_samples.quiet_backdrops(data, chance)
    return joined(
        [
            fire_samples.from_stills(data, chance),
            fire_samples.from_clips(data, chance),
            fire_renderings.from_scenes(chance, each=round(240 * size)),
            fire_samples.from_furg(data, chance),
            fire_renderings.from_renderings(
                backdrops, flames=round(900 * size), lookalikes=round(300 * size), seed=SEED
            ),
        ]
    )


def side_of(source: str) -> str:
    """`train`, `held out` or `neither` of a sample's source."""
    if source in MIXED:
        return "neither"
    if source in HELD_OUT or source in HELD_OUT_CLIPS:
        return "held out"
    number = source.rpartition(" ")[2]
    if number.isdigit() and fire_renderings.held_out_rendering(int(number)):
        return "held out"
    return "train"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; the exit code is 0, or 2 with one line of reason."""
    parser = argparse.ArgumentParser(
        prog="python -m gridwarden.training.fire_verifier", description=__doc__
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument(
        "--steps", type=int, default=5000, help="each fit takes (default: %(default)s)"
    )
    parser.add_argument("--size", type=float, default=1.0, help="share of the renderings made")
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
    device = torch.device(options.device)
    sides = np.array([side_of(s) for s in samples.sources])
    train, held_out = samples.where(sides == "train"), samples.where(sides == "held out")
    judged = report(held_out, scores_of(fit(train, options.steps, device), held_out, device))
    print(json.dumps(judged, indent=1), flush=True)
    net = fit(samples, options.steps, device).cpu()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "fire_verifier.onnx"
    path.write_bytes(onnx_file.of(net, (CHANNELS, SIDE, SIDE), "gridwarden fire verifier"))
    told = {
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "bytes": path.stat().st_size,
        "seed": SEED,
        "steps": options.steps,
        "samples": {
            side: dict(
                Counter(
                    "flame" if f == 1.0 else "smoke" if s == 1.0 else "neither"
                    for (f, s), of in zip(samples.labels, sides, strict=True)
                    if of == side
                )
            )
            for side in ("train", "held out", "neither")
        },
        "held_out": judged,
        "minutes": round((time.monotonic() - begun) / 60.0, 1),
        "device": options.device,
    }
    (options.out / "fire_verifier.json").write_text(json.dumps(told, indent=1) + "\n")
    print(json.dumps({k: v for k, v in told.items() if k != "held_out"}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
