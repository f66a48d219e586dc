export { latestValues } from "../store/latest-values.ts";
export { createResults } from "../store/results.ts";
export type { Results } from "../store/results.ts";
