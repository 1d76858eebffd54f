import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { suite } from "uvu";
import * as assert from "uvu/assert";
import { describe, get } from "../../src/failure.ts";
import { checkProtocol } from "../../src/data/checkProtocol.ts";
import type { CheckedProtocol, ProtocolOptions } from "../../src/data/checked.ts";
import { groupNames, mtilNames, xTailNames } from "../../src/data/names/protocols.ts";
import { classProtocols as protocols, taskCount, type ClassProtocol as Protocol } from "../../src/data/protocols.ts";
import { preset } from "../../src/methods/presets.ts";
import type { ClassStream, Split } from "../../src/data/task.ts";
import { left, tar, temporaryFolder, write } from "../fixtures/datasets.ts";

const test = suite("protocols");
const { dir: root, remove } = temporaryFolder("protocols");
test.after(remove);

/** What a folder holds: classes by their number or names, images of each split (their classes in turn), templates. */
interface Folder {
  readonly classes: number | readonly string[];
  readonly train?: number;
  readonly test?: number;
  readonly templates?: readonly string[];
}

const namesOf = ({ classes }: Folder): readonly string[] => (typeof classes === "number" ? Array.from({ length: classes }, (_, c) => `class ${c}`) : classes);

/** A WebDataset folder whose images are never decoded. */
const writeFolder = async (under: string, name: string, folder: Folder): Promise<void> => {
  const names = namesOf(folder);
  const dir = join(root, under, name);
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  write(dir, { "classnames.txt": names.join("\n") });
  if (folder.templates !== undefined) write(dir, { "zeroshot_classification_templates.txt": folder.templates.join("\n") });
  for (const split of ["train", "test"] as const) {
    const count = folder[split];
    if (count === undefined) continue;
    const members = Array.from({ length: count }, (_, i) => [
      [`${split}${i}.jpg`, "pixels"],
      [`${split}${i}.cls`, `${i % names.length}`],
    ]).flat();
    write(join(dir, split), { "nshards.txt": "1", "0.tar": await tar(Object.fromEntries(members) as Record<string, string>) });
  }
};

/** The names of classes with blanks, as CLIP benchmark writes them. */
const written = (names: readonly string[]): readonly string[] => names.map((name) => name.replaceAll(/[/_]/g, " "));

const own = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => `template ${i} of {c}.`);

/** The published names of CLIP benchmark's folders, as they are published or nearly so. */
const published: Readonly<Record<string, Folder>> = {
  wds_fgvc_aircraft: { classes: mtilNames.aircraft.names, train: 3, test: 2 },
  "wds_vtab-caltech101": { classes: ["background", ...mtilNames.caltech101.names], train: 408, test: 102, templates: ["a photo of a {c}.", ...own(33)] },
  "wds_vtab-cifar100": { classes: mtilNames.cifar100.names, train: 4, test: 2, templates: ["a photo of a {c}.", ...own(17)] },
  "wds_vtab-dtd": { classes: mtilNames.dtd.names, train: 3, test: 2, templates: own(7) },
  "wds_vtab-eurosat": { classes: mtilNames.eurosat.names, train: 8, test: 2, templates: own(5) },
  "wds_vtab-flowers": { classes: mtilNames.flowers.alsoKnown[0], train: 1020, test: 2 },
  wds_food101: { classes: mtilNames.food.names, train: 3, test: 2 },
  wds_mnist: { classes: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], train: 3, test: 2 },
  "wds_vtab-pets": { classes: mtilNames.pets.names, train: 3, test: 2 },
  wds_cars: { classes: mtilNames.cars.names, train: 3, test: 2, templates: own(8) },
  wds_sun397: { classes: written(mtilNames.sun397.names), test: 50 },
};

const writeAll = async (under: string, changed: Readonly<Record<string, Folder | undefined>> = {}): Promise<string> => {
  for (const [name, folder] of Object.entries({ ...published, ...changed })) if (folder !== undefined) await writeFolder(under, name, folder);
  return join(root, under);
};

