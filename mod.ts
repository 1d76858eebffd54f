/**
 * The public face of Cambium: everything that a script, a notebook or another package uses.
 *
 * What everybody needs stands here by its own name; the rest is in namespaces: `stage`, `adapter`, `objective`, `optimizer`, `schedule` and `subspace` for
 * who composes methods, `data`, `model`, `language`, `report`, `scores`, `formats`, `tensor` and `linalg` for who builds on what lies below.
 *
 * Effects are fp-ts `TaskEither<Failure, A>`: call them, await them, and look at `_tag`. Nothing here throws but `get`, which is there for it.
 */

// Failures: everything that can go wrong, as values, and a sentence for each; and an effect's value for who would rather have an error thrown.
export { describe, get } from "./src/failure.ts";
export type { Failure } from "./src/failure.ts";

// The device: a GPU, lavapipe or SwiftShader through Dawn.
export { openDevice, withDevice } from "./src/device/open.ts";
export type { DeviceOptions } from "./src/device/open.ts";
export { inPrecision } from "./src/device/precision.ts";
export { wrapDevice } from "./src/device/wrap.ts";
export type { WrapOptions } from "./src/device/wrap.ts";
export type { Adapter as DeviceAdapter, Device, Ledger, OpenDevice, Precision } from "./src/device/device.ts";

// The platform: files, images, the GPU and the cache of Node and Deno, and the interface for others.
export { platform } from "./src/platform/default.ts";
export { rungs } from "./src/platform/platform.ts";
export type { Cache, GpuRequest, OpenGpu, Output, Platform, Rung } from "./src/platform/platform.ts";
export type { Appender, Entry, Files, Lock, OpenFile } from "./src/platform/files.ts";
export type { FolderSource, PickedEntry, PickedFile, PickedFolder } from "./src/platform/mount.ts";
export type { Downloading, Hub, Repository, Snapshot, SnapshotOptions } from "./src/platform/hub.ts";

// Models and learners, as folders and as values.
export { readModel, writeModel } from "./src/model/model.ts";
export type { Model } from "./src/model/model.ts";
export { updateBetween } from "./src/model/peft/between.ts";
export { readPeft } from "./src/model/peft/read.ts";
export { writePeft } from "./src/model/peft/write.ts";
export type { WritePeftOptions } from "./src/model/peft/write.ts";
export { readLearner, writeLearner } from "./src/runs/checkpoint.ts";
export { openLearner } from "./src/runs/openLearner.ts";
export type { OpenedLearner } from "./src/runs/openLearner.ts";
export { evaluateModel } from "./src/afterwards/evaluateModel.ts";
export type { EvaluateModelOptions, EvaluateWhat } from "./src/afterwards/evaluateModel.ts";
export { generate, generating } from "./src/afterwards/generate.ts";
export type { Asked, GenerateOptions } from "./src/afterwards/generate.ts";
export { classify, embedImages, embedTexts } from "./src/afterwards/predict.ts";
export type { ClassifyOptions, Picture, PredictOptions } from "./src/afterwards/predict.ts";
export type { Classified, Embedded } from "./src/stages/predict.ts";
export type { Predictor } from "./src/stages/inference.ts";
export { learner } from "./src/model/learner.ts";
export type { Learner } from "./src/model/learner.ts";

// Methods: one value a paper, and the baselines; and how to declare one.
export { declareMethod, forAnswers, option, reading, scoring, withDefaults } from "./src/methods/declare.ts";
export type { Declaration, Declared, GivenOptions, Option, Options, OptionsOf, Reading, Values } from "./src/methods/declare.ts";
export { methods } from "./src/methods/table.ts";
export type { MethodName, MethodOptions } from "./src/methods/table.ts";
export { preset } from "./src/methods/presets.ts";
export type { Preset } from "./src/methods/preset.ts";
export { joint, sequentialLora, zeroShot } from "./src/methods/baselines.ts";
export type { LoraMethodOptions } from "./src/methods/baselines.ts";
export { codyra } from "./src/methods/codyra.ts";
export type { CodyraOptions } from "./src/methods/codyra.ts";
export { keeplora, keeploraPlus, keeploraPlusPlus, keeploraPlusPlusCls } from "./src/methods/keeplora.ts";
export type { KeepLoraOptions } from "./src/methods/keeplora.ts";
export { dac } from "./src/methods/dac.ts";
export type { DacOptions } from "./src/methods/dac.ts";
export { duallora } from "./src/methods/duallora.ts";
export type { DualLoraOptions } from "./src/methods/duallora.ts";
export { oLora } from "./src/methods/oLora.ts";
export type { OLoraOptions } from "./src/methods/oLora.ts";
export { infLora } from "./src/methods/infLora.ts";
export type { InfLoraOptions } from "./src/methods/infLora.ts";
export { replay } from "./src/methods/replay.ts";
export type { ReplayOptions } from "./src/methods/replay.ts";
export { lwf } from "./src/methods/lwf.ts";
export type { LwfOptions } from "./src/methods/lwf.ts";
export { wiseFt } from "./src/methods/wiseFt.ts";
export type { WiseFtOptions } from "./src/methods/wiseFt.ts";
export { zscl } from "./src/methods/zscl.ts";
export type { ZsclOptions } from "./src/methods/zscl.ts";
export { sdLora } from "./src/methods/sdLora.ts";
export type { SdLoraOptions } from "./src/methods/sdLora.ts";
export { cLora } from "./src/methods/cLora.ts";
export type { CLoraOptions } from "./src/methods/cLora.ts";
export { sora } from "./src/methods/sora.ts";
export type { SoraOptions } from "./src/methods/sora.ts";
export { color } from "./src/methods/color.ts";
export type { ColorOptions } from "./src/methods/color.ts";
export { moram } from "./src/methods/moram.ts";
export type { MoramOptions } from "./src/methods/moram.ts";
export { glad } from "./src/methods/glad.ts";
export type { GladOptions } from "./src/methods/glad.ts";
export { loraTtt } from "./src/methods/loraTtt.ts";
export type { LoraTttOptions } from "./src/methods/loraTtt.ts";

