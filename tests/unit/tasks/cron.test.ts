import assert from "node:assert/strict";
import test from "node:test";
import { lastDue, nextDue } from "../../../lib/tasks/cron-due.ts";
import { isTimeZone } from "../../../lib/tasks/cron-zone.ts";
import { parseCron } from "../../../lib/tasks/cron.ts";
import type { Cron } from "../../../lib/tasks/cron.ts";

function cron(text: string): Cron {
  const parsed = parseCron(text);
  return "wrong" in parsed ? assert.fail(`${text}: ${parsed.wrong}`) : parsed;
}

/** The next ones, as ISO without seconds. */
function next(text: string, zone: string, after: string, count = 3): string[] {
  const found: string[] = [];
  let at = Date.parse(after);
  for (let i = 0; i < count; i++) {
    const due = nextDue(cron(text), zone, at);
    if (due === undefined) break;
    assert.ok(due > at && due % 60_000 === 0);
    found.push(new Date(due).toISOString().slice(0, 16));
    at = due;
  }
  return found;
}

const BERLIN = "Europe/Berlin";

test("fields are numbers, names, ranges, steps and lists", () => {
  const { minutes, hours, days, months, weekdays } = cron("*/20,5  8-18/5 1,15 JAN-mar,12 Mon-FRI");
  assert.deepEqual(minutes, [0, 5, 20, 40]);
  assert.deepEqual(hours, [8, 13, 18]);
  assert.deepEqual([...days], [1, 15]);
  assert.deepEqual([...months], [1, 2, 3, 12]);
  assert.deepEqual([...weekdays], [1, 2, 3, 4, 5]);
});

test("Sunday is 0 and 7, and a range of weekdays may end with it", () => {
  assert.deepEqual([...cron("0 0 * * 7").weekdays], [0]);
  assert.deepEqual([...cron("0 0 * * 5-7").weekdays].sort(), [0, 5, 6]);
  assert.deepEqual([...cron("0 0 * * fri-sun").weekdays].sort(), [0, 5, 6]);
  assert.deepEqual([...cron("0 0 * * */2").weekdays].sort(), [0, 2, 4, 6]);
});

test("the words with @ are what cron says", () => {
  const rows = [
    ["@hourly", "2026-11-21T08:00"],
    ["@daily", "2026-11-22T00:00"],
    ["@midnight", "2026-11-22T00:00"],
    ["@weekly", "2026-11-22T00:00"],
    ["@Monthly", "2026-12-01T00:00"],
    ["@yearly", "2027-01-01T00:00"],
    ["@annually", "2027-01-01T00:00"],
  ] as const;
  for (const [word, due] of rows) {
    assert.deepEqual(next(word, "UTC", "2026-11-21T07:30Z", 1), [due]);
  }
  assert.equal(cron("@Daily").text, "@daily");
});

test("what is no schedule is refused with what would be one", () => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ["", /found nothing, expected five fields: minute, hour/],
    ["* * * *", /found 4 in "\* \* \* \*", expected five fields/],
    ["0 0 * * * *", /found 6 in/],
    ["60 * * * *", /found "60" as the minute, expected 0 to 59/],
    ["* 24 * * *", /as the hour, expected 0 to 23/],
    ["* * 0 * *", /as the day of the month, expected 1 to 31/],
    ["* * * 13 *", /as the month, expected 1 to 12, jan to dec/],
    ["* * * * 8", /as the day of the week, expected 0 to 7, sun to sat/],
    ["* * * * funday", /found "funday"/],
    ["5-3 * * * *", /found "5-3"/],
    ["*/0 * * * *", /found "\*\/0"/],
    ["5/15 * * * *", /found "5\/15"/],
    ["1,,2 * * * *", /found ""/],
    ["1- * * * *", /found "1-"/],
    ["-1 * * * *", /found "-1"/],
    ["1-2-3 * * * *", /found "1-2-3"/],
    ["* * L * *", /found "L"/],
    ["* * ? * *", /found "\?"/],
    ["* * 1W * *", /found "1W"/],
    ["* * * * mon#2", /found "mon#2"/],
    ["1.5 * * * *", /found "1.5"/],
    ["٣ * * * *", /found "٣"/],
    ["@reboot", /one of @hourly, @daily/],
    ["0 0 30 2 *", /never comes/],
    ["0 0 31 4,6,9,11 *", /never comes/],
    [`${"1,".repeat(400)}1 * * * *`, /at most 500/],
  ];
  for (const [text, expected] of rows) {
    const parsed = parseCron(text);
    assert.ok("wrong" in parsed, text);
    assert.match(parsed.wrong, expected, text);
    assert.ok(parsed.wrong.length < 300);
  }
  const parsed = parseCron("@dayly");
  assert.ok("wrong" in parsed && parsed.hint === 'Did you mean "@daily"?');
});