/** A root with all of MTIL. */
const whole = join(root, "whole");
test.before(async () => void (await writeAll("whole")));

const check = async (protocol: Protocol, dir: string, options: Partial<ProtocolOptions> = {}): Promise<CheckedProtocol<ClassStream>> =>
  await get(checkProtocol(protocol, dir, { seed: 0, ...options }));

const complaint = async (protocol: Protocol, dir: string, options: Partial<ProtocolOptions> = {}): Promise<string> =>
  describe(left(await checkProtocol(protocol, dir, { seed: 0, ...options })()));

const ids = async (split: Split): Promise<readonly string[]> => (await get(split)).map((s) => s.id);
const count = async (split: Split): Promise<number> => (await ids(split)).length;

const classes = ({ datasets }: Protocol): number => datasets.reduce((n, d) => n + d.classes, 0);
const order = ({ datasets }: Protocol): readonly string[] => datasets.map((d) => d.name);

test("orders, class counts, label spaces and shots are those of METHODS.md E", () => {
  assert.is(classes(protocols["mtil-1"]), 1201);
  assert.is(classes(protocols["mtil-2"]), 1201);
  assert.is(classes(protocols["x-tail"]), 1100);
  assert.equal(order(protocols["mtil-1"]), ["aircraft", "caltech101", "cifar100", "dtd", "eurosat", "flowers", "food", "mnist", "pets", "cars", "sun397"]);
  assert.equal(order(protocols["mtil-2"]), ["cars", "food", "mnist", "pets", "flowers", "sun397", "aircraft", "caltech101", "dtd", "eurosat", "cifar100"]);
  assert.equal(
    order(protocols["x-tail"]),
    order(protocols["mtil-1"]).filter((name) => name !== "cifar100"),
  );
  assert.equal(order(protocols["mtil-1-5shot"]), order(protocols["mtil-1"]));
  assert.equal(order(protocols["mtil-2-5shot"]), order(protocols["mtil-2"]));
  assert.equal(
    Object.values(protocols).map((p: Protocol) => [p.name, p.labelSpace, p.shots, taskCount(p), classes(p) / taskCount(p)]),
    [
      ["mtil-1", "task", undefined, 11, 1201 / 11],
      ["mtil-2", "task", undefined, 11, 1201 / 11],
      ["mtil-1-5shot", "task", 5, 11, 1201 / 11],
      ["mtil-2-5shot", "task", 5, 11, 1201 / 11],
      ["x-tail", "union", 16, 10, 110],
      ["cifar100-10", "seen", undefined, 10, 10],
      ["imagenet-r-5", "seen", undefined, 5, 40],
      ["imagenet-r-10", "seen", undefined, 10, 20],
      ["imagenet-r-20", "seen", undefined, 20, 10],
      ["domainnet-5", "seen", undefined, 5, 69],
      ["core50-9", "seen", undefined, 9, 50 / 9],
    ],
  );
  for (const [name, protocol] of Object.entries(protocols)) assert.is(protocol.name, name);
});

test("a complete root gives the tasks in order, under the protocol's names and with its templates", async () => {
  const { stream, notes } = await check(protocols["mtil-1"], whole);
  assert.is(stream.labelSpace, "task");
  assert.equal(
    stream.tasks.map((t) => t.name),
    order(protocols["mtil-1"]),
  );
  assert.is(
    stream.tasks.reduce((n, t) => n + t.classNames.length, 0),
    1201,
  );
  assert.equal(
    stream.tasks.map((t) => t.templates[0]),
    [
      "a photo of a {c}, a type of aircraft.",
      "a photo of a {c}.",
      "a photo of a {c}.",
      "a photo of a {c} texture.",
      "a centered satellite photo of {c}.",
      "a photo of a {c}, a type of flower.",
      "a photo of a {c}, a type of food.",
      'a photo of the number: "{c}".',
      "a photo of a {c}, a type of pet.",
      "a photo of a {c}, a type of car.",
      "a photo of a {c}.",
    ],
  );
  assert.equal(
    stream.tasks.map((t) => t.templates.length),
    [2, 34, 18, 8, 3, 1, 1, 1, 1, 9, 2],
  );
  assert.equal(notes, [
    "caltech101: left out background",
    "cifar100: wds_vtab-cifar100 has 4 training images, the protocol 50000",
    "pets: wds_vtab-pets has 3 training images, the protocol 3680",
    "sun397: 0 % of wds_sun397 are for training and the protocol draws 80 %; both splits are drawn anew",
  ]);
  const two = await check(protocols["mtil-2"], whole);
  assert.equal(
    two.stream.tasks.map((t) => t.name),
    order(protocols["mtil-2"]),
  );
});

