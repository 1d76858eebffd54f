/** The worker of the page, here on the files of Node: it asks nothing of a browser but what the library's platform gives. */
import * as assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { suite } from "uvu";
import { get } from "../../mod.ts";
import { furnish } from "../../examples/furnish-web.ts";
import type { Event, Given, Request } from "../../examples/web/protocol.ts";
import { initial, learnedTasks, reduce, type State } from "../../examples/web/state.ts";
import { studying } from "../../examples/web/studying.ts";

const folder = mkdtempSync(join(tmpdir(), "cambium-web-"));
await get(furnish(folder, { classes: 4, tasks: ["animals", "flags"] }));

const training = { steps: 2, batch: 4 };

/** A visit: requests are asked one after the other, and what is shown behind each is given. */
const visit = (kept: string, available = 2 ** 31) => {
  const learner = studying({ from: join(folder, "along"), root: join(folder, kept), available });
  let state: State = initial;
  const events: Event[] = [];
  let ended: () => void = () => undefined;
  let seen: (event: Event) => void = () => undefined;
  learner.listen((event) => {
    state = reduce(state, event);
    events.push(event);
    seen(event);
    if (event.type === "phase" && event.phase === null) ended();
  });
  const ask = (request: Request, watch: (event: Event) => void = () => undefined): Promise<State> => {
    seen = watch;
    const done = new Promise<void>((resolve) => {
      ended = resolve;
    });
    learner.ask(request);
    return done.then(() => state);
  };
  return { ask, events, stop: () => learner.ask({ type: "stop" }) };
};

/** A picture of one colour. */
const picture = async (path: string, background: string): Promise<Given> => ({
  path,
  file: new Blob([
    await sharp({ create: { width: 24, height: 24, channels: 3, background } })
      .png()
      .toBuffer(),
  ]),
});

const page = suite("the page's worker");
const first = visit("kept");

page("opens with the tasks that come along, and says what a training needs", async () => {
  const state = await first.ask({ type: "open" });
  assert.equal(state.failure, undefined);
  assert.equal(state.model, "icon-nano");
  assert.deepEqual(
    state.tasks.map(({ name, own, classNames, train, test }) => [name, own, classNames.length, train > 12, test]),
    [
      ["animals", false, 4, true, 8],
      ["flags", false, 4, true, 8],
    ],
  );
  const { memory, samples } = state.tasks[0];
  assert.ok(memory !== undefined && memory.weights > 6e6 && memory.rest > 1e6 && memory.available === 2 ** 31);
  assert.ok(samples.length === 6 && samples.every((image) => image.startsWith("data:image/")));
});

page("says what it takes pictures for before anything is learned", async () => {
  const { previews, failure } = await first.ask({ type: "preview", task: "along/animals" });
  assert.equal(failure, undefined);
  const { accuracy, shown } = previews["along/animals"];
  assert.ok(accuracy !== null && accuracy > 0 && accuracy < 100);
  assert.equal(shown.length, 8);
  for (const { guesses, label } of shown) {
    assert.equal(guesses.length, 3);
    assert.ok(guesses[0].score >= guesses[1].score && label.length > 0);
  }
});

page("both methods learn, are told of as they go on, and what they have learned is kept", async () => {
  const before = (await first.ask({ type: "preview", task: "along/animals" })).alive;
  const state = await first.ask({ type: "learn", task: "along/animals", training });
  assert.equal(state.failure, undefined);
  assert.equal(state.alive, before);
  for (const method of ["sequential-lora", "codyra"] as const) {
    const { lessons, curves, memory } = state.methods[method];
    assert.deepEqual(Object.keys(lessons[0].row), ["along/animals"]);
    assert.equal(Object.keys(lessons[0].guesses["along/animals"]).length, 8);
    assert.ok(curves[0].losses.length === 2 && curves[0].losses.every((loss) => loss > 0));
    assert.ok(memory !== undefined && memory.rest > 0);
  }
  assert.ok(first.events.some((event) => event.type === "phase" && event.phase?.kind === "learning" && (event.phase.seconds ?? 0) > 0));
  assert.match((await first.ask({ type: "learn", task: "along/animals" })).failure?.sentence ?? "", /have learned animals already/);
});

