"""The first token, and tokens a second, of a language model in torch: what `npm run bench:generate` measures, with the cache of transformers.

    python bench/torch_generate.py FOLDER [tokens] [prompt]

Prompts of `prompt` random tokens (default 32) are continued by `tokens` tokens (default 64), the likeliest ones, one at a time and eight at a time; f32; all
cores. The first token is the median of three times.
"""

import statistics
import sys
import time

import torch
from transformers import AutoModelForCausalLM

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    tokens, length = (int(given) for given in [*sys.argv[2:4], *["64", "32"][len(sys.argv) - 2 :]])
    model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32).eval()
    print(f"{sys.argv[1]}, {length} tokens continued by {tokens}, {torch.get_num_threads()} threads")
    torch.manual_seed(1)
    with torch.inference_mode():
        for texts in (1, 8):
            ids = torch.randint(model.config.vocab_size, (texts, length))
            firsts = []
            for _ in range(4):
                start = time.perf_counter()
                out = model(input_ids=ids, use_cache=True, logits_to_keep=1)
                firsts.append(time.perf_counter() - start)
            start = time.perf_counter()
            for _ in range(tokens):
                out = model(input_ids=out.logits[:, -1].argmax(-1, keepdim=True), past_key_values=out.past_key_values, use_cache=True)
            rest = time.perf_counter() - start
            first = statistics.median(firsts[1:])
            print(f"{texts} at a time: first token after {first:.2f} s, then {texts * tokens / rest:.1f} tokens a second ({1000 * rest / tokens:.0f} ms a step)")
