/**
 * The templates of OpenAI's prompts (`data/prompts.md` of openai/CLIP, MIT), which MTIL's authors take (Thunderbeee/ZSCL, Fazhan-cs/DAC, MaolinLuo/KeepLoRA).
 */
import { packed } from "./packed.ts";

/** Caltech-101. */
export const caltechTemplates = packed(`
  a photo of a {c}.|a painting of a {c}.|a plastic {c}.|a sculpture of a {c}.|a sketch of a {c}.|a tattoo of a {c}.|a toy {c}.|a rendition of a {c}.|
  a embroidered {c}.|a cartoon {c}.|a {c} in a video game.|a plushie {c}.|a origami {c}.|art of a {c}.|graffiti of a {c}.|a drawing of a {c}.|
  a doodle of a {c}.|a photo of the {c}.|a painting of the {c}.|the plastic {c}.|a sculpture of the {c}.|a sketch of the {c}.|a tattoo of the {c}.|
  the toy {c}.|a rendition of the {c}.|the embroidered {c}.|the cartoon {c}.|the {c} in a video game.|the plushie {c}.|the origami {c}.|art of the {c}.|
  graffiti of the {c}.|a drawing of the {c}.|a doodle of the {c}.
`);

/** CIFAR-100. */
export const cifarTemplates = packed(`
  a photo of a {c}.|a blurry photo of a {c}.|a black and white photo of a {c}.|a low contrast photo of a {c}.|a high contrast photo of a {c}.|
  a bad photo of a {c}.|a good photo of a {c}.|a photo of a small {c}.|a photo of a big {c}.|a photo of the {c}.|a blurry photo of the {c}.|
  a black and white photo of the {c}.|a low contrast photo of the {c}.|a high contrast photo of the {c}.|a bad photo of the {c}.|a good photo of the {c}.|
  a photo of the small {c}.|a photo of the big {c}.
`);

/** DTD. */
export const textureTemplates = packed(`
  a photo of a {c} texture.|a photo of a {c} pattern.|a photo of a {c} thing.|a photo of a {c} object.|a photo of the {c} texture.|
  a photo of the {c} pattern.|a photo of the {c} thing.|a photo of the {c} object.
`);

/** Stanford Cars; the first is that of MTIL's authors, the others are OpenAI's. */
export const carTemplates = packed(`
  a photo of a {c}, a type of car.|a photo of a {c}.|a photo of the {c}.|a photo of my {c}.|i love my {c}!|a photo of my dirty {c}.|a photo of my clean {c}.|
  a photo of my new {c}.|a photo of my old {c}.
`);
