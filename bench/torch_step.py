"""Time and memory of one training step in torch: what `npm run bench:step -- smollm2` does, with peft's LoRA in the place of the gated one.

    python bench/torch_step.py FOLDER [batch] [steps]

FOLDER is that of SmolLM2-135M-Instruct; rows of 64 random tokens, of which the last 16 are answers; rank 16 on all seven linear layers; AdamW; f32; all cores.
transformers computes the logits of every position, Cambium those of the answers alone.
"""

import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    batch, steps = int(sys.argv[2]) if len(sys.argv) > 2 else 4, int(sys.argv[3]) if len(sys.argv) > 3 else 4
    torch.manual_seed(1)
    model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
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
