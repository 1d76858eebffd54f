/** Writing what training has added to a model as an adapter that PEFT loads. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../failure.ts";
import { writeFolderAtomic, writeJson, writeText } from "../../formats/files.ts";
import { notFinite, type HostTensor } from "../../formats/hostTensor.ts";
import { join } from "../../formats/path.ts";
import { writeSafetensors, type SafetensorsOptions } from "../../formats/safetensors.ts";
import { platform } from "../../platform/default.ts";
import type { Files } from "../../platform/files.ts";
import type { Factors, Update } from "../adapters/update.ts";
import type { Architecture } from "../architecture.ts";
import type { Linear } from "../network.ts";
import { peftNames } from "./config.ts";
import { linearsOf, moduleOf, type Base } from "./linears.ts";

/** Options of {@link writePeft}. */
export interface WritePeftOptions {
  /** The model that the adapter belongs to: a folder, or `org/name` of the hub, with `@REVISION` where there is one. */
  readonly base: string;
  /** Sentences for `README.md`. */
  readonly about?: string;
  /** Element type of the factors on disk. Default `f32`. */
  readonly dtype?: SafetensorsOptions["dtype"];
  readonly files?: Files;
}

/** A layer with what is added to it. */
type Adapted = readonly [layer: Linear, factors: Factors];

/** The layers to which something is added; PEFT loads no adapter without one, so that where there is none a layer gets nothing, in rank 1. */
const adaptedLayers = (base: Base, { factors }: Update): readonly Adapted[] => {
  const layers = linearsOf(base);
  const adapted = layers.flatMap((layer): readonly Adapted[] => {
    const own = factors.get(layer.name);
    return own === undefined || own.rank === 0 ? [] : [[layer, own]];
  });
  const { 0: first } = layers;
  return adapted.length > 0 ? adapted : [[first, { rank: 1, B: new Float64Array(first.out), A: new Float32Array(first.in) }]];
};

/** The rank that most layers have, so that the table of the others is short; the larger one of equals. */
const usualRank = (adapted: readonly Adapted[]): number => {
  const counts = new Map<number, number>();
  for (const [, { rank }] of adapted) counts.set(rank, (counts.get(rank) ?? 0) + 1);
  return [...counts].sort(([a, m], [b, n]) => n - m || b - a)[0][0];
};

/** A name of the hub with a revision. */
const ofHub = /^([\w.-]+\/[\w.-]+)@([\w./-]+)$/;

/** `adapter_config.json`. The scale lora_alpha / r is 1 in every layer: it is in the factors. */
const configOf = ({ architecture, config }: Base, adapted: readonly Adapted[], name: string): Readonly<Record<string, unknown>> => {
  const r = usualRank(adapted);
  // The first pattern that is an end of a name counts, so that longer ones stand first.
  const patterns = adapted.flatMap(([layer, { rank }]) => (rank === r ? [] : [[moduleOf(layer), rank] as const])).sort(([a], [b]) => b.length - a.length);
  const { model_type: type, architectures: [base_model_class] = [] } = architecture.config.encode(config) as { model_type?: string; architectures?: string[] };
  const [, base = name, revision = null] = ofHub.exec(name) ?? [];
  return {
    alpha_pattern: Object.fromEntries(patterns),
    auto_mapping: base_model_class === undefined ? null : { base_model_class, parent_library: `transformers.models.${type}.modeling_${type}` },
    base_model_name_or_path: base,
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    layers_pattern: null,
    layers_to_transform: null,
    lora_alpha: r,
    lora_dropout: 0,
    modules_to_save: null,
    peft_type: "LORA",
    r,
    rank_pattern: Object.fromEntries(patterns),
    revision,
    target_modules: adapted.map(([layer]) => moduleOf(layer)),
    task_type: architecture.decoder === undefined ? null : "CAUSAL_LM",
    use_dora: false,
    use_rslora: false,
  };
};

/** The class of transformers that loads a model of an architecture. */
const autoClass = ({ decoder }: Architecture): string => {
  if (decoder === undefined) return "AutoModel";
  return decoder.pictures === undefined ? "AutoModelForCausalLM" : "AutoModelForImageTextToText";
};

const readme = (base: string, about: string, loads: string): string => `---
library_name: peft
---

A LoRA adapter for ${base}${about === "" ? "" : `. ${about}`}

\`\`\`python
from peft import PeftModel
from transformers import ${loads}

model = PeftModel.from_pretrained(${loads}.from_pretrained("${base}"), "this folder").merge_and_unload()
\`\`\`
`;

/** Both factors of a layer under PEFT's keys, in f32. */
const tensorsOf = ([layer, { rank, A, B }]: Adapted): readonly (readonly [string, HostTensor])[] => [
  [`base_model.model.${moduleOf(layer)}.lora_A.weight`, { shape: [rank, layer.in], data: A }],
  [`base_model.model.${moduleOf(layer)}.lora_B.weight`, { shape: [layer.out, rank], data: Float32Array.from(B) }],
];

/**
 * Writes what was added to a model as a LoRA adapter that PEFT loads onto that model: `adapter_config.json`, `adapter_model.safetensors` and a `README.md`.
 * Layers have the names that transformers 5 has for them, which in a ViT are not those of version 4. The folder appears whole or not at all; equal updates give
 * equal bytes. Fails with `BadTensor` where the update holds weights that were trained in full, which no adapter can say, or a number that is not finite; and
 * with `FileUnwritable`.
 */
export const writePeft = (dir: string, model: Base, update: Update, options: WritePeftOptions): TE.TaskEither<Failure, void> => {
  const { base, about = "", dtype, files = platform.files } = options;
  const adapted = adaptedLayers(model, update);
  const tensors = new Map(adapted.flatMap(tensorsOf));
  const bad = (tensor: string, detail: string): Failure => ({ _tag: "BadTensor", path: join(dir, peftNames.tensors), tensor, detail });
  const checked = (): E.Either<Failure, void> => {
    const [whole] = update.weights?.keys() ?? [];
    if (whole !== undefined) return E.left(bad(whole, "was trained in full, which no LoRA adapter can say; write the whole model"));
    for (const [name, { data }] of tensors) {
      const detail = notFinite(data);
      if (detail !== undefined) return E.left(bad(name, detail));
    }
    return E.right(undefined);
  };
  return pipe(
    TE.fromEither(checked()),
    TE.chain(() =>
      writeFolderAtomic(
        dir,
        (temp) =>
          pipe(
            writeJson(join(temp, peftNames.config), configOf(model, adapted, base), files),
            TE.chain(() => writeSafetensors(join(temp, peftNames.tensors), tensors, { dtype, metadata: { format: "pt" } }, files)),
            TE.chain(() => writeText(join(temp, peftNames.readme), readme(base, about, autoClass(model.architecture)), files)),
          ),
        files,
      ),
    ),
  );
};
