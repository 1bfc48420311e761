"""Train the embedded model: a small GPT-2 from a folder of texts, on a CPU, resumable.

    python -m coursebuild.train --texts DIR --work DIR --out code/layerlab/data/model --minutes 100

The learning rate and the sequence length follow the *time* that has been spent, not the number
of steps, so that the run ends when its budget ends, however busy the machine is.  Stop it at any
moment and start it again with the same arguments: the clock lives in the checkpoint.

Two things made it 1.7 times as fast on two cores: attention as plain matrix products (the fused
bf16 kernel is slower at a head size of 48), and a memory allocator that keeps what it has, which
is set from outside: ``MALLOC_MMAP_MAX_=0 MALLOC_TRIM_THRESHOLD_=100000000000``.
"""

import argparse
import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import ByteLevelBPETokenizer
from tqdm import tqdm
from transformers import GPT2Config, GPT2LMHeadModel

END_OF_TEXT = "<|endoftext|>"
HELD_OUT_SHARE = 0.02  # of every text, one stretch from its middle
N_PROBES = 16  # held-out windows looked at along the way; the end looks at all


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the result, written beside the weights."""

    n_vocab: int = 8192
    n_layers: int = 12
    n_heads: int = 4
    width: int = 192
    context: int = 1024
    short_context: int = 256
    short_share: float = 0.78  # of the time, at the short context
    tokens_per_step: int = 4096
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    warm_up_share: float = 0.01
    decay_share: float = 0.65  # of the time, falling in a straight line to zero
    minutes: float = 100.0
    seed: int = 0
    repeats: tuple[tuple[str, float], ...] = ()  # (part of a file name, passes an epoch)

    def progress_to_rate(self, progress: float) -> float:
        """Learning rate at `progress` in [0, 1]: a ramp, a plateau, a straight fall to zero."""
        ramp = progress / self.warm_up_share
        fall = (1 - progress) / self.decay_share
        return self.learning_rate * max(0.0, min(1.0, ramp, fall))

    def progress_to_length(self, progress: float) -> int:
        return self.short_context if progress < self.short_share else self.context


# ---- text ------------------------------------------------------------------------------------


def read_texts(folder: Path) -> dict[str, str]:
    """All ``.txt`` files of `folder` by name, sorted."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.txt"))}
    if not texts:
        raise SystemExit(f"no .txt file in {str(folder)!r}: give --texts a folder of texts")
    return texts


