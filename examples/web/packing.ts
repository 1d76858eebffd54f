/** What was learned as a file: the merged model in the folder that Hugging Face reads, or an adapter that PEFT reads, as a zip. */
import { downloadZip } from "client-zip";
import * as E from "fp-ts/lib/Either.js";
import { get, platform, updateBetween, writeModel, writePeft, type Failure } from "../../mod.ts";
import { titles, type MethodName } from "./protocol.ts";
import { learnerOf, phase, type Study } from "./study.ts";

const { files } = platform;

/** The files of a folder as a zip, under its name. */
export const zipped = async (folder: string, name: string): Promise<Blob> => {
  const names = (await get(files.list(folder))).filter(({ kind }) => kind === "file").map((entry) => entry.name);
  const entries = async function* () {
    for (const one of names.sort()) yield { name: `${name}/${one}`, input: await get(files.read(`${folder}/${one}`)), lastModified: new Date() };
  };
  return downloadZip(entries()).blob();
};

/** Writes what a method has learned into a folder. */
const written = (study: Study, method: MethodName, what: "model" | "adapter", folder: string): Promise<void> => {
  const { model, name } = study;
  const after = learnerOf(study, method).model;
  if (what === "model") return get(writeModel(folder, after));
  const update = updateBetween(model, after);
  if (E.isLeft(update)) throw update.left satisfies Failure;
  return get(writePeft(folder, model, update.right, { base: name }));
};

/** Packs what a method has learned and hands it out. Throws where that fails. */
export const pack = async (study: Study, method: MethodName, what: "model" | "adapter"): Promise<void> => {
  if (study.kept.methods[method] === undefined) throw new Error(`${titles[method]} has learned nothing yet.`);
  phase(study, { kind: "packing", what: `What ${titles[method]} has learned is packed`, method });
  const folder = `${study.place.root}/packing`;
  const name = `${study.name}-${method}-${what}`.replaceAll("+", "p");
  const emptied = async (): Promise<void> => {
    if (await files.exists(folder)()) await get(files.remove(folder));
  };
  await emptied();
  try {
    await written(study, method, what, folder);
    study.tell({ type: "file", name: `${name}.zip`, file: await zipped(folder, name) });
  } finally {
    await emptied();
  }
};
