/** A field where pictures are dropped, or chosen with a click or a key. */
import { useState } from "preact/hooks";
import type { Folder, Given } from "../protocol.ts";
import { droppedFolder, givenOf } from "./dropped.ts";

export interface DropProps {
  readonly label: string;
  readonly accept: string;
  readonly disabled: boolean;
  readonly multiple?: boolean;
  /** Pictures that were dropped or chosen, at least one. */
  readonly take: (pictures: readonly Given[]) => void;
  /** A folder that was dropped; where this is absent, none is taken. */
  readonly takeFolder?: (folder: Folder) => void;
}

export const Drop = ({ label, accept, disabled, multiple = false, take, takeFolder }: DropProps) => {
  const [over, setOver] = useState(false);
  const given = (files: FileList | null): void => {
    const pictures = givenOf(files);
    if (pictures.length > 0) take(pictures);
  };
  const drop = async (data: DataTransfer): Promise<void> => {
    // The list of files is gone after the first wait.
    const files = data.files;
    const pictures = givenOf(files);
    const folder = takeFolder === undefined ? undefined : await droppedFolder(data);
    if (folder !== undefined) takeFolder?.(folder);
    else if (pictures.length > 0) take(pictures);
  };
  return (
    <label
      class={`drop${over ? " over" : ""}${disabled ? " off" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (!disabled && event.dataTransfer !== null) void drop(event.dataTransfer);
      }}
    >
      <input
        type="file"
        accept={accept}
        multiple={multiple}
        disabled={disabled}
        onChange={(event) => {
          given(event.currentTarget.files);
          // The same picture can be chosen again.
          event.currentTarget.value = "";
        }}
      />
      <span>{label}</span>
    </label>
  );
};
