// The same test, as long as HERD_SOAK makes it.
import "../unit/tasks/mailbox-schedules.test.ts";
