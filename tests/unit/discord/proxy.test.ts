import assert from "node:assert/strict";
import { test } from "node:test";
import { proxyFor } from "../../../lib/discord/proxy.ts";

const AT = "http://proxy.example:3128";
const GATEWAY = "wss://gateway.discord.gg/?v=10";

test("HTTPS_PROXY is for https and wss, HTTP_PROXY for http and ws, in either case", () => {
  assert.equal(proxyFor(GATEWAY, { HTTPS_PROXY: AT })?.shown, AT);
  assert.equal(proxyFor("https://discord.com/api", { https_proxy: AT })?.port, 3128);
  assert.equal(proxyFor("ws://127.0.0.1:5", { http_proxy: AT })?.host, "proxy.example");
  assert.equal(proxyFor(GATEWAY, { HTTP_PROXY: AT }), undefined);
  assert.equal(proxyFor(GATEWAY, { HTTPS_PROXY: "" }), undefined);
  assert.equal(proxyFor(GATEWAY, { https_proxy: AT, HTTPS_PROXY: "http://other" })?.shown, AT);
});

test("user and password are sent, decoded, and never shown", () => {
  const proxy = proxyFor(GATEWAY, { HTTPS_PROXY: "http://ada:p%40ss:w@proxy.example:3128/" });
  assert.equal(proxy?.authorization, `Basic ${btoa("ada:p@ss:w")}`);
  assert.equal(proxy?.shown, AT);
  assert.equal(proxyFor(GATEWAY, { HTTPS_PROXY: "http://a%ZZ@p" })?.shown, "http://p");
});

test("a proxy without a scheme is HTTP; SOCKS and nonsense are none", () => {
  assert.equal(proxyFor(GATEWAY, { HTTPS_PROXY: "proxy.example:3128" })?.shown, AT);
  assert.equal(proxyFor(GATEWAY, { HTTPS_PROXY: "proxy" })?.port, 80);
  assert.equal(proxyFor(GATEWAY, { HTTPS_PROXY: "https://proxy" })?.port, 443);
  assert.equal(proxyFor(GATEWAY, { HTTPS_PROXY: "socks5://proxy:1080" }), undefined);
  assert.equal(proxyFor(GATEWAY, { HTTPS_PROXY: "http://" }), undefined);
});

for (
  const [exempt, target, direct] of [
    ["*", GATEWAY, true],
    ["discord.gg", GATEWAY, true],
    [".discord.gg", GATEWAY, true],
    ["*.discord.gg", GATEWAY, true],
    ["GATEWAY.discord.GG", GATEWAY, true],
    ["cord.gg", GATEWAY, false],
    ["localhost, 127.0.0.1", "https://127.0.0.1:8443", true],
    ["127.0.0.1:8443", "https://127.0.0.1:8443", true],
    ["127.0.0.1:80", "https://127.0.0.1:8443", false],
    ["[::1]", "https://[::1]:8443", true],
    ["", GATEWAY, false],
    [",", GATEWAY, false],
  ] as const
) {
  test(`NO_PROXY "${exempt}" ${direct ? "frees" : "does not free"} ${target}`, () => {
    for (const name of ["NO_PROXY", "no_proxy"]) {
      assert.equal(proxyFor(target, { HTTPS_PROXY: AT, [name]: exempt }) === undefined, direct);
    }
  });
}
