import { Buffer } from "node:buffer";
import { drawPng } from "../charts/draw-png.ts";
import { readChart } from "../charts/read-chart.ts";
import { pictureMaterials } from "./picture-materials.ts";

/** The other end: JSON of a chart to a PNG in base64. */
export async function drawChart(json: string): Promise<string> {
  const png = await drawPng(readChart(json), pictureMaterials());
  return Buffer.from(png).toString("base64");
}