test("a class that the protocol leaves out takes its images along", async () => {
  const { stream } = await check(protocols["mtil-1"], whole);
  const caltech = stream.tasks[1];
  assert.is(caltech.classNames.length, 101);
  assert.not.ok(caltech.classNames.includes("background"));
  // 408 and 102 images of 102 classes in turn: background had 4 and 1.
  assert.is(await count(caltech.train), 404);
  assert.equal(
    (await get(caltech.test)).map((s) => s.label),
    Array.from({ length: 101 }, (_, c) => c),
  );
});

test("KeepLoRA's templates come first where they are others", async () => {
  const { stream, notes } = await check(protocols["mtil-1"], whole, { firstTemplate: "keeplora" });
  const first = Object.fromEntries(stream.tasks.map((t) => [t.name, t.templates.slice(0, 2)]));
  assert.equal(first.dtd, ["a photo of a {c} thing.", "a photo of a {c} texture."]);
  assert.equal(first.cars, ["a photo of the {c}, a type of car.", "a photo of a {c}, a type of car."]);
  assert.equal(first.sun397, ["a photo of the {c}.", "a photo of a {c}."]);
  assert.is(first.caltech101[0], "a photo of a {c}.");
  assert.not.match(notes.join(), /templates/);
});

test("X-TAIL has templates of its own and one class of faces", async () => {
  const dir = await writeAll("x-tail", {
    "wds_vtab-caltech101": { classes: ["Background", "Centered face", ...xTailNames.caltech101.names], train: 204, test: 102, templates: own(34) },
    wds_sun397: { classes: written(mtilNames.sun397.names), train: 400, test: 5 },
  });
  const { stream, notes } = await check(protocols["x-tail"], dir);
  assert.is(stream.labelSpace, "union");
  assert.equal(
    stream.tasks.map((t) => t.classNames.length),
    [100, 100, 47, 10, 102, 101, 10, 37, 196, 397],
  );
  assert.equal(
    stream.tasks.map((t) => t.templates),
    [
      ["a photo of a {c}, a type of aircraft."],
      ["a photo of a {c}."],
      ["{c} texture."],
      ["a centered satellite photo of {c}."],
      ["a photo of a {c}, a type of flower."],
      ["a photo of {c}, a type of food."],
      ['a photo of the number: "{c}".'],
      ["a photo of a {c}, a type of pet."],
      ["a photo of a {c}."],
      ["a photo of a {c}."],
    ],
  );
  assert.equal(notes, ["caltech101: left out Background, Centered face"]);
  const faces = await writeAll("faces", { "wds_vtab-caltech101": { classes: ["background", ...namesOf({ classes: 101 })], train: 204, test: 102 } });
  assert.match(await complaint(protocols["x-tail"], faces), /caltech101: .* has 101 classes, not 100; \(2\) sun397: wds_sun397 has no training split$/);
});

test("shots are drawn a class, and test splits stay whole", async () => {
  const dir = await writeAll("few", { wds_mnist: { classes: 10, train: 90, test: 40 }, "wds_vtab-flowers": { classes: 102, train: 1020, test: 200 } });
  const { stream } = await check(protocols["mtil-1-5shot"], dir);
  const [flowers, mnist] = [stream.tasks[5], stream.tasks[7]];
  assert.is(await count(flowers.train), 510);
  assert.is(await count(flowers.test), 200);
  assert.is(await count(mnist.train), 50);
  assert.is(await count(mnist.test), 40);
  const again = async (seed: number): Promise<readonly string[]> => ids((await check(protocols["mtil-1-5shot"], dir, { seed })).stream.tasks[7].train);
  assert.equal(await again(0), await ids(mnist.train));
  assert.not.equal(await again(1), await ids(mnist.train));
});

