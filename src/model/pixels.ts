/** A model that sees other pixels than its folder says. */
import * as E from "fp-ts/lib/Either.js";
import { processorConfig, withPixels, type Pixels } from "../data/pixels.ts";
import type { Failure } from "../failure.ts";
import { processorNames } from "./companions.ts";
import type { Model } from "./model.ts";

/**
 * A model that sees other pixels. They are written into its folder as its image processor, so that whoever reads it again sees the same. Fails with `BadOption`
 * where a model sees no images.
 */
export const seeing = <M extends Model>(model: M, pixels: Pixels): E.Either<Failure, M> => {
  const { architecture, config, preprocess, files } = model;
  const { images } = architecture;
  if (images === undefined || preprocess === undefined) return E.left({ _tag: "BadOption", option: "pixels", detail: `a ${architecture.name} sees no images` });
  const other = withPixels(preprocess, images.size(config), pixels);
  const [first, ...rest] = processorNames;
  const bytes = new TextEncoder().encode(`${JSON.stringify(processorConfig(other), null, 2)}\n`);
  return E.right({ ...model, preprocess: other, files: new Map([...[...files].filter(([name]) => !rest.includes(name)), [first, bytes]]) });
};