// Running a method over a stream, and watching it.
export { run } from "./src/runs/wholeRun.ts";
export type { RunGiven } from "./src/runs/wholeRun.ts";
export { course } from "./src/stages/learn.ts";
export type { Course, Method } from "./src/stages/learn.ts";
export { exportLearner } from "./src/afterwards/exportLearner.ts";
export type { Exported, ExportOptions } from "./src/afterwards/exportLearner.ts";
export { runMethod } from "./src/runs/run.ts";
export type { Keep, KeptTraining, Progress, Run, RunOptions } from "./src/runs/run.ts";
export { resume, runJob } from "./src/runs/runJob.ts";
export type { JobOptions } from "./src/runs/runJob.ts";
export { Job } from "./src/runs/job.ts";
export { Sweep } from "./src/sweep/sweep.ts";
export { jobsOf } from "./src/sweep/jobs.ts";
export type { SweepJob } from "./src/sweep/jobs.ts";
export { readSweep } from "./src/sweep/readSweep.ts";
export { resumeSweep, runSweep } from "./src/sweep/runSweep.ts";
export type { JobEnd, Share, SweepOptions, SweepOutcome } from "./src/sweep/runSweep.ts";
export { openQueue, work } from "./src/sweep/work.ts";
export { openStorage } from "./src/sweep/stored.ts";
export type { Carrying } from "./src/sweep/stored.ts";
export type { OpenStorage, Storage, StorageOptions, StoredObject } from "./src/platform/storage.ts";
export type { Worked, WorkOptions } from "./src/sweep/work.ts";
export type { OpenQueue, Performed, Piece, Queue, QueueOptions, Standing, TakeOptions, Verdict } from "./src/platform/queue.ts";
export { locate } from "./src/runs/locate.ts";
export type { Located, LocateOptions } from "./src/runs/locate.ts";
export type { Outcome } from "./src/runs/outcome.ts";
export { info } from "./src/info/info.ts";
export type { Info } from "./src/info/info.ts";
export { infoText } from "./src/info/infoText.ts";
export type { DatasetInfo } from "./src/info/datasetInfo.ts";
export type { DecoderMemory } from "./src/info/decoderMemory.ts";
export { stepMemory } from "./src/info/trainingMemory.ts";
export type { StepMemory, StepMemoryOptions, TrainingMemory } from "./src/info/trainingMemory.ts";
export type { AdapterInfo, LearnerInfo, ModelInfo, TowerInfo } from "./src/info/modelInfo.ts";
export type { PeftInfo } from "./src/info/peftInfo.ts";
export type { RunInfo } from "./src/info/runInfo.ts";
export type { SweepInfo, SweepJobInfo } from "./src/info/sweepInfo.ts";
export { comparedData, comparedTable, compareRuns, tableFormats } from "./src/runs/compare.ts";
export type { Compared, TableFormat } from "./src/runs/compare.ts";
export { comparedPage } from "./src/runs/comparedPage.ts";
export type { ReadRun } from "./src/runs/readRun.ts";
export { watch } from "./src/runs/watch.ts";
export type { Watcher } from "./src/runs/watch.ts";
export { runtime } from "./src/runs/runtime.ts";
export type { OpenRuntime, RuntimeOptions } from "./src/runs/runtime.ts";
export type { Event, Runtime } from "./src/training/runtime.ts";
export type { AnswerStream, AnswerTask, ClassStream, ClassTask, LabelSpace, Stream, Task, TaskScore } from "./src/data/task.ts";

// What came of it.
export { show } from "./src/page/show.ts";
export type { Showable } from "./src/page/show.ts";
export { htmlReport } from "./src/page/html.ts";
export { galleryPictures } from "./src/runs/pictures.ts";
export { textTable } from "./src/report/table.ts";
export type { ProbeResult, RunResult } from "./src/report/result.ts";
export type { DatasetAnswers, RunReport } from "./src/report/runReport.ts";

// Random numbers from (seed, purpose, step).
export { random } from "./src/random.ts";
export type { Random } from "./src/random.ts";

// The vocabulary of methods, and the rooms below it, each under one name.
export * from "./src/methods/vocabulary.ts";
export * as language from "./src/language/index.ts";
export * as report from "./src/report/index.ts";
export * as scores from "./src/scores/index.ts";