test("a split that the protocol draws is drawn from all images, the same in every run, where the folder's share is another", async () => {
  const dir = await writeAll("drawn", {
    "wds_vtab-eurosat": { classes: 10, train: 60, test: 40 },
    wds_sun397: { classes: 397, train: 161, test: 39 },
    wds_mnist: { classes: 10, train: 60, test: 40 },
  });
  const { stream, notes } = await check(protocols["mtil-1"], dir);
  const [eurosat, mnist, sun] = [stream.tasks[4], stream.tasks[7], stream.tasks[10]];
  const [train, tested] = [await ids(eurosat.train), await ids(eurosat.test)];
  assert.is(train.length, 80);
  assert.is(new Set([...train, ...tested]).size, 100);
  assert.equal(await ids((await check(protocols["mtil-2"], dir, { seed: 9 })).stream.tasks[9].train), train);
  assert.is(await count(mnist.train), 60);
  assert.is(await count(sun.train), 161, "near enough");
  assert.equal(
    notes.filter((note) => note.includes("drawn anew")).map((note) => note.split(":")[0]),
    ["eurosat"],
  );
});

test("everything that is missing or wrong is named at once", async () => {
  const dir = await writeAll("gaps", {
    "wds_vtab-caltech101": undefined,
    "wds_vtab-dtd": { classes: 10, train: 3, test: 2 },
    wds_food101: { classes: 101, train: 3 },
    wds_mnist: { classes: 10, test: 2 },
    "wds_vtab-pets": { classes: 36, train: 3, test: 0 },
    wds_sun397: { classes: 397 },
  });
  write(join(dir, "wds_cars", "train"), { "nshards.txt": "two" });
  write(join(dir, "wds_fgvc_aircraft"), { "classnames.txt": "" });
  assert.is(
    await complaint(protocols["mtil-1"], dir),
    [
      `Cannot read ${dir}: it is not all that mtil-1 needs: (1) aircraft: ${join(dir, "wds_fgvc_aircraft", "classnames.txt")} is damaged: it names no class`,
      "(2) caltech101: there is no folder caltech101 or wds_caltech101 or vtab-caltech101 or wds_vtab-caltech101",
      "(3) dtd: wds_vtab-dtd has 10 classes, not 47",
      "(4) food: wds_food101 has no test split",
      "(5) mnist: wds_mnist has no training split",
      "(6) pets: wds_vtab-pets has 36 classes, not 37",
      "(7) pets: wds_vtab-pets has no test split",
      `(8) cars: ${join(dir, "wds_cars", "train", "nshards.txt")} is damaged: "two" is not a number of shards`,
      `(9) sun397: Cannot read ${join(dir, "wds_sun397")}: it is no dataset: wanted classnames.txt and {train,test}/0.tar (WebDataset), ` +
        "{train,test}/CLASS/*.jpg (ImageFolder), Parquet files, or {train,test}.jsonl with prompts and answers",
    ].join("; "),
  );
  assert.match(await complaint(protocols["mtil-1"], dir, { training: false }), /food: wds_food101 has no test split; \(5\) pets/);
});

test("one gap is told without a number, and so is a root that is not there", async () => {
  assert.match(await complaint(protocols["domainnet-5"], whole), /needs: domainnet: there is no folder domainnet or wds_domainnet$/);
  assert.match(await complaint(protocols["mtil-1"], join(root, "nowhere")), /^Cannot read .*nowhere: no such file/);
});

test("the ensemble is the protocol's, whatever the folder has", async () => {
  const dir = await writeAll("templates", { "wds_vtab-dtd": { classes: mtilNames.dtd.names, train: 3, test: 2, templates: own(2) } });
  const { stream, notes } = await check(protocols["mtil-1"], dir);
  assert.equal(stream.tasks[3].templates.slice(0, 3), ["a photo of a {c} texture.", "a photo of a {c} pattern.", "a photo of a {c} thing."]);
  assert.is(stream.tasks[3].templates.length, 8);
  assert.not.match(notes.join(), /template/);
});

