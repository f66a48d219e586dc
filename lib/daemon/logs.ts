export { createLogFollower, endsLine } from "../store/log-follow.ts";
export type { LogFollower } from "../store/log-follow.ts";
export { isDivider, tailLines } from "../store/log-tail.ts";
