"""Load a CLIP or ViT folder with transformers and print what it computes, as JSON.

    python tests/python/load_model.py FOLDER REQUEST.json        (or - for stdin)

REQUEST: {"pixel_values": [n][3][S][S]?, "input_ids": [m][L]?, "texts": [string]?, "images": [path]?}; every key optional. Where the folder has
a tokenizer, `texts` is encoded by CLIPTokenizer (padded to the context); `images` by CLIPImageProcessor or ViTImageProcessor.
The answer, one line on stdout: {"parameters", "dtype", "input_ids"? (of texts), "pixel_values"? (of images), "text_features"?, "text_embeds"?,
"image_features"?, "image_embeds"?, "logit_scale" (of a CLIP)}; features are projected (a ViT's are the class token after the last norm), embeds
are normalised; of texts before input_ids, of images before pixel_values, when both are given (input_ids then need the context's length). Any
missing, unexpected or ill-shaped weight is an error: exit code 1 and its name on stderr.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import torch
import transformers
from PIL import Image
from transformers import AutoConfig, CLIPImageProcessor, CLIPModel, CLIPTokenizer, ViTImageProcessor, ViTModel

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)


def load(folder):
    vit = AutoConfig.from_pretrained(folder).model_type == "vit"
    kind, options = (ViTModel, dict(add_pooling_layer=False)) if vit else (CLIPModel, {})
    model, info = kind.from_pretrained(folder, output_loading_info=True, **options)
    wrong = {k: sorted(map(str, v)) for k, v in info.items() if v}
    if wrong:
        sys.exit(f"{folder} does not match {kind.__name__}: {wrong}")
    return model.eval(), vit


def image_features(model, vit, pixels):
    return model(pixel_values=pixels).last_hidden_state[:, 0] if vit else model.get_image_features(pixel_values=pixels).pooler_output


def answer(folder, request):
    model, vit = load(folder)
    out = dict(parameters=sum(p.numel() for p in model.parameters()), dtype=str(model.dtype).removeprefix("torch."))
    if not vit:
        out["logit_scale"] = model.logit_scale.item()
    model = model.float()
    ids, pixels = [], []
    if request.get("texts"):
        length = model.config.text_config.max_position_embeddings
        encoded = CLIPTokenizer.from_pretrained(folder)(request["texts"], padding="max_length", truncation=True, max_length=length).input_ids
        out["input_ids"] = encoded
        ids += encoded
    if request.get("images"):
        processor = (ViTImageProcessor if vit else CLIPImageProcessor).from_pretrained(folder)
        batch = [processor(images=Image.open(p).convert("RGB"), return_tensors="pt").pixel_values[0] for p in request["images"]]
        out["pixel_values"] = torch.stack(batch).tolist()
        pixels += batch
    ids += request.get("input_ids") or []
    pixels += [torch.tensor(p, dtype=torch.float32) for p in request.get("pixel_values") or []]
    with torch.no_grad():
        for name, features in (
            ("text", model.get_text_features(input_ids=torch.tensor(ids)).pooler_output if ids else None),
            ("image", image_features(model, vit, torch.stack(pixels)) if pixels else None),
        ):
            if features is not None:
                out[f"{name}_features"] = features.tolist()
                out[f"{name}_embeds"] = (features / features.norm(dim=-1, keepdim=True)).tolist()
    return out


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with sys.stdin if sys.argv[2] == "-" else open(sys.argv[2]) as f:
        request = json.load(f)
    print(json.dumps(answer(sys.argv[1], request)))
