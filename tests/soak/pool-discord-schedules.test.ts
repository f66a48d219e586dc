// The same test, as long as HERD_SOAK makes it.
import "../unit/discord/pool-discord-schedules.test.ts";
