export { runSupervisor } from "../schedulers/local/supervisor.ts";
