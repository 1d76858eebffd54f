/** Answers the requests of a page, one after the other. A request that fails is told of in a sentence; what was learned before it stays. */
import { guess, search } from "./asking.ts";
import { learn } from "./learning.ts";
import { look } from "./looking.ts";
import { pack } from "./packing.ts";
import type { Event, Learner, Request } from "./protocol.ts";
import { get, platform } from "../../mod.ts";
import { foldersIn, forget, forgetKept, keep, mended, openStudy, sentenceOf, withMemory, type Place, type Study } from "./study.ts";
import { addTask, openTask } from "./tasks.ts";

/** What requests work on: a study, once it is open, and whether the one that is under way should stop. */
interface Desk {
  readonly place: Place;
  readonly tell: (event: Event) => void;
  study?: Study;
  stopping: { aborted: boolean };
}

/** The share of a person's pictures that is held out for tests, where nothing is said. */
const heldOut = 0.25;

const add = async (study: Study, { pictures, name, held = heldOut }: Extract<Request, { readonly type: "add" }>): Promise<void> => {
  const { own } = foldersIn(study.place);
  study.tell({ type: "phase", phase: { kind: "reading", what: "Reading your pictures" } });
  const added = await addTask(own, pictures, name, held, study.template);
  const folder = `${own}/${added.name}`;
  const task = await openTask(folder, `own/${added.name}`, true).catch(async (error: unknown) => {
    // What cannot be read would be left out at every visit.
    await get(platform.files.remove(folder));
    throw error;
  });
  const opened = withMemory(study, task);
  study.tasks = [...study.tasks, opened];
  study.tell({ type: "task", task: opened.task });
  if (added.note !== undefined) study.tell({ type: "note", sentence: added.note });
};

const choose = async (study: Study, { rival }: Extract<Request, { readonly type: "choose" }>): Promise<void> => {
  if (rival !== study.kept.rival && Object.keys(study.kept.methods).length > 0)
    throw new Error("Something is learned already, and both methods must learn the same. Forget it first to compare other methods.");
  await keep(study, { ...study.kept, rival });
  study.tell({ type: "chosen", rival });
};

const open = async (desk: Desk, request: Extract<Request, { readonly type: "open" }>): Promise<void> => {
  const before = desk.study;
  desk.study = undefined;
  await before?.device.close();
  desk.study = await openStudy(desk.place, desk.tell, request);
};

const perform = async (desk: Desk, request: Request): Promise<void> => {
  if (request.type === "open") return open(desk, request);
  const { study, stopping } = desk;
  if (study === undefined && request.type === "forget") {
    // What was kept may be what cannot be opened.
    await forgetKept(desk.place);
    desk.tell({ type: "forgotten" });
    return open(desk, { type: "open" });
  }
  if (study === undefined) throw new Error("Nothing is open yet.");
  await mended(study);
  switch (request.type) {
    case "choose":
      return choose(study, request);
    case "add":
      return add(study, request);
    case "preview":
      await look(study, request.task, stopping);
      return;
    case "learn":
      return learn(study, request, stopping);
    case "guess":
      return guess(study, request.picture, stopping);
    case "search":
      return search(study, request.text, stopping);
    case "download":
      return pack(study, request.method, request.what);
    case "forget":
      return forget(study);
    case "stop":
      return;
  }
};

/** A learner whose study is at a place. */
export const studying = (place: Place): Learner => {
  let listener: (event: Event) => void = () => undefined;
  const desk: Desk = { place, tell: (event) => listener(event), stopping: { aborted: false } };
  let last: Promise<void> = Promise.resolve();
  return {
    ask: (request) => {
      if (request.type === "stop") {
        desk.stopping.aborted = true;
        return;
      }
      last = last.then(async () => {
        desk.stopping = { aborted: false };
        try {
          await perform(desk, request);
        } catch (error) {
          desk.tell({ type: "failed", request: request.type, sentence: sentenceOf(error) });
        }
        if (desk.study !== undefined) desk.tell({ type: "alive", bytes: desk.study.device.ledger().liveBytes });
        desk.tell({ type: "phase", phase: null });
      });
    },
    listen: (to) => {
      listener = to;
    },
  };
};
