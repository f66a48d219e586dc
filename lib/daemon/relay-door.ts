export { runBehindDoor } from "../tasks/relay-door.ts";
