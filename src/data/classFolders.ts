/** The class folders of a split: which files in them are pictures, and what is left out. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { Failure } from "../failure.ts";
import { exists } from "../formats/files.ts";
import { basename, join } from "../formats/path.ts";
import type { Entry, Files } from "../platform/files.ts";
import { isRead, pictureFormat } from "../platform/pictures.ts";
import type { PassedOver } from "./leftOut.ts";
import { firstOf } from "./source.ts";

/** A class folder: the names of its pictures in order, and what else is in it. */
export interface ClassFolder {
  readonly name: string;
  readonly pictures: readonly string[];
  readonly passedOver: readonly PassedOver[];
}

/** The class folders of a split, and what stands beside them. */
export interface ClassFolders {
  readonly folders: readonly ClassFolder[];
  readonly passedOver: readonly PassedOver[];
}

/** The same order on every system and in every language: by code unit, as Python's `sorted` for ASCII. */
export const byCodeUnit = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** As people number files: `2.png` comes before `10.png`. */
export const byNumber = (a: string, b: string): number => a.localeCompare(b, "en", { numeric: true }) || byCodeUnit(a, b);

/** What stands in a folder, in that order. */
const sortedEntries = (dir: string, files: Files): TE.TaskEither<Failure, readonly Entry[]> =>
  pipe(
    files.list(dir),
    TE.map((entries) => [...entries].sort((a, b) => byCodeUnit(a.name, b.name))),
  );

/** Names that are taken at their word: such a file is a picture, or is damaged. Others are pictures where their first bytes say so. */
export const pictureName = /\.(jpe?g|jfif|png|webp|gif|tiff?|avif|bmp)$/i;

const brokenLink = ["link that leads nowhere", "links that lead nowhere"] as const;

const isHidden = (name: string): boolean => name.startsWith(".");

const isClassFolder = ({ name, kind }: Entry): boolean => kind === "folder" && !isHidden(name);

/** Why what stands among class folders is left out; undefined for a class folder, and for hidden files that nobody means. */
const reasonBeside = ({ name, kind }: Entry): readonly [one: string, many: string] | undefined => {
  if (kind === "folder") return isHidden(name) ? ["hidden folder", "hidden folders"] : undefined;
  if (kind === "broken link") return brokenLink;
  return isHidden(name) && !pictureName.test(name) ? undefined : ["file beside the class folders", "files beside the class folders"];
};

/** Why an entry of a class folder is left out; undefined where it is a picture, or is hidden and nobody means it. */
const reasonAgainst = async (dir: string, { name, kind }: Entry, files: Files): Promise<readonly [one: string, many: string] | undefined> => {
  if (kind === "folder") return ["folder in a class folder", "folders in class folders"];
  if (kind === "broken link") return brokenLink;
  if (kind === "other") return ["device or pipe", "devices or pipes"];
  if (isHidden(name)) return ["hidden picture", "hidden pictures"];
  const start = await firstOf(join(dir, name), files)();
  if (E.isLeft(start)) return ["file that cannot be read", "files that cannot be read"];
  const format = pictureFormat(start.right);
  if (isRead(format)) return undefined;
  return format === undefined ? ["file that is no picture", "files that are no pictures"] : [`${format} picture`, `${format} pictures`];
};

/** Whether an entry is a file that its name says is a picture. */
export const isNamedPicture = ({ name, kind }: Entry): boolean => kind === "file" && pictureName.test(name) && !isHidden(name);

const listClass = async (dir: string, shown: string, entries: readonly Entry[], files: Files): Promise<Omit<ClassFolder, "name">> => {
  const pictures: string[] = [];
  const passedOver: PassedOver[] = [];
  for (const entry of entries) {
    if (entry.kind === "file" && isHidden(entry.name) && !pictureName.test(entry.name)) continue;
    const reason = isNamedPicture(entry) ? undefined : await reasonAgainst(dir, entry, files);
    if (reason === undefined) pictures.push(entry.name);
    else passedOver.push([...reason, `${shown}/${entry.name}`]);
  }
  return { pictures, passedOver };
};

/** Files of a dataset that may stand beside class folders. */
const companions: readonly string[] = ["classnames.txt", "zeroshot_classification_templates.txt"];

/** Lists the class folders in `dir`; none where it is missing. Links are followed, hidden folders are no classes. */
export const listClassFolders = (dir: string, files: Files): TE.TaskEither<Failure, ClassFolders> =>
  pipe(
    TE.fromTask<boolean, Failure>(() => exists(dir, files)),
    TE.chain((there) => (there ? sortedEntries(dir, files) : TE.right([]))),
    TE.map((entries) => entries.filter(({ name }) => !companions.includes(name))),
    TE.bindTo("entries"),
    TE.bind("folders", ({ entries }) =>
      pipe(
        entries.filter(isClassFolder),
        TE.traverseSeqArray(({ name }) =>
          pipe(
            sortedEntries(join(dir, name), files),
            TE.chainTaskK(
              (inside) => async (): Promise<ClassFolder> => ({ name, ...(await listClass(join(dir, name), join(basename(dir), name), inside, files)) }),
            ),
          ),
        ),
      ),
    ),
    TE.map(({ entries, folders }) => ({
      folders,
      passedOver: entries.flatMap((entry): readonly PassedOver[] => {
        const reason = reasonBeside(entry);
        return reason === undefined ? [] : [[...reason, join(basename(dir), entry.name)]];
      }),
    })),
  );
