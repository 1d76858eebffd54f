/**
 * The icon world: a stream of eight image-text tasks with a probe, and a pre-training set, all from npm packages.
 *
 * ```ts
 * const stream = iconStream(32);
 * const pretraining = await iconPretraining(32)();
 * ```
 *
 * No drawing is in two of them. A name of the stream is drawn by some vendors for pre-training, by others for the training of its task, and by others again
 * for its test: a model knows the world before the stream begins, as CLIP does, and a task teaches it to tell apart what it has seen but a little.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import { exampleDecoder } from "../../src/data/decode.ts";
import type { Example, ExampleDecoder, Image } from "../../src/data/example.ts";
import type { Split, ClassStream, ClassTask } from "../../src/data/task.ts";
import { captionsOf } from "./captions.ts";
import { catalogue } from "./catalogue.ts";
import type { Catalogue } from "./catalogue.ts";
import type { Concept } from "./concept.ts";
import { render } from "./render.ts";
import type { Drawing } from "./sets.ts";
import { probeNames } from "./probe.ts";
import { baseSets, curriculum, iconTasks, testSets } from "./tasks.ts";

export const open: TE.TaskEither<Failure, Catalogue> = async () => catalogue();

/** `drawing` as an example of class `label`, by its name; {@link renderer} makes the pixels. */
const exampleOf = ({ set, icon }: Drawing, label: number): Example => ({ id: `${set}:${icon}`, label, image: { kind: "named", name: `${set}:${icon}` } });

const rendered = new Map<string, Promise<E.Either<Failure, Image>>>();

/** Decodes examples of the icon world at `size` x `size` pixels: a drawing is rendered when first asked for and kept for the life of the process. */
export const renderer =
  (size: number): ExampleDecoder =>
  (example) => {
    const { image } = example;
    if (image.kind !== "named") return exampleDecoder()(example);
    return pipe(
      open,
      TE.chain(({ drawings }) => () => {
        const drawing = drawings.get(image.name);
        if (drawing === undefined)
          return Promise.resolve(E.left<Failure>({ _tag: "CorruptSample", path: "the icon sets", member: image.name, detail: "there is no such drawing" }));
        const key = `${size}/${image.name}`;
        const pixels = rendered.get(key) ?? render(drawing, size)();
        rendered.set(key, pixels);
        return pixels;
      }),
    );
  };

/** Options of {@link iconStream}: a smaller stream. */
export interface IconStreamOptions {
  /** The first so many tasks, at least one. Default: all eight. */
  readonly tasks?: number;
  /** The first so many classes of each task, at least one. Default: all. */
  readonly classes?: number;
}

/**
 * The icon stream at `size` x `size` pixels, scored in each task's own label space, with its probe. Names are known at once; the icon sets are read
 * when a split is first opened, which fails where a package is missing.
 */
export const iconStream = (size: number, { tasks, classes }: IconStreamOptions = {}): ClassStream => ({
  labelSpace: "task",
  probes: [iconProbe(size)],
  tasks: curriculum.slice(0, tasks).map(({ name, classNames: names, templates }): ClassTask => {
    const classNames = names.slice(0, classes);
    const split = (wanted: (d: Drawing) => boolean): Split =>
      pipe(
        open,
        TE.map(({ stream }) =>
          classNames.flatMap((c, label) =>
            stream
              .get(name)!
              .get(c)!
              .drawings.filter(wanted)
              .map((d) => exampleOf(d, label)),
          ),
        ),
      );
    return {
      name,
      classNames,
      templates,
      train: split((d) => !testSets.has(d.set) && !baseSets.has(d.set)),
      test: split((d) => testSets.has(d.set)),
      decode: renderer(size),
    };
  }),
});

/** The position in the probe of each name that it asks for. */
const inProbe: ReadonlyMap<string, number> = new Map(probeNames.map((name, i) => [name, i]));

/** The drawing of a name of the probe that is held out: which one goes round the vendors. */
const heldOut = ({ name, drawings }: Concept): Drawing | undefined => {
  const i = inProbe.get(name);
  return i === undefined ? undefined : drawings[i % drawings.length];
};

/** Names outside of the stream, without the drawings that are held out. */
export const outside = ({ others }: Catalogue): readonly Concept[] =>
  others.map((concept) => {
    const held = heldOut(concept);
    return { ...concept, drawings: concept.drawings.filter((d) => d !== held) };
  });

/** Names of the stream, as far as a vendor that serves pre-training draws them. */
export const inside = ({ stream }: Catalogue): readonly Concept[] =>
  iconTasks
    .flatMap((task) => task.classNames.map((name): Concept => ({ ...stream.get(task.name)!.get(name)!, name })))
    .map((concept) => ({ ...concept, drawings: concept.drawings.filter((d) => baseSets.has(d.set)) }))
    .filter(({ drawings }) => drawings.length > 0);

/** The probe at `size` x `size` pixels: what a model knew before the stream. It is never learned. */
const iconProbe = (size: number): ClassTask => ({
  name: "other things",
  classNames: probeNames,
  templates: ["an icon of a {c}.", "a drawing of a {c}.", "a picture of a {c}."],
  train: TE.right([]),
  test: pipe(
    open,
    TE.map(({ others }) =>
      others.flatMap((concept) => {
        const held = heldOut(concept);
        return held === undefined ? [] : [exampleOf(held, inProbe.get(concept.name)!)];
      }),
    ),
  ),
  decode: renderer(size),
});

/** The pre-training set: names with captions and drawings. */
export interface IconPretraining {
  readonly classNames: readonly string[];
  /** Widest word for each name, for example "animal". */
  readonly groups: readonly string[];
  /** Several captions of each name; every one fits any of its drawings. */
  readonly captions: readonly (readonly string[])[];
  /** Drawings to learn from; `label` indexes `classNames`. */
  readonly examples: readonly Example[];
  /** Renders them. */
  readonly decode: ExampleDecoder;
}

/** The pre-training set at `size` x `size` pixels. Fails where a package is missing. */
export const iconPretraining = (size: number): TE.TaskEither<Failure, IconPretraining> =>
  pipe(
    open,
    TE.map((all) => {
      const seen = [...outside(all), ...inside(all)];
      return {
        classNames: seen.map(({ name }) => name),
        groups: seen.map(({ group }) => group),
        captions: seen.map(captionsOf),
        examples: seen.flatMap(({ drawings }, label) => drawings.map((d) => exampleOf(d, label))),
        decode: renderer(size),
      };
    }),
  );
