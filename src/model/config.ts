/** What the `config.json` files of vision and text transformers have in common: the keys of a tower, their defaults, and what cannot be. */
import * as E from "fp-ts/lib/Either.js";
import { pipe } from "fp-ts/lib/function.js";
import * as t from "io-ts";
import type { Failure } from "../failure.ts";
import { explain } from "../formats/files.ts";
import type { Architecture } from "./architecture.ts";
import type { TowerConfig } from "./blocks.ts";

/** A vision tower: square images of `imageSize` pixels, cut into patches. */
export interface VisionConfig extends TowerConfig {
  readonly imageSize: number;
  readonly patchSize: number;
  readonly channels: number;
}

/** A positive whole number. */
export const positive = t.refinement(t.Int, (n) => n > 0, "positive integer");

/** The side of a square in pixels: a number, or two that are equal. */
const side = new t.Type<number, number, unknown>(
  "a positive integer, or two that are equal",
  positive.is,
  (u, c) => {
    const value: unknown = Array.isArray(u) && u.length === 2 && u[0] === u[1] ? u[0] : u;
    return positive.is(value) ? t.success(value) : t.failure(u, c);
  },
  t.identity,
);

/** The list of parameters is made before the weights are read: it must fit a computer. The deepest models that are known have some 200 layers. */
const mostLayers = 10_000;
/** The number of blocks of a stack. */
export const layerCount = t.refinement(positive, (n) => n <= mostLayers, `a positive integer of at most ${mostLayers}`);

/** The keys of a tower. */
export const rawTower = t.type({
  hidden_size: positive,
  intermediate_size: positive,
  num_hidden_layers: layerCount,
  num_attention_heads: positive,
  hidden_act: t.keyof({ quick_gelu: null, gelu: null }),
  layer_norm_eps: t.number,
});

/** The keys of a vision tower. */
export const rawVision = t.intersection([rawTower, t.type({ image_size: side, patch_size: side, num_channels: positive })]);

/** What `transformers` assumes of a tower of CLIP where its config is silent. */
export const towerDefaults = { hidden_act: "quick_gelu", layer_norm_eps: 1e-5, num_hidden_layers: 12 };

/** What `transformers` assumes of CLIP's vision tower where its config is silent. */
export const visionDefaults = {
  ...towerDefaults,
  hidden_size: 768,
  intermediate_size: 3072,
  num_attention_heads: 12,
  image_size: 224,
  patch_size: 32,
  num_channels: 3,
};

/** A value as a record; anything else is an empty one. */
export const record = (value: unknown): Record<string, unknown> => (typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {});

/** The keys of a record that have a value: null is as good as absent. */
export const withoutNulls = (value: unknown): Record<string, unknown> =>
  Object.fromEntries(Object.entries(record(value)).filter(([, v]) => v !== undefined && v !== null));

/** The tower that the keys describe. */
export const towerOf = (c: t.TypeOf<typeof rawTower>): TowerConfig => ({
  width: c.hidden_size,
  mlpWidth: c.intermediate_size,
  layers: c.num_hidden_layers,
  heads: c.num_attention_heads,
  activation: c.hidden_act,
  eps: c.layer_norm_eps,
});

/** The vision tower that the keys describe. */
export const visionOf = (c: t.TypeOf<typeof rawVision>): VisionConfig => ({
  ...towerOf(c),
  imageSize: c.image_size,
  patchSize: c.patch_size,
  channels: c.num_channels,
});

/** The keys of a tower. */
export const encodeTower = (c: TowerConfig): Record<string, unknown> => ({
  hidden_size: c.width,
  intermediate_size: c.mlpWidth,
  num_hidden_layers: c.layers,
  num_attention_heads: c.heads,
  hidden_act: c.activation,
  layer_norm_eps: c.eps,
});

/** The keys of a vision tower. */
export const encodeVision = (c: VisionConfig): Record<string, unknown> => ({
  ...encodeTower(c),
  image_size: c.imageSize,
  patch_size: c.patchSize,
  num_channels: c.channels,
});

/** What of a tower does not divide, in words. */
export const faultOfTower = ({ width, heads }: TowerConfig): string | undefined =>
  width % heads === 0 ? undefined : `hidden_size ${width} is not divisible by ${heads} heads`;

/** What of a vision tower does not divide, in words. */
export const faultOfVision = (c: VisionConfig): string | undefined =>
  faultOfTower(c) ?? (c.imageSize % c.patchSize === 0 ? undefined : `image_size ${c.imageSize} is not divisible by patch_size ${c.patchSize}`);

/** A codec of a configuration, from functions in both directions; the left side of `decode` says what is wrong. */
export const configCodec = <C>(
  name: string,
  decode: (json: unknown) => E.Either<string, C>,
  encode: (config: C) => Readonly<Record<string, unknown>>,
): Architecture<C>["config"] =>
  new t.Type(
    name,
    (u): u is C => typeof u === "object" && u !== null,
    (u, c) =>
      pipe(
        decode(u),
        E.fold((message) => t.failure(u, c, message), t.success),
      ),
    encode,
  );

/** What io-ts says, in one line. */
export const decodeKeys = <A>(codec: t.Type<A, unknown, unknown>, keys: unknown): E.Either<string, A> => pipe(codec.decode(keys), E.mapLeft(explain));

/** The configuration that a `config.json` holds for an architecture; `path` is for messages. Fails with `BadConfig`. */
export const decodeConfig = <C>({ config }: Pick<Architecture<C>, "config">, path: string, json: unknown): E.Either<Failure, C> =>
  pipe(
    config.decode(json),
    E.mapLeft((errors): Failure => ({ _tag: "BadConfig", path, detail: errors.find((e) => e.message !== undefined)?.message ?? explain(errors) })),
  );