page("a training that is stopped goes on where it was", async () => {
  const request: Request = { type: "learn", task: "along/flags", training: { steps: 4, batch: 4 } };
  const stopped = await first.ask(request, (event) => {
    if (event.type === "losses") first.stop();
  });
  const { curves, stopped: at, lessons } = stopped.methods["sequential-lora"];
  assert.equal(lessons.length, 1);
  assert.ok(at !== undefined && at.task === "along/flags" && at.step > 0 && at.step < 4);
  assert.equal(curves[1].losses.length, at.step);
  const before = curves[1].losses;
  const state = await first.ask({ type: "learn", task: "along/flags" });
  const after = state.methods["sequential-lora"];
  assert.deepEqual(after.curves[1].losses.slice(0, before.length), before);
  assert.equal(after.curves[1].losses.length, 4);
  assert.deepEqual(Object.keys(after.lessons[1].row), ["along/animals", "along/flags"]);
  assert.equal(state.methods.codyra.lessons.length, 2);
  assert.equal(state.methods.codyra.curves[1].steps, 4, "the other method learns as long");
});

page("a person's own pictures become a task, and what is no picture is left out and told of", async () => {
  const pictures = [
    ...(await Promise.all(["a", "b", "c", "d"].map((name) => picture(`colours/red/${name}.png`, "#d02020")))),
    ...(await Promise.all(["a", "b", "c", "d"].map((name) => picture(`colours/dark_blue/${name}.png`, "#101080")))),
    { path: "colours/red/broken.png", file: new Blob(["no picture"]) },
  ];
  const state = await first.ask({ type: "add", pictures });
  const { task } = { task: state.tasks[2] };
  assert.deepEqual([task.id, task.own, task.classNames, task.train, task.test], ["own/colours", true, ["dark blue", "red"], 6, 2]);
  assert.match(state.note ?? "", /^1 of the files is no picture/);
  const wrong = await first.ask({ type: "add", pictures: pictures.slice(0, 3) });
  assert.match(wrong.failure?.sentence ?? "", /at least two classes/);
  assert.equal(wrong.tasks.length, 3);
  const loose = await first.ask({ type: "add", pictures: [{ path: "a.png", file: pictures[0].file }] });
  assert.match(loose.failure?.sentence ?? "", /one folder of pictures a class/);
});

page("guesses and searches are answered by both methods", async () => {
  const { file } = await picture("x.png", "#00a0ff");
  const state = await first.ask({ type: "guess", picture: file });
  assert.deepEqual(Object.keys(state.guessed?.guesses ?? {}), ["sequential-lora", "codyra"]);
  assert.equal(state.guessed?.guesses.codyra?.length, 5);
  assert.match((await first.ask({ type: "guess", picture: new Blob(["x"]) })).failure?.sentence ?? "", /^This picture cannot be read/);
  const { found } = await first.ask({ type: "search", text: "a flag of Norway" });
  const nearest = found?.pictures["sequential-lora"] ?? [];
  assert.ok(nearest.length === 8 && nearest.every(({ score }, i) => i === 0 || score <= nearest[i - 1].score));
});

page("what was learned is handed out as a zip", async () => {
  for (const [what, name] of [
    ["model", "model.safetensors"],
    ["adapter", "adapter_model.safetensors"],
  ] as const) {
    let file: Blob | undefined;
    await first.ask({ type: "download", method: "codyra", what }, (event) => {
      if (event.type === "file") file = event.file;
    });
    const bytes = Buffer.from(await file!.arrayBuffer());
    assert.equal(bytes.subarray(0, 2).toString(), "PK");
    assert.ok(bytes.includes(`icon-nano-codyra-${what}/${name}`) && bytes.includes("config.json"));
  }
  assert.match((await first.ask({ type: "download", method: "keeplora++", what: "model" })).failure?.sentence ?? "", /has learned nothing yet/);
  assert.match((await first.ask({ type: "choose", rival: "keeplora++" })).failure?.sentence ?? "", /Forget it first/);
});

