import { Buffer } from "node:buffer";
import { createPictureScaler } from "../charts/scale-picture.ts";
import { pictureWasm } from "./picture-materials.ts";

/** The other end: a picture in base64, and the pixels of its longer side at the most, to JSON with a smaller one, or with why there is none. */
export async function shrinkPicture(base64: string, side: number): Promise<string> {
  const bytes = new Uint8Array(Buffer.from(base64, "base64"));
  const scale = await createPictureScaler(pictureWasm());
  const scaled = scale(bytes, side);
  return JSON.stringify(
    "cannot" in scaled ? scaled : { jpeg: Buffer.from(scaled.jpeg).toString("base64") },
  );
}
