export { findConfinement } from "../tasks/confine.ts";
