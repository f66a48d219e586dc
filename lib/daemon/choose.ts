export { chooseScheduler, isInstalled } from "../schedulers/choose.ts";
