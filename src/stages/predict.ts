/** What a learner takes pictures for, and the features that it has of pictures and texts. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { firstOfName } from "../data/classNames.ts";
import type { Example } from "../data/example.ts";
import { defaultTemplates } from "../data/source.ts";
import type { ClassStream, ClassTask } from "../data/task.ts";
import type { Failure } from "../failure.ts";
import type { HostTensor } from "../formats/hostTensor.ts";
import { printed } from "../formats/json.ts";
import { networkOf } from "../model/model.ts";
import type { Top } from "../report/predictions.ts";
import type { Runtime } from "../training/runtime.ts";
import { candidatesOf, rankingsOf, textsAmong } from "./answers.ts";
import { scoring } from "./evaluate.ts";
import { withEncoder, type Encoder } from "./features.ts";
import type { Features } from "./imageFeatures.ts";
import { fittedTo, knowsAll, placesOfNames, positionsOf, type Place } from "./fitted.ts";
import { answerable, type Predictor } from "./inference.ts";
import { ensemble, type Likely } from "./scores.ts";

/** Pictures that are asked about, and how they are decoded. */
export type Pictures = Pick<ClassTask, "decode"> & { readonly examples: readonly Example[] };

/** What pictures are told apart by. */
export interface Labels {
  /** Names of classes. Default: the classes that the learner has learned. */
  readonly labels?: readonly string[];
  /** `{c}` is where a label goes. Several templates are an ensemble: the mean of their unit features, normalised again. Default `a photo of a {c}.`. */
  readonly template?: string | readonly string[];
  /** How many of the likeliest labels are given. Default: all. */
  readonly top?: number;
}

/** What a picture was taken for. */
export interface Classified {
  /** The path of the picture, or its number. */
  readonly picture: string;
  /** Labels with their shares in the softmax over all labels, the likeliest first. */
  readonly labels: Top;
}

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

/** The labels that are meant, each with its places among the classes that the learner has seen. Fails where there is none, or one is empty or comes twice. */
const labelsOf = ({ seen }: Predictor["learner"], given: readonly string[] | undefined): E.Either<Failure, readonly string[]> => {
  const first = firstOfName([{ classNames: given ?? seen }]);
  const labels = given ?? seen.filter((_, i) => first[i] === i);
  if (labels.length === 0) return bad("labels", given === undefined ? "there are none, and the learner has learned no classes; name some" : "there are none");
  if (labels.some((label) => label.trim() === "")) return bad("labels", "one of them is empty");
  const twice = given === undefined ? -1 : first.findIndex((of, i) => of !== i);
  return twice < 0 ? E.right(labels) : bad("labels", `${printed(labels[first[twice]])} and ${printed(labels[twice])} are one name; give it once`);
};

const templatesOf = (given: string | readonly string[] = defaultTemplates[0]): E.Either<Failure, readonly string[]> => {
  const templates = typeof given === "string" ? [given] : given;
  if (templates.length === 0) return bad("template", "there is none");
  const wrong = templates.find((template) => !template.includes("{c}"));
  return wrong === undefined ? E.right(templates) : bad("template", `${printed(wrong)} has no {c}, which is where a label goes`);
};

/** Classes of one learned task, or of none, and their places among those that were learned. A label that several tasks have learned is a class of each. */
interface Group {
  readonly classNames: string[];
  readonly places: Place[];
}

/** The labels by the tasks that a calibration tells apart; in one group where there is none. */
const groupsOf = (predictor: Predictor, labels: readonly string[]): readonly Group[] => {
  const calibrated = predictor.inference?.calibration !== undefined;
  const places = placesOfNames(predictor.learner.seen, labels);
  const groups = new Map<number | undefined, Group>();
  labels.forEach((label, i) => {
    const own: readonly Place[] = places[i].length === 0 ? [undefined] : places[i];
    positionsOf(predictor, own).forEach((position, k) => {
      const key = calibrated ? position : undefined;
      const { classNames, places: of } = groups.get(key) ?? groups.set(key, { classNames: [], places: [] }).get(key)!;
      classNames.push(label);
      of.push(own[k]);
    });
  });
  return [...groups.values()];
};