test("day of the month or day of the week will do when both are said, as cron has it", () => {
  assert.deepEqual(next("0 0 13 * fri", "UTC", "2026-02-01T00:00Z", 5), [
    "2026-02-06T00:00",
    "2026-02-13T00:00",
    "2026-02-20T00:00",
    "2026-02-27T00:00",
    "2026-03-06T00:00",
  ]);
  assert.deepEqual(next("0 0 1 * *", "UTC", "2026-02-01T00:00Z", 1), ["2026-03-01T00:00"]);
  assert.deepEqual(next("0 0 * * mon", "UTC", "2026-02-01T00:00Z", 1), ["2026-02-02T00:00"]);
  // A field that begins with a star restricts the other one.
  assert.deepEqual(next("0 0 */10 * mon", "UTC", "2026-02-01T00:00Z", 2), [
    "2026-05-11T00:00",
    "2026-06-01T00:00",
  ]);
  assert.deepEqual(next("0 0 30 2 mon", "UTC", "2026-02-01T00:00Z", 1), ["2026-02-02T00:00"]);
});

test("a 29th of February comes when it comes", () => {
  assert.deepEqual(next("0 12 29 2 *", "UTC", "2096-03-01T00:00Z", 1), ["2104-02-29T12:00"]);
});

test("the clock on the wall of the time zone counts", () => {
  assert.deepEqual(next("30 2 * * *", "Asia/Kolkata", "2026-01-01T00:00Z", 2), [
    "2026-01-01T21:00",
    "2026-01-02T21:00",
  ]);
  assert.deepEqual(next("0 0 1 * *", "Pacific/Kiritimati", "2026-01-01T00:00Z", 1), [
    "2026-01-31T10:00",
  ]);
  assert.deepEqual(next("0 0 * * sun", "America/Los_Angeles", "2026-01-01T00:00Z", 1), [
    "2026-01-04T08:00",
  ]);
});

test("a time that the clock leaps over is due at the next minute that exists", () => {
  // 02:00 becomes 03:00 at 01:00 UTC.
  const before = "2026-03-28T12:00Z";
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["30 2 * * *", ["2026-03-29T01:00", "2026-03-30T00:30"]],
    ["0,30 2 * * *", ["2026-03-29T01:00", "2026-03-30T00:00"]],
    ["*/20 2 * * *", ["2026-03-29T01:00", "2026-03-30T00:00"]],
    ["0 2,3 * * *", ["2026-03-29T01:00", "2026-03-30T00:00"]],
    ["30 2 29 3 *", ["2026-03-29T01:00", "2027-03-29T00:30"]],
    ["30 2 * * sun", ["2026-03-29T01:00", "2026-04-05T00:30"]],
  ];
  for (const [text, due] of rows) assert.deepEqual(next(text, BERLIN, before, 2), due, text);
  assert.deepEqual(next("30 2 * * *", BERLIN, "2026-03-29T01:00Z", 1), ["2026-03-30T00:30"]);
  // At midnight, by half an hour, and by a whole day.
  assert.deepEqual(next("0 0 * * *", "America/Santiago", "2026-09-05T12:00Z", 2), [
    "2026-09-06T04:00",
    "2026-09-07T03:00",
  ]);
  assert.deepEqual(next("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00Z", 2), [
    "2026-10-03T15:30",
    "2026-10-04T15:15",
  ]);
  assert.deepEqual(next("0 12 30 12 *", "Pacific/Apia", "2011-12-28T00:00Z", 2), [
    "2011-12-30T10:00",
    "2012-12-29T22:00",
  ]);
});

