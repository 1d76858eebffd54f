/** The prompts of `cambium generate`: one that is typed, or those of a file. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import * as t from "io-ts";
import { readLines } from "../data/source.ts";
import type { Failure } from "../failure.ts";
import { parseJson } from "../formats/json.ts";
import { dirname, join } from "../formats/path.ts";
import { platform } from "../platform/default.ts";

/** A prompt with its pictures in their order. */
export interface TypedPrompt {
  readonly prompt: string;
  readonly pictures: readonly string[];
}

const Line = t.intersection([t.type({ prompt: t.string }), t.partial({ image: t.union([t.string, t.array(t.string)]) })]);

const bad = (option: string, detail: string): E.Either<Failure, never> => E.left({ _tag: "BadOption", option, detail });

/** The prompt of a line of JSON; its pictures are named from the folder of its file on. */
const ofJson =
  (path: string) =>
  (line: string, i: number): E.Either<Failure, TypedPrompt> =>
    pipe(
      parseJson(line),
      E.chain((json) => E.mapLeft(() => 'it has no text "prompt", or its "image" is no path and no list of paths')(Line.decode(json))),
      E.bimap(
        (detail): Failure => ({ _tag: "FileCorrupt", path, detail: `prompt ${i + 1}: ${detail}` }),
        ({ prompt, image = [] }) => ({ prompt, pictures: [image].flat().map((name) => (name.startsWith("/") ? name : join(dirname(path), name))) }),
      ),
    );

/** The prompts of a file: a line each, or a JSON object `{prompt, image?}` a line. */
const ofFile = (path: string): TE.TaskEither<Failure, readonly TypedPrompt[]> =>
  pipe(
    readLines(path, platform.files),
    TE.chainEitherK((lines) => {
      if (lines.length === 0) return E.left<Failure>({ _tag: "FileUnreadable", path, detail: "it has no prompts" });
      if (lines[0].startsWith("{")) return E.traverseArrayWithIndex((i: number, line: string) => ofJson(path)(line, i))(lines);
      return E.right(lines.map((prompt) => ({ prompt, pictures: [] })));
    }),
  );

/** The prompts of the flags. Fails with `BadOption` where there is none, or two ways to name them. */
export const promptsOf = (
  { prompt, prompts, image = [] }: { readonly prompt?: string; readonly prompts?: string; readonly image?: readonly string[] },
  at: (path: string) => string,
): TE.TaskEither<Failure, readonly TypedPrompt[]> => {
  if (prompts !== undefined) {
    if (prompt !== undefined) return TE.fromEither(bad("--prompts", "names the prompts, and so does --prompt; give one of them"));
    if (image.length > 0) return TE.fromEither(bad("--image", "belongs to --prompt; the lines of a file of JSON name their pictures as image"));
    return ofFile(at(prompts));
  }
  if (prompt === undefined) return TE.fromEither(bad("--prompt", "is missing; give a text, or a file with --prompts"));
  return TE.right([{ prompt, pictures: image.map(at) }]);
};
