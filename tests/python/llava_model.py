"""Load a LLaVA folder with transformers and print what it computes, as JSON.

    python tests/python/llava_model.py FOLDER [ADAPTER]

For the batch in tests/fixtures/llava-tiny/golden.safetensors, with the LoRA folder ADAPTER merged by peft where one is given. The answer, one line on stdout:
{"parameters", "dtype", "logits": [p][vocabulary]} at the positions before the tokens that are trained. Any missing, unexpected or ill-shaped weight is an
error, and so is a key of an adapter that the model does not know: exit code 1 and its name on stderr.
"""

import json
import os
import sys
import warnings

warnings.filterwarnings("ignore")

import torch
import transformers
from safetensors.torch import load_file
from transformers import LlavaForConditionalGeneration, LlavaProcessor

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)


def main(folder, adapter=None):
    model, info = LlavaForConditionalGeneration.from_pretrained(folder, output_loading_info=True)
    wrong = {k: sorted(map(str, v)) for k, v in info.items() if v}
    if wrong:
        sys.exit(f"{folder} does not match LlavaForConditionalGeneration: {wrong}")
    # The processor is read too: it must be whole.
    assert LlavaProcessor.from_pretrained(folder).tokenizer.convert_tokens_to_ids("<image>") == model.config.image_token_index
    out = dict(parameters=sum(p.numel() for p in model.parameters()), dtype=str(model.dtype).removeprefix("torch."))
    model = model.float()
    if adapter:
        from peft import PeftModel

        with warnings.catch_warnings():
            # peft warns where tensors are missing or left over.
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", category=FutureWarning)
            model = PeftModel.from_pretrained(model, adapter).merge_and_unload()
    golden = load_file(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "llava-tiny", "golden.safetensors"))
    ids, labels = golden["ids"].long(), golden["labels"].long()
    mask = (torch.arange(ids.shape[1])[None] < golden["length"][:, None]).long()
    with torch.no_grad():
        logits = model.eval()(input_ids=ids, attention_mask=mask, pixel_values=golden["pixel_values"]).logits
    out["logits"] = logits[:, :-1][labels[:, 1:] != -100].tolist()
    print(json.dumps(out))


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(*sys.argv[1:])
