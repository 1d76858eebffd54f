/** Scenes: several drawings on one picture. A scene is a text, so that an example is plain data and its pixels are made when they are asked for. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as TE from "fp-ts/lib/TaskEither.js";
import type { ExampleDecoder, Image } from "../../src/data/example.ts";
import type { Failure } from "../../src/failure.ts";
import { renderer } from "./world.ts";

/** A drawing, and the cell of a grid that it stands in, counted row by row from the top left. */
export interface Placed {
  /** `set:icon`. */
  readonly drawing: string;
  readonly cell: number;
}

/** Colours that a scene may stand on, as red, green and blue. */
export const grounds = {
  white: [255, 255, 255],
  red: [214, 40, 40],
  green: [46, 160, 67],
  blue: [38, 84, 196],
  yellow: [246, 206, 50],
  black: [24, 24, 24],
} as const;

/** The name of such a colour. */
export type Ground = keyof typeof grounds;

/** Drawings in the cells of a square grid. A drawing is on white itself; around it, and where nothing stands, is the ground. */
export interface Scene {
  /** Default: white. */
  readonly ground?: Ground;
  /** Cells of a side. */
  readonly grid: number;
  readonly placed: readonly Placed[];
}

/** A scene as a text: `white 2 noto:cat@0 noto:dog@3`. */
export const sceneName = ({ ground = "white", grid, placed }: Scene): string =>
  [ground, `${grid}`, ...placed.map(({ drawing, cell }) => `${drawing}@${cell}`)].join(" ");

/** The scene of a text. */
const sceneOf = (name: string): Scene => {
  const [ground, grid, ...placed] = name.split(" ");
  return {
    ground: ground as Ground,
    grid: Number(grid),
    placed: placed.map((text) => {
      const at = text.lastIndexOf("@");
      return { drawing: text.slice(0, at), cell: Number(text.slice(at + 1)) };
    }),
  };
};

/** Copies a picture into a larger one, with its top left corner at (left, top). */
const paste = ({ width, height, data }: Image, into: Uint8Array, side: number, left: number, top: number): void => {
  for (let y = 0; y < height; y++) into.set(data.subarray(3 * y * width, 3 * (y + 1) * width), 3 * ((top + y) * side + left));
};

/** Decodes examples whose images are scenes, at `size` x `size` pixels. */
export const sceneDecoder = (size: number): ExampleDecoder => {
  const decoders = new Map<number, ExampleDecoder>();
  const drawn = (side: number): ExampleDecoder => {
    const decoder = decoders.get(side) ?? renderer(side);
    decoders.set(side, decoder);
    return decoder;
  };
  return (example) => {
    const { image } = example;
    if (image.kind !== "named") return drawn(size)(example);
    const { ground = "white", grid, placed } = sceneOf(image.name);
    const side = Math.floor(size / grid);
    return pipe(
      placed,
      TE.traverseArray(({ drawing }) => drawn(side)({ ...example, image: { kind: "named", name: drawing } })),
      TE.chainEitherK((pictures): E.Either<Failure, Image> => {
        const data = Uint8Array.from({ length: 3 * size * size }, (_, i) => grounds[ground][i % 3]);
        pictures.forEach((picture, i) => {
          const { cell } = placed[i];
          paste(picture, data, size, (cell % grid) * side, Math.floor(cell / grid) * side);
        });
        return E.right({ width: size, height: size, data });
      }),
    );
  };
};