def split_text(text: str) -> tuple[str, str]:
    """Text without, and the text of, one held-out stretch from the middle, cut at line ends."""
    start = text.find("\n", len(text) // 2) + 1
    stop = text.find("\n", start + int(len(text) * HELD_OUT_SHARE)) + 1
    return text[:start] + text[stop:], text[start:stop]


def train_tokenizer(texts, n_vocab: int, out: Path) -> ByteLevelBPETokenizer:
    """Byte-level BPE as GPT-2's, written as ``vocab.json`` and ``merges.txt``."""
    tokenizer = ByteLevelBPETokenizer()
    tokenizer.train_from_iterator(
        texts, vocab_size=n_vocab, min_frequency=2, special_tokens=[END_OF_TEXT]
    )
    out.mkdir(parents=True, exist_ok=True)
    tokenizer.save_model(str(out))
    return tokenizer


def encode(tokenizer, text: str) -> np.ndarray:
    """Token ids of a text, line by line (BPE never merges across a line end), with an end mark."""
    lines = text.splitlines(keepends=True)
    ids = [i for encoding in tokenizer.encode_batch(lines) for i in encoding.ids]
    return np.array([*ids, tokenizer.token_to_id(END_OF_TEXT)], dtype=np.int32)


def prepare(texts: dict[str, str], recipe: Recipe, work: Path) -> dict[str, np.ndarray]:
    """Tokenizer and token arrays ``train:NAME`` and ``held_out:NAME``; kept in `work`."""
    cache = work / "tokens.npz"
    if not cache.exists():
        parts = {name: split_text(text) for name, text in texts.items()}
        tokenizer = train_tokenizer((kept for kept, _ in parts.values()), recipe.n_vocab, work)
        arrays = {}
        for name, (kept, held_out) in tqdm(parts.items(), "encode", unit="text"):
            arrays[f"train:{name}"] = encode(tokenizer, kept)
            arrays[f"held_out:{name}"] = encode(tokenizer, held_out)
        np.savez(cache, **arrays)
    return dict(np.load(cache))


class Sampler:
    """Sequences without replacement: each epoch cuts every text anew at a random phase.

    State is two integers, the epoch and the number of sequences taken, so it resumes exactly.
    """

    def __init__(self, arrays: dict[str, np.ndarray], recipe: Recipe):
        self.arrays = {n[6:]: a for n, a in arrays.items() if n.startswith("train:")}
        self.recipe, self.epoch, self.taken = recipe, 0, 0
        self._order, self._key = [], None

    def passes(self, name: str) -> float:
        return next((times for part, times in self.recipe.repeats if part in name), 1.0)

    def _shuffle(self, length: int):
        """One epoch's cuts, shuffled; a text of 1.5 passes has half of its cuts twice."""
        rng = np.random.default_rng([self.recipe.seed, self.epoch, length])
        cuts = []
        for name, array in self.arrays.items():
            phase = rng.integers(length)
            starts = np.arange(phase, len(array) - length - 1, length)
            whole, rest = divmod(self.passes(name), 1)
            chosen = [starts] * int(whole) + [rng.choice(starts, int(rest * len(starts)), False)]
            cuts += [(name, start) for start in np.concatenate(chosen)]
        self._order, self._key = [cuts[i] for i in rng.permutation(len(cuts))], (self.epoch, length)

    def batch(self, n_sequences: int, length: int) -> torch.Tensor:
        """Token ids (n_sequences, length + 1)."""
        if self._key != (self.epoch, length):
            if self._key and self._key[1] != length:
                self.epoch, self.taken = self.epoch + 1, 0
            self._shuffle(length)
        if self.taken + n_sequences > len(self._order):
            self.epoch, self.taken = self.epoch + 1, 0
            self._shuffle(length)
        cuts = self._order[self.taken : self.taken + n_sequences]
        self.taken += n_sequences
        rows = [self.arrays[name][start : start + length + 1] for name, start in cuts]
        return torch.from_numpy(np.stack(rows).astype(np.int64))


# ---- model -----------------------------------------------------------------------------------


def build_model(recipe: Recipe) -> GPT2LMHeadModel:
    """Untrained GPT-2 of the recipe's shape, drawn from its seed."""
    torch.manual_seed(recipe.seed)
    config = GPT2Config(
        vocab_size=recipe.n_vocab,
        n_positions=recipe.context,
        n_embd=recipe.width,
        n_layer=recipe.n_layers,
        n_head=recipe.n_heads,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
        activation_function="gelu_pytorch_tanh",  # the same function as gelu_new, in one kernel
        attn_implementation="eager",
    )
    return GPT2LMHeadModel(config)


def loss_of(model, ids: torch.Tensor, offsets: torch.Tensor | None = None) -> torch.Tensor:
    """Mean next-token cross-entropy in nats; ids (n, length + 1), offsets (n,) of position 0."""
    length = ids.shape[1] - 1
    positions = torch.arange(length) + (0 if offsets is None else offsets[:, None])
    positions = positions.expand(len(ids), length)
    hidden = model.transformer(ids[:, :-1], position_ids=positions, use_cache=False)[0]
    hidden, targets = hidden.flatten(0, 1), ids[:, 1:].flatten()
    total = 0.0
    for rows, wanted in zip(hidden.split(1024), targets.split(1024), strict=True):
        logits = model.lm_head(rows).float()  # a part at a time keeps (rows, n_vocab) in cache
        total = total + F.cross_entropy(logits, wanted, reduction="sum")
    return total / len(targets)


def windows_of(ids: np.ndarray, context: int) -> torch.Tensor:
    """Whole windows (n, context + 1) of a token array, each starting at the last one's end."""
    return torch.from_numpy(ids.astype(np.int64)).unfold(0, context + 1, context)


@torch.no_grad()
def mean_loss(model, windows: torch.Tensor) -> float:
    """Nats per token over windows (n, context + 1), every position counted."""
    losses = [loss_of(model, batch).item() * len(batch) for batch in windows.split(4)]
    return sum(losses) / len(windows)


def held_out_windows(arrays, context: int) -> dict[str, torch.Tensor]:
    """Windows of each held-out stretch that is long enough to have one, by the text's name."""
    stretches = {n[9:]: a for n, a in arrays.items() if n.startswith("held_out:")}
    return {n: windows_of(a, context) for n, a in stretches.items() if len(a) > context}


class MasterWeights:
    """bf16 weights that compute, fp32 copies that learn.

    Muon takes the blocks' matrices (query, key and value apart), AdamW everything else.
    """

    def __init__(self, model, recipe: Recipe):
        self.pairs = []  # (view of the computing weight, fp32 copy)
        matrices, others = [], []
        for name, weight in model.named_parameters():
            is_matrix = ".h." in name and weight.ndim == 2
            n_parts = 3 if name.endswith("attn.c_attn.weight") else 1
            for i in range(n_parts):
                master = weight.detach().chunk(n_parts, dim=-1)[i].float().clone().contiguous()
                self.pairs.append((weight, n_parts, i, master))
                (matrices if is_matrix else others).append(master)
        model.bfloat16()
        rate = recipe.learning_rate
        self.optimizers = [
            torch.optim.Muon(
                matrices,
                lr=rate,
                weight_decay=recipe.weight_decay,
                momentum=0.95,
                adjust_lr_fn="match_rms_adamw",
            ),
            torch.optim.AdamW(others, lr=rate, betas=(0.9, 0.95), weight_decay=0.0, fused=True),
        ]

    def step(self, rate: float, max_norm: float = 1.0):
        for weight, n_parts, i, master in self.pairs:
            master.grad = weight.grad.chunk(n_parts, dim=-1)[i].float().contiguous()
        torch.nn.utils.clip_grad_norm_([m for *_, m in self.pairs], max_norm)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
            optimizer.step()
        self.write_back()

    @torch.no_grad()
    def write_back(self):
        for weight, n_parts, i, master in self.pairs:
            weight.chunk(n_parts, dim=-1)[i].copy_(master)
            weight.grad = None

    def state_dict(self):
        return {
            "masters": [master for *_, master in self.pairs],
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
        }

    @torch.no_grad()
    def load_state_dict(self, state):
        for (*_, master), saved in zip(self.pairs, state["masters"], strict=True):
            master.copy_(saved)
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.write_back()


# ---- the run ---------------------------------------------------------------------------------


def save_checkpoint(path: Path, weights, sampler, log):
    state = {"weights": weights.state_dict(), "sampler": (sampler.epoch, sampler.taken), "log": log}
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)  # never half a checkpoint