/** The groups as a stream of tasks that nobody learns. */
const streamOf = (groups: readonly Group[], templates: readonly string[]): ClassStream => ({
  labelSpace: "union",
  tasks: groups.map(({ classNames }) => ({ name: "labels", classNames, templates, train: TE.right([]), test: TE.right([]) })),
});

/** What the messages of failures call the pictures. */
const name = "the pictures";

/** What a learner is asked: classes in groups, and these with their templates as a stream. */
export interface Asked {
  readonly predictor: Predictor;
  readonly groups: readonly Group[];
  readonly stream: ClassStream;
}

/** Checks what a learner is asked. Fails where labels or templates are none, and where the learner cannot tell the labels apart. */
export const asked = (predictor: Predictor, { labels, template }: Labels): E.Either<Failure, Asked> =>
  pipe(
    answerable(predictor),
    E.bind("templates", () => templatesOf(template)),
    E.bind("labels", () => labelsOf(predictor.learner, labels)),
    E.chain(({ labels, templates }) => {
      const groups = groupsOf(predictor, labels);
      const [classNames, places] = [groups.flatMap((group) => group.classNames), groups.flatMap((group) => group.places)];
      return pipe(
        knowsAll(predictor.learner, classNames, places, "labels"),
        E.map(() => ({ predictor, groups, stream: streamOf(groups, templates) })),
      );
    }),
  );

/** Classifies pictures among labels, and gives the `top` likeliest. Fails as pictures do. */
export const classified =
  ({ predictor, groups, stream }: Asked, { examples, decode }: Pictures, top?: number) =>
  (runtime: Runtime): TE.TaskEither<Failure, readonly Classified[]> => {
    const fitted = fittedTo(
      predictor,
      groups.map(({ places }) => places),
    );
    const { learner, inference } = fitted;
    const among = candidatesOf(learner, stream).flatMap((candidates) => candidates ?? []);
    const classNames = stream.tasks.flatMap((task) => task.classNames);
    const answer = (picture: string, ranked: readonly Likely[]): Classified => ({
      picture,
      labels: ranked.slice(0, top).map(({ cls, score }) => ({ label: classNames[cls], score })),
    });
    return withEncoder(
      learner,
      runtime,
      inference.through,
      inference.adaptation,
    )((encode) =>
      pipe(
        scoring(learner, encode, stream, "ensemble"),
        TE.bindTo("compared"),
        TE.bind("images", ({ compared }) => encode.images({ name, decode }, examples, textsAmong(compared, among))),
        TE.chainEitherK(({ compared: { scoreOf }, images }) =>
          pipe(
            rankingsOf({ learner, ...inference }, among, images, scoreOf(images), firstOfName(stream.tasks)),
            E.map((rankings) => rankings.map((ranked, i) => answer(images.ids[i], ranked))),
          ),
        ),
      ),
    );
  };

const unit = (features: Features, width: number): HostTensor => ({ shape: [features.count, width], data: ensemble([features], width).data });

/** Uses a learner as its method evaluates it. */
const encoding = <A>({ learner, inference }: Predictor, runtime: Runtime, use: (encode: Encoder) => TE.TaskEither<Failure, A>): TE.TaskEither<Failure, A> =>
  withEncoder(learner, runtime, inference?.through)(use);

/** Features of pictures, and what was read of them. */
export interface Embedded extends HostTensor {
  /** The paths of the pictures, or their numbers. */
  readonly pictures: readonly string[];
}

/** Unit features of pictures: [pictures, width]. Fails as pictures do. */
export const embeddedImages =
  (predictor: Predictor, { examples, decode }: Pictures) =>
  (runtime: Runtime): TE.TaskEither<Failure, Embedded> =>
    encoding(predictor, runtime, (encode) =>
      pipe(
        encode.images({ name, decode }, examples),
        TE.map((images) => ({ ...unit(images, networkOf(predictor.learner.model).width), pictures: images.ids })),
      ),
    );

/** Unit features of texts: [texts, width]. Fails with `ShapeMismatch` where the architecture reads none. */
export const embeddedTexts =
  (predictor: Predictor, texts: readonly string[]) =>
  (runtime: Runtime): TE.TaskEither<Failure, HostTensor> =>
    encoding(predictor, runtime, (encode) =>
      pipe(
        encode.texts(texts),
        TE.map((features) => unit(features, networkOf(predictor.learner.model).width)),
      ),
    );