page("the next visit goes on where the last one was", async () => {
  const state = await visit("kept").ask({ type: "open" });
  assert.equal(state.failure, undefined);
  assert.deepEqual(learnedTasks(state), ["along/animals", "along/flags"]);
  assert.equal(state.tasks.length, 3);
  assert.equal(state.methods.codyra.curves[1].losses.length, 4);
  assert.equal(state.previews["along/flags"].shown.length, 8);
});

page("what cannot be written loses nothing, and what is damaged is told", async () => {
  const study = join(folder, "kept/studies/icon-nano/study.json");
  const text = readFileSync(study, "utf8");
  writeFileSync(study, text.slice(0, 100));
  const { failure } = await visit("kept").ask({ type: "open" });
  assert.match(failure?.sentence ?? "", /study\.json/);
  writeFileSync(study, text);
  assert.deepEqual(learnedTasks(await visit("kept").ask({ type: "open" })), ["along/animals", "along/flags"]);
});

page("a step that does not fit is refused with what would fit, before it begins", async () => {
  const { ask, events } = visit("small", 20 * 2 ** 20);
  await ask({ type: "open" });
  const { failure } = await ask({ type: "learn", task: "along/flags", training: { steps: 2, batch: 64 } });
  assert.match(
    failure?.sentence ?? "",
    /^A step with 64 pictures needs [\d.]+ MiB, and this page should take no more than 20\.0 MiB\. A batch of \d+ fits: it needs [\d.]+ MiB\.$/,
  );
  assert.ok(!events.some(({ type }) => type === "begun"));
  const model = { name: "large", files: [{ path: "large/model.safetensors", file: new Blob([new Uint8Array(6 * 2 ** 20)]) }] };
  assert.match((await ask({ type: "open", model })).failure?.sentence ?? "", /^large has 6\.0 MiB of weights.*a model of 5\.0 MiB fits/);
});

page("what is forgotten is gone", async () => {
  const state = await first.ask({ type: "forget" });
  assert.deepEqual(learnedTasks(state), []);
  assert.equal(state.tasks.length, 2);
  const next = await visit("kept").ask({ type: "open" });
  assert.deepEqual([learnedTasks(next), next.tasks.length], [[], 2]);
  const chosen = await first.ask({ type: "choose", rival: "keeplora++" });
  assert.equal(chosen.rival, "keeplora++");
});

page.after(() => rmSync(folder, { recursive: true }));

page("a folder that is called train is divided as others are, and names that differ in their form alone are one class", async () => {
  const named = await visit("named");
  await named.ask({ type: "open" });
  const pictures: Given[] = [];
  for (const [name, colour] of [
    ["caf\u00e9", "red"],
    ["cafe\u0301", "red"],
    ["tea", "blue"],
    [".hidden", "green"],
  ])
    for (let i = 0; i < 2; i++) pictures.push(await picture(`train/${name}/${i}.png`, colour));
  const { failure, tasks } = await named.ask({ type: "add", pictures });
  assert.equal(failure, undefined);
  assert.deepEqual(tasks.at(-1)?.classNames, ["caf\u00e9", "tea"]);
});

page("what cannot be opened any more can be forgotten", async () => {
  const before = visit("broken");
  await before.ask({ type: "open" });
  await before.ask({ type: "choose", rival: "keeplora++" });
  writeFileSync(join(folder, "broken", "studies", "icon-nano", "study.json"), "{");
  const after = visit("broken");
  assert.match((await after.ask({ type: "open" })).failure?.sentence ?? "", /study\.json/);
  const forgotten = await after.ask({ type: "forget" });
  assert.deepEqual([forgotten.failure, forgotten.model], [undefined, "icon-nano"]);
});

page.run();
