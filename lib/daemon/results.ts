export { lastValues } from "../store/last-values.ts";
export { createResults } from "../store/results.ts";
export type { Results } from "../store/results.ts";
