/** Asking what both methods have learned: what a picture shows, and which pictures fit a text. */
import * as E from "fp-ts/lib/Either.js";
import { classify, data, embedImages, embedTexts, get, type Learner } from "../../mod.ts";
import { thumbnail } from "./pictures.ts";
import type { Found, Guess, MethodName } from "./protocol.ts";
import { learnerOf, methodsOf, phase, type Signal, type Study } from "./study.ts";

/** What both methods give, by name. */
const byMethod = async <A>(study: Study, of: (learner: Learner, name: MethodName) => Promise<A>): Promise<Readonly<Partial<Record<MethodName, A>>>> => {
  const [one, other] = methodsOf(study);
  return { [one]: await of(learnerOf(study, one), one), [other]: await of(learnerOf(study, other), other) };
};

/** The names of the classes that were learned; those of all tasks while nothing is. */
const labelsOf = ({ tasks, kept }: Study): readonly string[] => {
  const learned = new Set(Object.values(kept.methods).flatMap(({ lessons }) => lessons.map(({ task }) => task)));
  const asked = learned.size === 0 ? tasks : tasks.filter(({ task }) => learned.has(task.id));
  return [...new Set(asked.flatMap(({ task }) => task.classNames))];
};

/** So many classes are told of. */
const top = 5;

/** What both methods take a picture for. Throws where it is none that can be read. */
export const guess = async (study: Study, picture: Blob, signal: Signal): Promise<void> => {
  phase(study, { kind: "scoring", what: "Both methods look at the picture" });
  const decoded = await data.decodeImage(new Uint8Array(await picture.arrayBuffer()))();
  if (E.isLeft(decoded)) throw new Error(`This picture cannot be read: ${decoded.left}.`);
  const labels = labelsOf(study);
  const options = { device: study.device, template: study.template, top, signal };
  const guesses = await byMethod(study, async (learner): Promise<readonly Guess[]> => {
    const [answer] = await get(classify(learner, decoded.right, labels, options));
    return answer.labels;
  });
  study.tell({ type: "guessed", image: await thumbnail(decoded.right), guesses });
};

/** A picture of a task, as a search finds it. */
interface Searched extends Omit<Found, "score"> {
  readonly pixels: data.Image;
}

/** So many pictures are searched, of all tasks alike, and so many are found. */
const [searched, found] = [240, 8];

/** The pictures that are searched: of every task the first ones of its tests, then of its training. */
const picturesOf = async ({ tasks }: Study): Promise<readonly Searched[]> => {
  const each = Math.max(1, Math.floor(searched / Math.max(1, tasks.length)));
  const all: Searched[] = [];
  for (const { task, data: own } of tasks) {
    for (const example of [...(await get(own.test)), ...(await get(own.train))].slice(0, each)) {
      const pixels = await data.decoderOf(own)(example)();
      if (E.isRight(pixels)) all.push({ task: task.id, label: own.classNames[example.label], image: "", pixels: pixels.right });
    }
  }
  return all;
};

/** The pictures that are nearest to a text. Throws where a device fails. */
export const search = async (study: Study, text: string, signal: Signal): Promise<void> => {
  if (text.trim() === "") throw new Error("Write what the pictures should show.");
  const pictures = await picturesOf(study);
  phase(study, { kind: "searching", what: `Both methods look at ${pictures.length} pictures`, seconds: 2 * pictures.length * study.pace.picture });
  const options = { device: study.device, signal };
  const [pixels, asked] = [pictures.map((picture) => picture.pixels), study.template.replace("{c}", () => text.trim())];
  const nearest = await byMethod(study, async (learner): Promise<readonly Found[]> => {
    const images = await get(embedImages(learner, pixels, options));
    const words = await get(embedTexts(learner, asked, options));
    const [, width] = images.shape;
    const scores = pictures.map((_, i) => words.data.reduce((sum, x, k) => sum + x * images.data[i * width + k], 0));
    const best = [...scores.keys()].sort((a, b) => scores[b] - scores[a]).slice(0, found);
    return Promise.all(
      best.map(async (i) => {
        const { pixels: image, task, label } = pictures[i];
        return { task, label, image: await thumbnail(image), score: scores[i] };
      }),
    );
  });
  study.tell({ type: "found", text, pictures: nearest });
};
