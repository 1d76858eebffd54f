/**
 * The public face of Cambium: everything that a script, a notebook or another package uses.
 *
 * Effects are fp-ts `TaskEither<Failure, A>`: call them, await them, and look at `_tag`. Nothing here throws.
 */

// Failures: everything that can go wrong, as values, and a sentence for each.
export * from "./src/failure.ts";

// The device: a GPU, lavapipe or SwiftShader through Dawn.
export { openDevice, rungs, withDevice } from "./src/device/open.ts";
export type { DeviceOptions, OpenDevice, Rung } from "./src/device/open.ts";
export type { Adapter as DeviceAdapter, Device, Ledger } from "./src/device/device.ts";

// The traced tensor language, under one name.
export * as tensor from "./src/tensor/language.ts";

// Methods: one value a paper, and the baselines.
export * from "./src/methods/table.ts";
export * from "./src/methods/options.ts";
export * from "./src/methods/presets.ts";
export * from "./src/methods/baselines.ts";
export * from "./src/methods/codyra.ts";
export * from "./src/methods/keeplora.ts";
export * from "./src/methods/dac.ts";
export * from "./src/methods/duallora.ts";
export * from "./src/methods/oLora.ts";
export * from "./src/methods/infLora.ts";
export * from "./src/methods/sdLora.ts";
export * from "./src/methods/cLora.ts";
export * from "./src/methods/sora.ts";

// Stages: the arrow, its composition, and the six verbs at the scales of a step, a task and a stream.
export * from "./src/stages/stage.ts";
export * from "./src/training/lesson.ts";
export * from "./src/runs/checkpoint.ts";
export * from "./src/training/runtime.ts";
export * from "./src/stages/encode.ts";
export * from "./src/stages/adapt.ts";
export * from "./src/stages/steps.ts";
export * from "./src/training/objective.ts";
export * from "./src/training/optimizer.ts";
export * from "./src/training/schedule.ts";
export * from "./src/stages/project.ts";
export * from "./src/subspace/projection.ts";
export * from "./src/subspace/bases.ts";
export * from "./src/subspace/directions.ts";
export * from "./src/subspace/inputs.ts";
export * from "./src/model/branch.ts";
export * from "./src/model/memory.ts";
export * from "./src/subspace/overlap.ts";
export * from "./src/subspace/past.ts";
export * from "./src/subspace/prototypes.ts";
export * from "./src/methods/dualloraMemory.ts";
export * from "./src/stages/rankSelect.ts";
export * from "./src/stages/merge.ts";
export * from "./src/stages/evaluate.ts";
export * from "./src/stages/learn.ts";

// Running a method over a stream, and what lies below: training loops, traces, features.
export * from "./src/runs/run.ts";
export * from "./src/runs/watch.ts";
export * from "./src/training/train.ts";
export * from "./src/training/trainee.ts";
export * from "./src/training/tracing.ts";
export * from "./src/stages/features.ts";

// Models: CLIP and ViT folders, configurations, parameters, adapters, tokenizer and preprocessing.
export * from "./src/model/adapters/adapter.ts";
export * from "./src/model/adapters/allParameters.ts";
export * from "./src/model/adapters/heads.ts";
export * from "./src/model/adapters/lora.ts";
export * from "./src/model/adapters/parallel.ts";
export * from "./src/methods/decoupledLora.ts";
export { imageFeatures, textBatch, textFeatures } from "./src/model/clip.ts";
export type { TextBatch } from "./src/model/clip.ts";
export * from "./src/model/config.ts";
export { readClip, readCompanions, writeClip } from "./src/model/folder.ts";
export type { Clip, WriteModelOptions } from "./src/model/folder.ts";
export { frozenParameters } from "./src/model/frozen.ts";
export * from "./src/model/model.ts";
export * from "./src/model/parameters.ts";
export { clipPreprocess, imageTransform, readPreprocess, vitPreprocess } from "./src/data/preprocess.ts";
export type { Preprocess } from "./src/data/preprocess.ts";
export * from "./src/model/tokenizer.ts";
export { plainScope } from "./src/model/transformer.ts";
export type { Scope } from "./src/model/transformer.ts";
export * from "./src/model/vit.ts";

// Streams: tasks, dataset readers, sampling, augmentation, batches.
export * from "./src/data/example.ts";
export * from "./src/data/task.ts";
export * from "./src/data/taskFromFolder.ts";
export * from "./src/data/webdataset.ts";
export * from "./src/data/imageFolder.ts";
export { defaultTemplates } from "./src/data/source.ts";
export type { OnCorrupt, SourceOptions } from "./src/data/source.ts";
export { decodeImage, decoderOf, exampleDecoder } from "./src/data/decode.ts";
export type { Decoder } from "./src/data/decode.ts";
export * from "./src/data/sampling.ts";
export * from "./src/data/classSplit.ts";
export * from "./src/data/protocols.ts";
export * from "./src/data/augment.ts";
export * from "./src/data/batches.ts";
export * from "./src/data/imageCache.ts";

// Formats: safetensors, and files that are written whole or not at all.
export { readModelTensors, readSafetensors, readSafetensorsMetadata, writeSafetensors } from "./src/formats/safetensors.ts";
export type { SafetensorsOptions } from "./src/formats/safetensors.ts";
export { readJson, readText, writeFolderAtomic, writeJson, writeText } from "./src/formats/files.ts";
export type { HostTensor, Tensors as HostTensors } from "./src/formats/hostTensor.ts";

// Reports: metrics of the accuracy matrix, results, tables, the HTML report, notebook display, progress.
export * from "./src/report/metrics.ts";
export * from "./src/report/result.ts";
export * from "./src/report/log.ts";
export { summarise } from "./src/report/summary.ts";
export type { Spread, Summary } from "./src/report/summary.ts";
export { markdownTable, textTable } from "./src/report/table.ts";
export { htmlReport, reportBody } from "./src/report/html.ts";
export type { ReportExtras } from "./src/report/html.ts";
export * from "./src/report/display.ts";
export { prettyJson } from "./src/report/json.ts";
export * from "./src/report/progress.ts";

// Linear algebra on plain arrays.
export * as linalg from "./src/linalg/linalg.ts";

// Random numbers from (seed, purpose, step).
export * from "./src/random.ts";
