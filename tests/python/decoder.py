"""Load folders of decoders with transformers, merge LoRA adapters with peft or make one, and print the logits of texts, as JSON.

    python tests/python/decoder.py REQUEST.json

REQUEST: a list of {"base": FOLDER, "adapters": [FOLDER, ...], "make"?: {"folder": FOLDER, "seed": int, "dtype"?: "float16" | "bfloat16", "config": {...}},
"ids": [n][L]}. The adapters are merged one after the other, in f32 as peft does; with "make" an adapter with random factors is made from the arguments of
LoraConfig, written, read again and merged last.
The answer, one line on stdout: a list of {"parameters", "dtype", "logits": [n][L][vocabulary]}, in f64. A weight of the folder, or a key of an adapter, that
has no place in the model or is missing is an error.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)


def load(folder):
    model, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True, attn_implementation="sdpa")
    wrong = {k: sorted(map(str, v)) for k, v in info.items() if v}
    if wrong:
        sys.exit(f"{folder} does not match {type(model).__name__}: {wrong}")
    return model


def merge(model, folder):
    with warnings.catch_warnings():
        # peft warns where tensors are missing or left over.
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*rank_pattern.*")
        return PeftModel.from_pretrained(model, folder).merge_and_unload()


def make(base, folder, seed, config, dtype="float32"):
    generator = torch.Generator().manual_seed(seed)
    model = get_peft_model(load(base).float(), LoraConfig(**config))
    for name, p in sorted(model.named_parameters()):
        if "lora_" in name:
            p.data = (torch.randn(p.shape, generator=generator) * 0.2).to(getattr(torch, dtype))
    # Else peft writes the embeddings too where lm_head is adapted.
    model.save_pretrained(folder, save_embedding_layers=False)


def answer(request):
    made = request.get("make")
    if made:
        make(request["base"], **made)
    model = load(request["base"])
    out = dict(parameters=sum(p.numel() for p in model.parameters()), dtype=str(model.dtype).removeprefix("torch."))
    model = model.float()
    for folder in request["adapters"] + ([made["folder"]] if made else []):
        model = merge(model, folder)
    with torch.no_grad():
        return dict(out, logits=model.double().eval()(input_ids=torch.tensor(request["ids"])).logits.tolist())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1]) as f:
        requests = json.load(f)
    print(json.dumps([answer(request) for request in requests]))
