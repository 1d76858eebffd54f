/**
 * Flags as concepts: the emoji of a country, brought together with circle-flags, flag-icons and flagpack by its ISO code.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../../src/failure.ts";
import type { Concept } from "./concept.ts";
import type { Emoji } from "./emoji.ts";
import type { Drawing } from "./sets.ts";
import { readIconSet, svgOf } from "./sets.ts";

/**
 * Codes whose flag is another country's too (in some vendor's drawing at least), so that the picture does not tell the name:
 * French, British, Norwegian, American and Australian territories; Monaco is Indonesia's, Chad is Romania's.
 */
const ambiguous: ReadonlySet<string> = new Set("ac bl bq bv cp cq dg ea gf gp hm ic io mc mf mq nc pm re sj ta td tf um wf yt sh gs eh sx".split(" "));

/** Codes that flagpack uses for something else: its "gb" is England. */
const packCodes: Readonly<Record<string, string>> = { gb: "gb-ukm" };

/** ISO 3166 code of a flag emoji, lower-case ("no", "gb-sct"); `undefined` for other emoji. */
export const countryCode = (codePoints: string): string | undefined => {
  const points = codePoints.split("-").map((h) => Number.parseInt(h, 16));
  const letter = (p: number): string => String.fromCharCode(p - 0x1f1e6 + 97);
  if (points.length === 2 && points.every((p) => p >= 0x1f1e6 && p <= 0x1f1ff)) return points.map(letter).join("");
  const tags = points
    .slice(1, -1)
    .map((p) => String.fromCharCode(p - 0xe0000))
    .join("");
  return points[0] === 0x1f3f4 && points.at(-1) === 0xe007f ? `${tags.slice(0, 2)}-${tags.slice(2)}` : undefined;
};

/** Country flags among `emoji`, with the drawings of the three flag sets added and ambiguous ones left out. */
export const readFlags = (emoji: readonly Emoji[]): E.Either<Failure, readonly Concept[]> =>
  pipe(
    E.Do,
    E.bind("circle", () => readIconSet("circle-flags")),
    E.bind("flag", () => readIconSet("flag")),
    E.bind("pack", () => readIconSet("flagpack")),
    E.map(({ circle, flag, pack }) =>
      emoji.flatMap((e): readonly Concept[] => {
        const code = countryCode(e.codePoints);
        if (code === undefined || ambiguous.has(code)) return [];
        const more = (
          [
            ["circle-flags", circle, code],
            ["flag", flag, `${code}-4x3`],
            ["flagpack", pack, packCodes[code] ?? code],
          ] as const
        ).flatMap(([set, from, icon]): readonly Drawing[] => {
          const svg = svgOf(from, icon);
          return svg === undefined ? [] : [{ set, icon, svg }];
        });
        // The tags of a flag emoji are its code and "flag", which say nothing that a caption should.
        return [{ name: e.name, group: "flag", kind: "country flag", tags: [], drawings: [...e.drawings, ...more] }];
      }),
    ),
  );
