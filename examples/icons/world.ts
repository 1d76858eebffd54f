/**
 * The icon world: a stream of eight image-text tasks and a pre-training set with other names, both from npm packages.
 *
 * ```ts
 * const stream = iconStream(32);
 * const pretraining = await iconPretraining(32)();
 * ```
 *
 * No name is in both. In the stream, training and test drawings come from different vendors; pre-training uses all vendors, so that
 * a vendor's style is known when the stream tests on it and only its drawings are new.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as E from "fp-ts/lib/Either.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../../src/failure.ts";
import { exampleDecoder } from "../../src/data/decode.ts";
import type { Example, ExampleDecoder, Image } from "../../src/data/example.ts";
import type { Split, Stream } from "../../src/data/task.ts";
import { captionsOf } from "./captions.ts";
import { catalogue } from "./catalogue.ts";
import type { Catalogue } from "./catalogue.ts";
import { render } from "./render.ts";
import type { Drawing } from "./sets.ts";
import { iconTasks, testSets } from "./tasks.ts";

const open: TE.TaskEither<Failure, Catalogue> = async () => catalogue();

/** `drawing` as an example of class `label`, by its name; {@link renderer} makes the pixels. */
const exampleOf = ({ set, icon }: Drawing, label: number): Example => ({ id: `${set}:${icon}`, label, image: { kind: "named", name: `${set}:${icon}` } });

const rendered = new Map<string, Promise<E.Either<Failure, Image>>>();

/** Decodes examples of the icon world at `size` x `size` pixels: a drawing is rendered when first asked for and kept for the life of the process. */
const renderer =
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

/**
 * The icon stream at `size` x `size` pixels, scored in each task's own label space. Names are known at once; the icon sets are read
 * when a split is first opened, which fails where a package is missing.
 */
export const iconStream = (size: number): Stream => ({
  labelSpace: "task",
  tasks: iconTasks.map(({ name, classNames, templates }) => {
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
    return { name, classNames, templates, train: split((d) => !testSets.has(d.set)), test: split((d) => testSets.has(d.set)), decode: renderer(size) };
  }),
});

/** The pre-training set: names that the stream never uses, with captions and drawings. */
export interface IconPretraining {
  readonly classNames: readonly string[];
  /** Widest word for each name, for example "animal". */
  readonly groups: readonly string[];
  /** Several captions of each name; every one fits any of its drawings. */
  readonly captions: readonly (readonly string[])[];
  /** Drawings to learn from; `label` indexes `classNames`. */
  readonly examples: readonly Example[];
  /** One drawing of every fourth name with at least five, kept out of `examples`. */
  readonly heldOut: readonly Example[];
  /** Renders them. */
  readonly decode: ExampleDecoder;
  /** Template for validation by retrieval, with `{c}`. */
  readonly templates: readonly string[];
}

/** The pre-training set at `size` x `size` pixels. Fails where a package is missing. */
export const iconPretraining = (size: number): TE.TaskEither<Failure, IconPretraining> =>
  pipe(
    open,
    TE.map(({ others }) => {
      // Which drawing is held out goes round the vendors with the name's index.
      const heldOutOf = (label: number): number => {
        const n = others[label].drawings.length;
        return label % 4 === 0 && n >= 5 ? (label / 4) % n : -1;
      };
      const drawings = (held: boolean): readonly Example[] =>
        others.flatMap((c, label) => c.drawings.filter((_, i) => (i === heldOutOf(label)) === held).map((d) => exampleOf(d, label)));
      return {
        classNames: others.map((c) => c.name),
        groups: others.map((c) => c.group),
        captions: others.map(captionsOf),
        examples: drawings(false),
        heldOut: drawings(true),
        decode: renderer(size),
        templates: ["an icon of a {c}.", "a drawing of a {c}.", "a picture of a {c}."],
      };
    }),
  );
