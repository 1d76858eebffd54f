/** Tasks of the icon stream as folders in the WebDataset layout, with their drawings as PNG files: what a page of a browser reads, which has no packages. */
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import { pack } from "tar-stream";
import sharp from "sharp";
import { classNamesOf, type ClassTask } from "../../src/data/task.ts";
import { decoderOf } from "../../src/data/decode.ts";
import type { Example, Image } from "../../src/data/example.ts";
import type { Failure } from "../../src/failure.ts";
import { join } from "../../src/formats/path.ts";
import { platform } from "../../src/platform/default.ts";
import { ordinals } from "../ordinals.ts";

/** A file of a folder: its name there, and its bytes. */
export interface PackedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** A picture as a PNG file. */
const png = ({ width, height, data }: Image): Promise<Uint8Array> =>
  sharp(data, { raw: { width, height, channels: 3 } })
    .png({ compressionLevel: 9, palette: true })
    .toBuffer();

/** The first so many examples of every class. */
const fewest = (examples: readonly Example[], most: number): readonly Example[] => {
  const nth = ordinals(examples.map(({ label }) => label));
  return examples.filter((_, i) => nth[i] < most);
};

/** A shard of examples: for each a picture and the number of its class. */
const shard = async (pictures: readonly { readonly label: number; readonly bytes: Uint8Array }[]): Promise<Uint8Array> => {
  const archive = pack();
  // The time is that of no day, so that equal drawings give equal bytes.
  const mtime = new Date(0);
  pictures.forEach(({ label, bytes }, i) => {
    const key = `${i}`.padStart(4, "0");
    archive.entry({ name: `${key}.png`, mtime }, Buffer.from(bytes));
    archive.entry({ name: `${key}.cls`, mtime }, `${label}`);
  });
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return Buffer.concat(chunks);
};

/** How many drawings of every class are packed for each split. */
export interface Packing {
  readonly train: number;
  readonly test: number;
}

/** The files of a task's folder. Fails where a drawing cannot be rendered. */
export const packed = (task: ClassTask, most: Packing): TE.TaskEither<Failure, readonly PackedFile[]> => {
  const text = (name: string, lines: readonly string[]): PackedFile => ({ name, bytes: new TextEncoder().encode(`${lines.join("\n")}\n`) });
  const split = (name: keyof Packing): TE.TaskEither<Failure, PackedFile> =>
    pipe(
      task[name],
      TE.map((examples) => fewest(examples, most[name])),
      TE.chain(
        TE.traverseSeqArray((example) =>
          pipe(
            decoderOf(task)(example),
            TE.chainTaskK((image) => async () => ({ label: example.label, bytes: await png(image) })),
          ),
        ),
      ),
      TE.chainTaskK((pictures) => async () => ({ name: `${name}/0.tar`, bytes: await shard(pictures) })),
    );
  return pipe(
    TE.Do,
    TE.bind("train", () => split("train")),
    TE.bind("test", () => split("test")),
    TE.map(({ train, test }) => [
      text("classnames.txt", classNamesOf(task)),
      text("zeroshot_classification_templates.txt", task.templates),
      text("train/nshards.txt", ["1"]),
      text("test/nshards.txt", ["1"]),
      ...[train, test],
    ]),
  );
};

/** Writes files into a folder. */
export const writePacked = (folder: string, files: readonly PackedFile[]): TE.TaskEither<Failure, void> =>
  pipe(
    files,
    TE.traverseSeqArray(({ name, bytes }) => platform.files.write(join(folder, name), [bytes])),
    TE.map(() => undefined),
  );
