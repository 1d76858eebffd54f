/**
 * All concepts of the icon world, read once a process.
 */
import { pipe } from "fp-ts/lib/function.js";
import * as E from "fp-ts/lib/Either.js";
import type { Failure } from "../../src/failure.ts";
import type { Concept } from "./concept.ts";
import { readEmoji } from "./emoji.ts";
import { countryCode, readFlags } from "./flags.ts";
import { productKey, readLogos } from "./logos.ts";
import type { Drawing } from "./sets.ts";
import { iconTasks } from "./tasks.ts";
import { readWeather } from "./weather.ts";

/** The concepts of the stream (by task name, then class name) and the others. */
export interface Catalogue {
  readonly stream: ReadonlyMap<string, ReadonlyMap<string, Concept>>;
  /** Every other name with at least three drawings, in a fixed order; no two have the same name. */
  readonly others: readonly Concept[];
  /** All drawings of both, by icon set and icon (`noto:cat`). */
  readonly drawings: ReadonlyMap<string, Drawing>;
}

const build = (): E.Either<Failure, Catalogue> =>
  pipe(
    E.Do,
    E.bind("emoji", readEmoji),
    E.bind("flags", ({ emoji }) => readFlags(emoji)),
    E.bind("weather", readWeather),
    E.bind("logos", readLogos),
    E.chain(({ emoji, flags, weather, logos }) => {
      const pictures = emoji
        .filter((e) => countryCode(e.codePoints) === undefined)
        .map((e): Concept => ({ ...e, drawings: [...e.drawings, ...(weather.get(e.name) ?? [])] }));
      const all: readonly Concept[] = [...pictures, ...flags, ...logos];
      const byName = (concepts: readonly Concept[]) => new Map(concepts.map((c) => [c.name, c]));
      const [pictureNamed, flagNamed, logoOf] = [byName(pictures), byName(flags), new Map<string, Concept>(logos.map((c) => [c.key, c]))];
      const find = (task: string, name: string): Concept | undefined =>
        task === "flags" ? flagNamed.get(name) : task === "logos" ? logoOf.get(productKey(name)) : pictureNamed.get(name);
      const stream = iconTasks.map((task) => [task.name, new Map(task.classNames.map((name) => [name, find(task.name, name)] as const))] as const);
      const missing = stream.flatMap(([task, classes]) => [...classes].flatMap(([name, c]) => (c === undefined ? [`${name} (${task})`] : [])));
      if (missing.length > 0) {
        return E.left<Failure>({ _tag: "BadConfig", path: "examples/icons/tasks.ts", detail: `no icon set draws ${missing.join(", ")}` });
      }
      const taken = new Set(iconTasks.flatMap((task) => task.classNames.map((n) => n.toLowerCase())));
      const used = new Set(stream.flatMap(([, classes]) => [...classes.values()]));
      const names = new Set<string>();
      const others = all
        .filter((c) => {
          const name = c.name.toLowerCase();
          if (used.has(c) || taken.has(name) || names.has(name) || c.drawings.length < 3) return false;
          names.add(name);
          return true;
        })
        .map((c): Concept => ({ name: c.name, group: c.group, kind: c.kind, drawings: c.drawings, tags: c.tags.filter((t) => !taken.has(t)) }));
      const drawings = [...used, ...others].flatMap((c) => c?.drawings ?? []).map((d) => [`${d.set}:${d.icon}`, d] as const);
      return E.right({ stream: new Map(stream) as Catalogue["stream"], others, drawings: new Map(drawings) });
    }),
  );

let kept: E.Either<Failure, Catalogue> | undefined;

/** The catalogue; the icon sets are read on the first call. Fails where a package is missing. */
export const catalogue = (): E.Either<Failure, Catalogue> => (kept ??= build());