test("classes are called as the protocol calls them, in the order of the folder", async () => {
  const { stream } = await check(protocols["mtil-1"], whole);
  const named = Object.fromEntries(stream.tasks.map((t) => [t.name, t.classNames]));
  assert.equal(named.mnist.slice(0, 2), ["0 - zero", "1 - one"]);
  assert.is(named.sun397[8], "apartment building outdoor");
  assert.equal(
    [named.flowers[15], named.flowers[59], named.flowers[mtilNames.flowers.alsoKnown[0].indexOf("air plant")]],
    ["globe-flower", "pink-yellow dahlia", "ball moss"],
  );
  const slashed = ["apartment building/outdoor", "apse/indoor"];
  const inSun = mtilNames.sun397.names.map((name) => slashed.find((other) => other.replace("/", " ") === name) ?? name);
  const other = (await check(protocols["mtil-1"], await writeAll("slashed", { wds_sun397: { classes: inSun, test: 50 } }))).stream.tasks;
  assert.equal(other.find(({ name }) => name === "sun397")?.classNames, mtilNames.sun397.names, "a folder may have torchvision's slashes");
  const dir = await writeAll("named", {
    wds_mnist: { classes: ["1 - one", "0 - zero", ..."98765432"], train: 3, test: 2 },
    "wds_vtab-caltech101": { classes: xTailNames.caltech101.alsoKnown[0], train: 404, test: 101 },
    "wds_vtab-eurosat": { classes: ["SeaLake", "River", ...mtilNames.eurosat.alsoKnown[0].slice(0, 8)], train: 8, test: 2 },
    "wds_vtab-pets": { classes: xTailNames.pets.names, train: 3, test: 2 },
    wds_sun397: { classes: written(mtilNames.sun397.names), train: 400, test: 5 },
  });
  const xTail = (await check(protocols["x-tail"], dir)).stream.tasks;
  const prompts = (task: number, c: number): string => xTail[task].templates[0].replace("{c}", xTail[task].classNames[c]);
  assert.equal(
    [prompts(1, 0), prompts(3, 0), prompts(7, 1), prompts(8, 0), prompts(9, 8)],
    [
      "a photo of a face.",
      "a centered satellite photo of Sea or Lake satellite location.",
      "a photo of a american_bulldog, a type of pet.",
      "a photo of a 2000 AM General Hummer SUV.",
      "a photo of a outdoor apartment_building.",
    ],
  );
});

test("where the classes of a folder are not those of the protocol, it is said, and they keep their names", async () => {
  const ten = ["1 - one", "0 - zero", ..."98765432"];
  const dir = await writeAll("unnamed", { wds_mnist: { classes: ten, train: 3, test: 2 }, "wds_vtab-dtd": { classes: 47, train: 3, test: 2 } });
  const { stream, notes } = await check(protocols["mtil-1"], dir);
  assert.equal(stream.tasks[7].classNames, ten);
  assert.is(stream.tasks[3].classNames[46], "class 46");
  assert.equal(
    notes.filter((note) => note.includes("called as they are")),
    [
      "dtd: wds_vtab-dtd has classes that the protocol does not know (class 0, class 1, class 2, class 3, class 4 and 42 more), so all are called as they are " +
        "there, and not as in the protocol",
      "mnist: wds_mnist has classes that the protocol does not know (1 - one, 0 - zero), so all are called as they are there, and not as in the protocol",
    ],
  );
});

