/**
 * Iconify icon sets as npm packages: read once, aliases and flips resolved, one SVG document a drawing.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import * as E from "fp-ts/lib/Either.js";
import * as t from "io-ts";
import type { Failure } from "../../src/failure.ts";
import { leftOut } from "./exceptions.ts";

/** The icon sets of the icon world, by Iconify prefix; docs/ICONS.md lists their licences. */
export const setNames = [
  "noto",
  "noto-v1",
  "twemoji",
  "fluent-emoji-flat",
  "openmoji",
  "emojione",
  "emojione-v1",
  "fxemoji",
  "streamline-emojis",
  "circle-flags",
  "flag",
  "flagpack",
  "logos",
  "devicon",
  "skill-icons",
  "vscode-icons",
  "material-icon-theme",
  "meteocons",
] as const;

/** Prefix of one icon set. */
export type SetName = (typeof setNames)[number];

const Flips = t.partial({ hFlip: t.boolean, vFlip: t.boolean, rotate: t.number });
const Box = t.partial({ left: t.number, top: t.number, width: t.number, height: t.number });
const IconSetCodec = t.intersection([
  t.type({ prefix: t.string, icons: t.record(t.string, t.intersection([t.type({ body: t.string }), Box, Flips])) }),
  t.partial({ aliases: t.record(t.string, t.intersection([t.type({ parent: t.string }), Box, Flips])) }),
  Box,
]);

/** One icon set as its package has it. */
export type IconSet = t.TypeOf<typeof IconSetCodec>;

/** One drawing: `svg` is a whole SVG document without `width` and `height`, so that it renders at any size. */
export interface Drawing {
  readonly set: SetName;
  readonly icon: string;
  readonly svg: string;
}

const require = createRequire(import.meta.url);

/** The JSON value of one file of an installed package, checked by `codec`. Fails where the package is missing or holds something else. */
export const readPackageJson = <A>(path: string, codec: t.Type<A, unknown>): E.Either<Failure, A> => {
  const read = E.tryCatch<Failure, unknown>(
    () => JSON.parse(readFileSync(require.resolve(path), "utf8")),
    (e) => ({ _tag: "FileUnreadable", path, detail: `${e instanceof Error ? e.message.split("\n")[0] : String(e)} (npm install brings it)` }),
  );
  return E.chain((value: unknown) =>
    E.mapLeft((): Failure => ({ _tag: "FileCorrupt", path, detail: "it is not what the icon world was made for" }))(codec.decode(value)),
  )(read);
};

/** Reads the icon set `name` from its npm package. */
export const readIconSet = (name: SetName): E.Either<Failure, IconSet> => readPackageJson(`@iconify-json/${name}/icons.json`, IconSetCodec as never);

/** Unicode code points (lower-case, dashes between) to icon names, for the sets that publish them. */
export const readChars = (name: SetName): E.Either<Failure, Readonly<Record<string, string>>> =>
  readPackageJson(`@iconify-json/${name}/chars.json`, t.record(t.string, t.string));

/** The SVG document of `icon` in `set`, aliases followed; `undefined` where the set has no such icon, or it is left out. */
export const svgOf = (set: IconSet, icon: string): string | undefined => {
  if (leftOut.has(`${set.prefix}:${icon}`)) return undefined;
  const own = set.icons[icon];
  const alias = set.aliases?.[icon];
  if (own === undefined) {
    if (alias === undefined) return undefined;
    const parent = svgOf(set, alias.parent);
    return parent === undefined ? undefined : flipped(parent, alias);
  }
  const box = { left: 0, top: 0, width: 16, height: 16, ...boxOf(set), ...boxOf(own) };
  // An animated icon starts with its falling parts invisible; a still picture shows them.
  const still = own.body.replace(/ opacity="0"(?=>\s*<animate)/g, "");
  return flipped(document(still, box.left, box.top, box.width, box.height), own);
};

interface Flip {
  readonly hFlip?: boolean;
  readonly vFlip?: boolean;
  readonly rotate?: number;
}

const boxOf = (o: t.TypeOf<typeof Box>): t.TypeOf<typeof Box> =>
  Object.fromEntries(["left", "top", "width", "height"].flatMap((k) => (o[k as "left"] === undefined ? [] : [[k, o[k as "left"]]])));

const document = (body: string, left: number, top: number, width: number, height: number): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="${left} ${top} ${width} ${height}">${body}</svg>`;

const flipped = (svg: string, { hFlip, vFlip, rotate }: Flip): string => {
  if (!hFlip && !vFlip && !rotate) return svg;
  const [, box, body] = svg.match(/viewBox="([^"]*)">(.*)<\/svg>$/s)!;
  const [left, top, width, height] = box.split(" ").map(Number);
  const middle = `${left + width / 2} ${top + height / 2}`;
  const moves = [
    rotate ? `rotate(${90 * rotate} ${middle})` : "",
    hFlip ? `translate(${2 * left + width} 0) scale(-1 1)` : "",
    vFlip ? `translate(0 ${2 * top + height}) scale(1 -1)` : "",
  ].filter((s) => s !== "");
  return document(`<g transform="${moves.join(" ")}">${body}</g>`, left, top, width, height);
};

/** Letters and digits only, lower-case, without accents: how names of different vendors are compared. */
export const squash = (name: string): string =>
  name
    .normalize("NFD")
    .toLowerCase()
    .replace(/[^a-z0-9]/g, "");
