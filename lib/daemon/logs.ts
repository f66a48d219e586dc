export { createLogFollower } from "../store/log-follow.ts";
export { tailLines } from "../store/log-tail.ts";