test("there are as many names as classes, each once in every list, and the lists of a dataset are as long", () => {
  for (const { datasets } of Object.values(protocols) as readonly Protocol[])
    for (const { name, names, classes, templates } of datasets) {
      assert.is(names?.names.length, classes, name);
      for (const template of templates?.stated ?? []) assert.ok(template.includes("{c}"), template);
    }
  const key = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  for (const lists of [mtilNames, xTailNames, groupNames])
    for (const [dataset, { names, alsoKnown }] of Object.entries(lists))
      for (const list of [names, ...alsoKnown]) {
        assert.is(list.length, names.length, dataset);
        assert.is(new Set(list.map(key)).size, names.length, `${dataset}: two of its names differ in signs alone`);
        assert.ok(
          list.every((name) => name !== "" && name === name.trim() && !/[|\n]/.test(name)),
          dataset,
        );
      }
  assert.equal(
    Object.entries(protocols["mtil-1"].datasets).map(([, d]) => (d as Protocol["datasets"][number]).templates?.stated.length),
    [2, 34, 18, 8, 3, 1, 1, 1, 1, 9, 2],
  );
  assert.equal([groupNames.core50.names[9], groupNames.core50.names.length], ["mobile phone5", 50]);
});

test("a class of X-TAIL with fewer images than shots gives some of them several times", async () => {
  const dir = await writeAll("repeats", {
    wds_mnist: { classes: mtilNames.mnist.names, train: 205, test: 2 },
    "wds_vtab-caltech101": { classes: ["Background", "Centered face", ...xTailNames.caltech101.names], train: 204, test: 102 },
    wds_sun397: { classes: written(mtilNames.sun397.names), train: 400, test: 5 },
  });
  const { stream } = await check(protocols["x-tail"], dir);
  const [caltech, mnist] = [stream.tasks[1], stream.tasks[6]];
  assert.is(await count(caltech.train), 1600);
  const few = await get(caltech.train);
  assert.is(new Set(few.filter(({ label }) => label === 3).map(({ id }) => id)).size, 2);
  assert.is(await count(mnist.train), 160);
  assert.is(new Set(await ids(mnist.train)).size, 160, "no image twice where there are enough");
  assert.equal(await ids((await check(protocols["x-tail"], dir)).stream.tasks[1].train), await ids(caltech.train));
});

test("short names come before published ones", async () => {
  const dir = await writeAll("short", { dtd: { classes: 47, train: 5, test: 2 }, oxford_pets: { classes: 3, train: 3, test: 2 } });
  const { stream } = await check(protocols["mtil-1"], dir);
  assert.is(await count(stream.tasks[3].train), 5);
  assert.is(stream.tasks[8].classNames.length, 37);
});

test("class-incremental protocols split the classes of one dataset", async () => {
  const dir = await writeAll("incremental", {
    "wds_imagenet-r": { classes: 200, test: 1000, templates: own(3) },
    domainnet: { classes: 345, train: 690, test: 345 },
    core50: { classes: 50, train: 100, test: 50 },
  });
  const { stream } = await check(protocols["imagenet-r-10"], dir, { seed: 4 });
  assert.is(stream.labelSpace, "seen");
  assert.equal(
    stream.tasks.map((t) => [t.name, t.classNames.length]),
    Array.from({ length: 10 }, (_, i) => [`imagenet-r-${i + 1}`, 20]),
  );
  assert.equal(stream.tasks[0].templates, own(3));
  const sizes = async (of: (t: (typeof stream.tasks)[number]) => Split): Promise<number> => {
    const counts = await Promise.all(stream.tasks.map((t) => count(of(t))));
    return counts.reduce((a, b) => a + b, 0);
  };
  assert.is(await sizes((t) => t.train), 800);
  assert.is(await sizes((t) => t.test), 200);
  const names = (p: CheckedProtocol<ClassStream>): readonly string[] => p.stream.tasks.flatMap((t) => t.classNames);
  assert.equal(
    names(await check(protocols["imagenet-r-20"], dir, { seed: 4 })),
    stream.tasks.flatMap((t) => t.classNames),
  );
  assert.not.equal(
    names(await check(protocols["imagenet-r-10"], dir, { seed: 5 })),
    stream.tasks.flatMap((t) => t.classNames),
  );
  const domains = await check(protocols["domainnet-5"], dir);
  assert.equal(await Promise.all(domains.stream.tasks.map((t) => count(t.train))), [138, 138, 138, 138, 138]);
  assert.equal((await check(protocols["cifar100-10"], dir)).stream.tasks[9].templates.length, 18);
  const objects = await check(protocols["core50-9"], dir, { classOrder: "natural" });
  assert.equal(
    objects.stream.tasks.map((t) => t.classNames.length),
    [10, 5, 5, 5, 5, 5, 5, 5, 5],
  );
  assert.equal(
    objects.stream.tasks.flatMap((t) => t.classNames),
    (await check({ ...protocols["core50-9"], groups: 1 }, dir, { classOrder: "natural" })).stream.tasks[0].classNames,
  );
  assert.not.equal((await check(protocols["core50-9"], dir, { seed: 1 })).stream.tasks[0].classNames, objects.stream.tasks[0].classNames);
});

