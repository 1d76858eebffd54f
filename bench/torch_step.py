"""Time and memory of one training step in torch, for comparison with `npm run bench:step` and `npm run bench:gpu`.

    python bench/torch_step.py FOLDER [batch] [steps]
    python bench/torch_step.py clip [--batches 4,32,64] [--modes f32,tf32,bf16] [--steps 8] [--squares 2048,4096] [--tiny]

FOLDER is that of SmolLM2-135M-Instruct, as in `bench:step -- smollm2`: rows of 64 random tokens, of which the last 16 are answers; rank 16 on all seven linear
layers; AdamW; f32; all cores. transformers computes the logits of every position, Cambium those of the answers alone.

`clip` is the step of `bench:step -- b16`: CLIP ViT-B/16 with random weights, LoRA of rank 16 on all linear layers of both towers (peft's where it is installed,
else the same by hand), 10 texts of 10 tokens, cross-entropy in both directions, forward, backward, AdamW. Eager. Each mode and batch is a line of JSON:
milliseconds a step, back to back, and the most memory that torch allocated. `--squares` adds products of that side.
"""

import argparse
import contextlib
import json
import resource
import sys
import time

import torch
from torch import nn


def lora_by_hand(model, names, rank):
    """Puts y + B A x into the place of every linear layer of these names; freezes the rest."""

    class Lora(nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base
            self.down = nn.Linear(base.in_features, rank, bias=False)
            self.up = nn.Linear(rank, base.out_features, bias=False)
            nn.init.zeros_(self.up.weight)

        def forward(self, x):
            return self.base(x) + self.up(self.down(x))

    model.requires_grad_(False)
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if name in names and isinstance(child, nn.Linear):
                setattr(parent, name, Lora(child).to(child.weight.device))
    return model


def with_lora(model, names, rank):
    """The model with adapters, and whose they are."""
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        return lora_by_hand(model, names, rank), "by hand"
    return get_peft_model(model, LoraConfig(r=rank, lora_alpha=rank, target_modules=names)), "peft"


def clip_model(tiny):
    """CLIP ViT-B/16 with random weights, or one that is built in a moment."""
    from transformers import CLIPConfig, CLIPModel

    if tiny:
        small = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "projection_dim": 16}
        text, vision = {**small, "vocab_size": 512, "eos_token_id": 511, "bos_token_id": 510}, {**small, "image_size": 32, "patch_size": 16}
        return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=16)), 32, 512
    text = {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 12, "num_attention_heads": 8}
    vision = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12, "image_size": 224, "patch_size": 16}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=512)), 224, 49408


def settle(device):
    if device == "cuda":
        torch.cuda.synchronize()


def set_mode(mode):
    """f32 and bf16 multiply f32 as such; tf32 rounds their factors."""
    torch.backends.cuda.matmul.allow_tf32 = mode == "tf32"
    torch.backends.cudnn.allow_tf32 = mode == "tf32"


def clip_steps(options):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(1)
    model, side, vocabulary = clip_model(options.tiny)
    names = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
    model, lora = with_lora(model.to(device), names, 16)
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=5e-4)
    texts, length = 10, 10
    ids = torch.randint(vocabulary - 2, (texts, length), device=device)
    ids[:, -1] = vocabulary - 1
    for mode in options.modes.split(","):
        set_mode(mode)
        for batch in map(int, options.batches.split(",")):
            pixels = torch.randn(batch, 3, side, side, device=device)
            labels = torch.arange(batch, device=device) % texts
            targets = nn.functional.one_hot(labels, texts).float()

            def step():
                half = torch.autocast(device, torch.bfloat16) if mode == "bf16" else contextlib.nullcontext()
                with half:
                    logits = model(input_ids=ids, pixel_values=pixels).logits_per_image.float()
                loss = nn.functional.cross_entropy(logits, targets) + nn.functional.cross_entropy(logits.T, targets.T)
                loss.backward()
                optimizer.step()
                optimizer.zero_grad()

            try:
                if device == "cuda":
                    torch.cuda.empty_cache()
                    torch.cuda.reset_peak_memory_stats()
                for _ in range(3):
                    step()
                settle(device)
                start = time.perf_counter()
                for _ in range(options.steps):
                    step()
                settle(device)
                ms = 1000 * (time.perf_counter() - start) / options.steps
                memory = torch.cuda.max_memory_allocated() if device == "cuda" else None
                print(json.dumps({"what": "step", "mode": mode, "batch": batch, "ms": ms, "bytes": memory, "lora": lora}), flush=True)
            except RuntimeError as error:
                print(json.dumps({"what": "step", "mode": mode, "batch": batch, "failed": str(error).split("\n")[0]}), flush=True)


def squares(options):
    device = "cuda" if torch.cuda.is_available() else "cpu"
    for mode in options.modes.split(","):
        set_mode(mode)
        for side in [int(n) for n in options.squares.split(",") if n]:
            a, b = (torch.randn(side, side, device=device, dtype=torch.bfloat16 if mode == "bf16" else torch.float32) for _ in range(2))
            for _ in range(3):
                a @ b
            settle(device)
            times = 20
            start = time.perf_counter()
            for _ in range(times):
                a @ b
            settle(device)
            rate = 2 * side**3 * times / (time.perf_counter() - start)
            print(json.dumps({"what": "square", "mode": mode, "side": side, "flops": rate}), flush=True)


def clip(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--batches", default="4,32,64")
    parser.add_argument("--modes", default="f32,tf32,bf16")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--squares", default="")
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args(arguments)
    on = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
    print(json.dumps({"what": "torch", "version": torch.__version__, "on": on}), flush=True)
    squares(options)
    clip_steps(options)


def language_model(folder, batch=4, steps=4):
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    names = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    model = get_peft_model(model, LoraConfig(r=16, lora_alpha=16, target_modules=names))
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-4)
    ids = torch.randint(model.config.vocab_size, (batch, 64))
    labels = ids.masked_fill(torch.arange(64) < 48, -100)
    for step in range(steps):
        start = time.perf_counter()
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        print(f"step {step}: {time.perf_counter() - start:.2f} s, loss {loss.item():.4f}, {torch.get_num_threads()} threads")
    print(f"peak memory of the process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    if sys.argv[1] == "clip":
        clip(sys.argv[2:])
    else:
        language_model(sys.argv[1], *map(int, sys.argv[2:4]))