test("a time that the clock shows twice is due once", () => {
  // 03:00 becomes 02:00 at 01:00 UTC.
  const before = "2026-10-24T12:00Z";
  assert.deepEqual(next("30 2 * * *", BERLIN, before, 2), ["2026-10-25T00:30", "2026-10-26T01:30"]);
  assert.deepEqual(next("0,30 2 * * *", BERLIN, before, 3), [
    "2026-10-25T00:00",
    "2026-10-25T00:30",
    "2026-10-26T01:00",
  ]);
  for (const between of ["2026-10-25T00:30Z", "2026-10-25T00:45Z", "2026-10-25T01:15Z"]) {
    assert.deepEqual(next("30 2 * * *", BERLIN, between, 1), ["2026-10-26T01:30"], between);
  }
  assert.deepEqual(next("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00Z", 2), [
    "2026-04-04T14:45",
    "2026-04-05T15:15",
  ]);
  // Set back at midnight: 23:30 is there twice on one day.
  assert.deepEqual(next("30 23 * * *", "America/Santiago", "2026-04-04T12:00Z", 2), [
    "2026-04-05T02:30",
    "2026-04-06T03:30",
  ]);
});

test("what is due in every hour goes by the time that passes", () => {
  assert.deepEqual(next("30 * * * *", BERLIN, "2026-03-29T00:00Z", 3), [
    "2026-03-29T00:30",
    "2026-03-29T01:30",
    "2026-03-29T02:30",
  ]);
  assert.deepEqual(next("*/30 * * * *", BERLIN, "2026-10-24T23:45Z", 5), [
    "2026-10-25T00:00",
    "2026-10-25T00:30",
    "2026-10-25T01:00",
    "2026-10-25T01:30",
    "2026-10-25T02:00",
  ]);
});

test("in every zone a daily time comes once a day, for a year, whatever the clock does", () => {
  for (
    const zone of [BERLIN, "America/New_York", "America/Havana", "Asia/Kathmandu", "Africa/Cairo"]
  ) {
    for (const text of ["0 0 * * *", "30 2 * * *", "59 23 * * *"]) {
      let at = Date.parse("2025-01-01T00:00Z");
      const end = Date.parse("2026-01-01T00:00Z");
      let times = 0;
      for (;;) {
        const due = nextDue(cron(text), zone, at)!;
        if (due > end) break;
        const hours = (due - at) / 3_600_000;
        assert.ok(times === 0 || (hours >= 22 && hours <= 26), `${zone} ${text} ${hours}`);
        at = due;
        times++;
      }
      assert.equal(times, 365, `${zone} ${text}`);
    }
  }
});

test("looking back finds what looking forward does", () => {
  const rows = [["*/20 1-3 * * *", BERLIN], ["0 0 13 * fri", "UTC"], [
    "30 23 * * *",
    "America/Havana",
  ]];
  for (const [text = "", zone = ""] of rows) {
    for (const from of ["2026-03-07T00:00Z", "2026-03-27T00:00Z", "2026-10-23T00:00Z"]) {
      const [after, until] = [Date.parse(from), Date.parse(from) + 10 * 86_400_000];
      const forward: number[] = [];
      for (let at = nextDue(cron(text), zone, after)!; at <= until;) {
        forward.push(at);
        at = nextDue(cron(text), zone, at)!;
      }
      assert.deepEqual(lastDue(cron(text), zone, { after, until, most: 1e6 }), forward);
      assert.deepEqual(lastDue(cron(text), zone, { after, until, most: 3 }), forward.slice(-3));
    }
  }
});

test("time zones are those that the machine knows by name", () => {
  for (const zone of [BERLIN, "UTC", "America/Argentina/Ushuaia"]) assert.ok(isTimeZone(zone));
  for (const zone of ["Mars/Base", "", "+02:00", "Europe", "Europe/Berlin; x"]) {
    assert.ok(!isTimeZone(zone), zone);
  }
});
