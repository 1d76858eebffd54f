/** A task of a person's own: a folder with one folder a class, or class by class. */
import { useState } from "preact/hooks";
import { counted } from "../../../src/report/format.ts";
import type { Given } from "../protocol.ts";
import type { Props } from "./ask.ts";
import { Drop } from "./Drop.tsx";
import { givenOf } from "./dropped.ts";

/** A class that a person makes of pictures without folders. */
interface Draft {
  readonly name: string;
  readonly pictures: readonly Given[];
}

/** Makes a field of files one of folders; the types of the framework do not know it. */
const folders = { webkitdirectory: true };

export const Own = ({ ask, waiting }: Pick<Props, "ask"> & { readonly waiting: boolean }) => {
  const [drafts, setDrafts] = useState<readonly Draft[]>([]);
  const [name, setName] = useState("");
  const [loose, setLoose] = useState<readonly Given[]>([]);
  const add = (pictures: readonly Given[]): void => {
    ask({ type: "add", pictures });
    setDrafts([]);
  };
  /** Pictures with folders are a task; others are a class that has no name yet. */
  const take = (pictures: readonly Given[]): void => (pictures.some(({ path }) => path.includes("/")) ? add(pictures) : setLoose(pictures));
  const keep = (event: SubmitEvent): void => {
    event.preventDefault();
    if (name.trim() === "") return;
    setDrafts([...drafts.filter((draft) => draft.name !== name.trim()), { name: name.trim(), pictures: loose }]);
    setLoose([]);
    setName("");
  };
  return (
    <div class="card making">
      <Drop
        label={drafts.length === 0 ? "Drop a folder with one folder a class, or the pictures of one class" : "Drop the pictures of another class"}
        accept="image/*"
        multiple
        disabled={waiting}
        take={take}
        takeFolder={(folder) => ask({ type: "add", name: folder.name, pictures: folder })}
      />
      {loose.length === 0 && drafts.length === 0 && (
        <label class={waiting ? "link off" : "link"}>
          <input type="file" {...folders} multiple disabled={waiting} onChange={(event) => add(givenOf(event.currentTarget.files))} />
          <span>Choose a folder</span>
        </label>
      )}
      {loose.length > 0 && (
        <form class="naming" onSubmit={keep}>
          <label>
            What is on {loose.length === 1 ? "this picture" : `these ${loose.length} pictures`}?
            <input value={name} placeholder="a word or two" onInput={(event) => setName(event.currentTarget.value)} required />
          </label>
          <button type="submit">Keep as a class</button>
        </form>
      )}
      {drafts.length > 0 && (
        <>
          <ul class="drafts">
            {drafts.map((draft) => (
              <li key={draft.name}>
                {draft.name} <span>{counted(draft.pictures.length, "picture")}</span>
              </li>
            ))}
          </ul>
          <button
            type="button"
            disabled={waiting || drafts.length < 2 || loose.length > 0}
            onClick={() =>
              add(drafts.flatMap((draft) => draft.pictures.map(({ path, file }) => ({ path: `${draft.name.replaceAll("/", " ")}/${path}`, file }))))
            }
          >
            {drafts.length < 2 ? "One more class is needed" : "Use these classes"}
          </button>
        </>
      )}
      <span class="name">Your own pictures</span>
      <span class="size">Four or more of each class. They stay in this browser.</span>
    </div>
  );
};