test("classes go into groups in the natural order of the protocol's labels, and not in that of folders", async () => {
  const sorted = (names: readonly string[]): readonly string[] => [...names].sort();
  const drawn = groupNames.domainnet.names.map((name) => name.replaceAll(" ", "_"));
  const dir = await writeAll("labels", {
    domainnet: { classes: sorted(drawn), train: 345, test: 345 },
    core50: { classes: sorted(groupNames.core50.alsoKnown[0]), train: 50, test: 50 },
  });
  assert.is(sorted(drawn)[0], "The_Eiffel_Tower");
  const { classOrder } = preset(protocols["domainnet-5"], "inflora");
  const { tasks } = (await check(protocols["domainnet-5"], dir, { classOrder })).stream;
  assert.equal(
    tasks.map(({ classNames }) => [classNames[0], classNames[68]]),
    [
      ["aircraft carrier", "chair"],
      ["chandelier", "hand"],
      ["harp", "paint can"],
      ["palm tree", "speedboat"],
      ["spider", "zigzag"],
    ],
  );
  // DomainNet's own numbers, from 0.
  const labels = tasks.flatMap(({ classNames }) => classNames);
  assert.equal(
    ["tent", "The Great Wall of China", "t-shirt", "vase"].map((name) => labels.indexOf(name)),
    [307, 309, 327, 331],
  );
  // Every class has taken its images along: the folder's image i is of its class i.
  const first = await get(tasks[1].train);
  assert.equal(
    first.map(({ id, label }) => drawn.indexOf(sorted(drawn)[Number(/train(\d+)/.exec(id)?.[1])]) - 69 - label),
    first.map(() => 0),
  );
  const objects = (await check(protocols["core50-9"], dir, { classOrder: "natural" })).stream.tasks;
  assert.equal(
    objects.flatMap(({ classNames }) => classNames),
    groupNames.core50.names,
  );
  const strange = await writeAll("strange", { core50: { classes: 50, train: 50, test: 50 } });
  assert.is((await check(protocols["core50-9"], strange, { classOrder: "natural" })).stream.tasks[1].classNames[0], "class 10", "the folder's own order");
});

const photos = "../shared/data/photo-stream";
(existsSync(photos) ? test : test.skip)("nine other domains are no MTIL, and the answer says what they lack", async () => {
  const told = await complaint(protocols["mtil-1"], photos);
  assert.match(told, /\(1\) aircraft: there is no folder aircraft or wds_aircraft or fgvc_aircraft or wds_fgvc_aircraft; \(2\) cifar100/);
  assert.match(told, /dtd: there is no folder/);
  assert.not.match(told, /caltech101|mnist|cars:/);
});

test("docs/DATASETS.md has every dataset with its folders and the name that it is published under, and every protocol", () => {
  const page = readFileSync("docs/DATASETS.md", "utf8");
  for (const { name, datasets } of Object.values(protocols) as readonly Protocol[]) {
    assert.ok(page.includes(`\`${name}\``), name);
    for (const { folders, published } of datasets) {
      const row = page.split("\n").find((line) => line.includes(`| ${folders.map((folder) => `\`${folder}\``).join(", ")} |`)) ?? "";
      assert.ok(row.includes(published === undefined ? "not published" : `\`${published}\``), folders.join());
    }
  }
});

test.run();