def load_checkpoint(path: Path, weights, sampler) -> dict:
    state = torch.load(path, weights_only=True)
    weights.load_state_dict(state["weights"])
    sampler.epoch, sampler.taken = state["sampler"]
    return state["log"]


def train(recipe: Recipe, arrays, work: Path, save_every: float = 300.0, clock=time.monotonic):
    """Train until the budget is spent by the `clock`, in seconds; returns the model and its log."""
    model = build_model(recipe)
    weights, sampler = MasterWeights(model, recipe), Sampler(arrays, recipe)
    held_out = torch.cat(list(held_out_windows(arrays, recipe.context).values()))
    probe = held_out[:: max(1, len(held_out) // N_PROBES)][:N_PROBES]
    log = {"seconds": 0.0, "step": 0, "tokens": 0, "curve": []}
    checkpoint = work / "checkpoint.pt"
    if checkpoint.exists():
        log = load_checkpoint(checkpoint, weights, sampler)
    budget = recipe.minutes * 60
    generator = torch.Generator().manual_seed(recipe.seed + log["step"])
    last_save, recent = log["seconds"], []
    bar = tqdm(total=round(budget), initial=round(log["seconds"]), unit="s", smoothing=0)
    while log["seconds"] < budget:
        began = clock()
        progress = log["seconds"] / budget
        length = recipe.progress_to_length(progress)
        ids = sampler.batch(recipe.tokens_per_step // length, length)
        offsets = torch.randint(recipe.context - length + 1, (len(ids),), generator=generator)
        loss = loss_of(model, ids, offsets)
        loss.backward()
        weights.step(recipe.progress_to_rate(progress))
        recent.append(loss.item())
        if not math.isfinite(recent[-1]):
            raise SystemExit(f"the loss became {recent[-1]} at step {log['step']}: lower the rate")
        log["step"] += 1
        log["tokens"] += ids.shape[0] * length
        log["seconds"] += clock() - began
        bar.update(round(log["seconds"]) - bar.n)
        if log["seconds"] - last_save > save_every or log["seconds"] >= budget:
            point = {
                "minutes": log["seconds"] / 60,
                "tokens": log["tokens"],
                "train": float(np.mean(recent)),
                "held_out": mean_loss(model, probe),
            }
            log["curve"].append(point)
            bar.write(json.dumps({k: round(v, 3) for k, v in point.items()}))
            save_checkpoint(checkpoint, weights, sampler, log)
            last_save, recent = log["seconds"], []
    bar.close()
    return model, log


def export(model, recipe: Recipe, log, arrays, work: Path, out: Path, note: str = ""):
    """Write the Hugging Face folder in fp16, and what the model card tells of the run."""
    out.mkdir(parents=True, exist_ok=True)
    report = {
        "recipe": asdict(recipe),
        "n_parameters": model.num_parameters(),
        "n_texts": sum(name.startswith("train:") for name in arrays),
        "n_train_tokens": sum(len(a) for n, a in arrays.items() if n.startswith("train:")),
        "n_held_out_tokens": sum(len(a) for n, a in arrays.items() if n.startswith("held_out:")),
        "held_out_share": HELD_OUT_SHARE,
        "note": note,
        **{key: log[key] for key in ("seconds", "step", "tokens", "curve")},
    }
    model.config.activation_function = "gelu_new"
    model.half().save_pretrained(out)
    shipped = GPT2LMHeadModel.from_pretrained(out, dtype=torch.float32).eval()
    windows = held_out_windows(arrays, recipe.context)
    losses = {name: mean_loss(shipped, rows) for name, rows in windows.items()}
    n_windows = {name: len(rows) for name, rows in windows.items()}
    report["held_out_loss_by_text"] = losses
    report["held_out_loss"] = float(
        np.average(list(losses.values()), weights=list(n_windows.values()))
    )
    for name in ("vocab.json", "merges.txt"):
        (out / name).write_bytes((work / name).read_bytes())
    tokenizer = {"tokenizer_class": "GPT2Tokenizer", "model_max_length": recipe.context}
    (out / "tokenizer_config.json").write_text(json.dumps(tokenizer) + "\n", encoding="utf-8")
    (out / "training.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    write_checksums(out)
    return report


def write_checksums(folder: Path):
    """``SHA256SUMS`` over every other file of `folder`, in the format of the sha256sum command."""
    files = sorted(path for path in folder.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / "SHA256SUMS").write_text("".join(lines), encoding="utf-8")


def parse_repeat(text: str) -> tuple[str, float]:
    name, _, times = text.partition("=")
    return name, float(times)


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--texts", type=Path, required=True, help="folder of .txt files")
    parser.add_argument("--work", type=Path, required=True, help="folder for checkpoints")
    parser.add_argument("--out", type=Path, required=True, help="folder for the finished model")
    parser.add_argument("--minutes", type=float, default=Recipe.minutes, help="training time")
    parser.add_argument(
        "--repeat",
        type=parse_repeat,
        action="append",
        default=[],
        metavar="NAME=TIMES",
        help="passes an epoch over the texts whose file name contains NAME",
    )
    parser.add_argument("--seed", type=int, default=Recipe.seed, help="of weights and batches")
    parser.add_argument("--note", default="", help="what the model card should tell of this run")
    args = parser.parse_args(argv)
    args.work.mkdir(parents=True, exist_ok=True)
    recipe = Recipe(minutes=args.minutes, seed=args.seed, repeats=tuple(args.repeat))
    arrays = prepare(read_texts(args.texts), recipe, args.work)
    model, log = train(recipe, arrays, args.work)
    report = export(model, recipe, log, arrays, args.work, args.out, args.note)
    print(f"held-out loss {report['held_out_loss']:.3f} nats/token; the model is in {args.out}")


if __name__ == "__main__":
    main()
