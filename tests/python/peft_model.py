"""Merge LoRA adapters into a CLIP or a ViT with peft, or make one, and print what the merged model computes, as JSON.

    python tests/python/peft_model.py REQUEST.json

REQUEST: a list of {"base": FOLDER, "kind": "CLIPModel" | "ViTModel" | "ViTForImageClassification", "adapters": [FOLDER, ...], "make"?: {"folder": FOLDER, "seed": int,
"dtype"?: "float16" | "bfloat16", "config": {...}}, "pixel_values": [n][3][S][S], "input_ids"?: [m][L]}. The adapters are merged one after the other, in f32
as peft does; with "make" an adapter with random factors is made from the arguments of LoraConfig, written, read again and merged last.
The answer, one line on stdout: a list of {"image": [n][d], "text"?: [m][d], "logits"?: [n][m]}, in f64. A key of an adapter that the model does not know is an error.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import CLIPModel, ViTForImageClassification, ViTModel

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)
KINDS = dict(CLIPModel=CLIPModel, ViTModel=ViTModel, ViTForImageClassification=ViTForImageClassification)


def load(kind, folder):
    options = dict(add_pooling_layer=False) if kind == "ViTModel" else {}
    return KINDS[kind].from_pretrained(folder, dtype=torch.float32, attn_implementation="sdpa", **options)


def merge(model, folder):
    with warnings.catch_warnings():
        # peft warns where tensors are missing or left over.
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", category=FutureWarning)
        warnings.filterwarnings("ignore", message=".*rank_pattern.*")
        return PeftModel.from_pretrained(model, folder).merge_and_unload()


def make(kind, folder, seed, config, dtype="float32", **made):
    generator = torch.Generator().manual_seed(seed)
    model = get_peft_model(load(kind, folder), LoraConfig(**config))
    for name, p in sorted(model.named_parameters()):
        if "lora_" in name:
            p.data = (torch.randn(p.shape, generator=generator) * 0.2).to(getattr(torch, dtype))
    model.save_pretrained(made["target"])


def answer(request):
    kind, base = request["kind"], request["base"]
    made = request.get("make")
    if made:
        make(kind, base, made["seed"], made["config"], made.get("dtype", "float32"), target=made["folder"])
    model = load(kind, base)
    for folder in request["adapters"] + ([made["folder"]] if made else []):
        model = merge(model, folder)
    model = model.double().eval()
    pixels = torch.tensor(request["pixel_values"]).double()
    with torch.no_grad():
        if kind != "CLIPModel":
            return dict(image=getattr(model, "vit", model)(pixel_values=pixels).last_hidden_state[:, 0].tolist())
        ids = torch.tensor(request["input_ids"])
        whole = model(pixel_values=pixels, input_ids=ids)
        image, text = model.get_image_features(pixel_values=pixels).pooler_output, model.get_text_features(input_ids=ids).pooler_output
        return dict(image=image.tolist(), text=text.tolist(), logits=whole.logits_per_image.tolist())


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1]) as f:
        requests = json.load(f)
    print(json.dumps([answer(request) for request in requests]))
