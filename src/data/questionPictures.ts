/** The pictures that questions name: files below the folder of their task, and the frames of videos. */
import * as E from "fp-ts/lib/Either.js";
import { basename, dirname, join } from "../formats/path.ts";
import type { Entry, Files } from "../platform/files.ts";
import { framesOf } from "../platform/frames.ts";
import { byNumber, isNamedPicture } from "./classFolders.ts";
import type { ImageReference } from "./example.ts";
import { printable } from "./leftOut.ts";
import type { Named } from "./record.ts";
import { isBeside } from "./rowReader.ts";

/** How many frames of a video are taken where nobody says. */
export const usualFrames = 8;

/** Finds the pictures that a record names; on the left what is wrong, in words. */
export type FindPictures = (named: Named) => Promise<E.Either<string, readonly ImageReference[]>>;

/** Files that are animations by their names. */
const animation = /\.(gif|webp)$/i;

/** What stands in folders by name, each listed once; a folder that is not there is empty. */
const listings = (files: Files): ((dir: string) => Promise<ReadonlyMap<string, Entry>>) => {
  const listed = new Map<string, Promise<ReadonlyMap<string, Entry>>>();
  const list = async (dir: string): Promise<ReadonlyMap<string, Entry>> => {
    const entries = await files.list(dir)();
    return new Map(E.isLeft(entries) ? [] : entries.right.map((entry) => [entry.name, entry] as const));
  };
  return (dir) => {
    const entries = listed.get(dir) ?? list(dir);
    listed.set(dir, entries);
    return entries;
  };
};

/**
 * Finds pictures by their paths below one of some folders, the first that has them. Of a video, a folder of pictures or an animated GIF or WebP, `frames` are
 * taken, evenly apart.
 */
export const pictureFinder = (roots: readonly string[], frames: number, files: Files): FindPictures => {
  const listed = listings(files);
  const find = async (name: string): Promise<E.Either<string, { readonly path: string; readonly entry: Entry }>> => {
    // What begins at a root is meant from the folder of the pictures on.
    const below = name.replace(/^[/\\]+/, "");
    if (!isBeside(below)) return E.left(`its picture ${printable(name)} has no path below the folder of its task`);
    // Windows writes paths with backslashes.
    for (const relative of new Set([below, below.replaceAll("\\", "/")])) {
      for (const root of roots) {
        const path = join(root, relative);
        const entry = (await listed(dirname(path))).get(basename(path));
        if (entry?.kind === "broken link") return E.left(`its picture ${printable(name)} is a link that leads nowhere`);
        if (entry !== undefined) return E.right({ path, entry });
      }
    }
    return E.left(`its picture ${printable(name)} is not there (looked for in ${roots.join(" and ")})`);
  };
  const imageOf = async (name: string): Promise<E.Either<string, ImageReference>> => {
    const found = await find(name);
    if (E.isLeft(found)) return found;
    const { path, entry } = found.right;
    if (entry.kind !== "file") return E.left(`its picture ${printable(name)} is no file; a folder of frames is named as "video"`);
    return E.right({ kind: "file", path });
  };
  const videoOf = async (name: string): Promise<E.Either<string, readonly ImageReference[]>> => {
    const found = await find(name);
    if (E.isLeft(found)) return found;
    const { path, entry } = found.right;
    if (entry.kind === "folder") {
      const all = [...(await listed(path)).values()].filter(isNamedPicture).sort((a, b) => byNumber(a.name, b.name));
      if (all.length === 0) return E.left(`its video ${printable(name)} is a folder without pictures`);
      return E.right(framesOf(all.length, frames).map((i): ImageReference => ({ kind: "file", path: join(path, all[i].name) })));
    }
    if (animation.test(name))
      return E.right(Array.from({ length: frames }, (_, index): ImageReference => ({ kind: "file", path, frame: { index, of: frames } })));
    return E.left(
      `its video ${printable(name)} is neither a folder of pictures nor an animated GIF or WebP; ffmpeg -i FILE FOLDER/%05d.jpg makes such a folder`,
    );
  };
  return async (named) => {
    if ("video" in named) return videoOf(named.video);
    const images: ImageReference[] = [];
    for (const name of named.images) {
      const image = await imageOf(name);
      if (E.isLeft(image)) return image;
      images.push(image.right);
    }
    return E.right(images);
  };
};
