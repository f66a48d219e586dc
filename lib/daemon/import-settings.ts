export { importOpenclaw } from "../tasks/import-openclaw.ts";
