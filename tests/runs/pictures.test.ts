/** The pictures of a page: read from the stream, small, and left out where they cannot be read. */
import * as TE from "fp-ts/lib/TaskEither.js";
import { test } from "uvu";
import * as assert from "uvu/assert";
import type { Example } from "../../src/data/example.ts";
import type { ClassTask } from "../../src/data/task.ts";
import { galleryPictures } from "../../src/runs/pictures.ts";
import { memoryPlatform } from "../fixtures/memoryPlatform.ts";
import { answered } from "../page/reports.ts";

const example = (id: string): Example => ({ id, label: 0, image: { kind: "pixels", image: { width: 2, height: 2, data: new Uint8Array(12).fill(9) } } });
const task = (name: string, more: Partial<ClassTask> = {}): ClassTask => ({
  ...{ name, classNames: ["cat", "dog", "cow"], templates: ["{c}"], train: TE.right([]) },
  test: TE.right(["a0", "a1", "a2", "a3"].map(example)),
  ...more,
});

const memory = memoryPlatform();
const read = async (...tasks: readonly ClassTask[]) => galleryPictures({ tasks }, [answered()], memory)();

test("a page gets the pictures that it shows and no others, as data", async () => {
  const pictures = await read(task("animals"), task("trees"));
  assert.equal([...pictures.keys()], ["animals/a0", "animals/a1"]);
  for (const uri of pictures.values()) assert.match(uri, /^data:image\/x-stub;base64,[A-Za-z0-9+/=]+$/);
});

test("what cannot be read is left out: a damaged picture, a decoder that throws, a split that fails, a task that is not there", async () => {
  const failure = { _tag: "CorruptSample", path: "memory", member: "a0", detail: "it is cut" } as const;
  const decode: ClassTask["decode"] = ({ id, image }) => {
    if (id === "a0") return TE.left(failure);
    return image.kind === "pixels" ? TE.right(image.image) : TE.left(failure);
  };
  assert.equal([...(await read(task("animals", { decode }))).keys()], ["animals/a1"]);
  const throws = (): never => {
    throw new Error("it is broken");
  };
  assert.is((await read(task("animals", { decode: throws }))).size, 0);
  assert.is((await read(task("animals", { decode: () => () => Promise.reject(new Error("later")) }))).size, 0);
  assert.is((await read(task("animals", { test: TE.left(failure) }))).size, 0);
  assert.is((await read(task("animals", { test: throws }))).size, 0);
  assert.is((await read()).size, 0);
});

test.run();
