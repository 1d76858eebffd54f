"""Load a CLIP folder with transformers and print what it computes, as JSON.

    python tests/python/load_model.py FOLDER REQUEST.json        (or - for stdin)

REQUEST: {"pixel_values": [n][3][S][S]?, "input_ids": [m][L]?, "texts": [string]?, "images": [path]?}; every key optional. Where the folder has
a tokenizer, `texts` is encoded by CLIPTokenizer (padded to the context); `images` by CLIPImageProcessor.
The answer, one line on stdout: {"parameters", "dtype", "input_ids"? (of texts), "pixel_values"? (of images), "text_features"?, "text_embeds"?,
"image_features"?, "image_embeds"?, "logit_scale"}; features are projected, embeds are normalised; of texts before input_ids, of images before
pixel_values, when both are given (input_ids then need the context's length). Any missing, unexpected or ill-shaped weight is an error: exit code 1 and its name on stderr.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore")

import torch
import transformers
from PIL import Image
from transformers import CLIPImageProcessor, CLIPModel, CLIPTokenizer

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)


def load(folder):
    model, info = CLIPModel.from_pretrained(folder, output_loading_info=True)
    wrong = {k: sorted(map(str, v)) for k, v in info.items() if v}
    if wrong:
        sys.exit(f"{folder} does not match CLIPModel: {wrong}")
    return model.eval()


def answer(folder, request):
    model = load(folder)
    out = dict(parameters=sum(p.numel() for p in model.parameters()), dtype=str(model.dtype).removeprefix("torch."), logit_scale=model.logit_scale.item())
    model = model.float()
    ids, pixels = [], []
    if request.get("texts"):
        length = model.config.text_config.max_position_embeddings
        encoded = CLIPTokenizer.from_pretrained(folder)(request["texts"], padding="max_length", truncation=True, max_length=length).input_ids
        out["input_ids"] = encoded
        ids += encoded
    if request.get("images"):
        processor = CLIPImageProcessor.from_pretrained(folder)
        batch = [processor(images=Image.open(p).convert("RGB"), return_tensors="pt").pixel_values[0] for p in request["images"]]
        out["pixel_values"] = torch.stack(batch).tolist()
        pixels += batch
    ids += request.get("input_ids") or []
    pixels += [torch.tensor(p, dtype=torch.float32) for p in request.get("pixel_values") or []]
    with torch.no_grad():
        for name, features in (
            ("text", model.get_text_features(input_ids=torch.tensor(ids)).pooler_output if ids else None),
            ("image", model.get_image_features(pixel_values=torch.stack(pixels)).pooler_output if pixels else None),
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
