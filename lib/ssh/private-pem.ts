/** Lengths of private keys on the usual curves. Bytes. */
const CURVE_LENGTHS = [32, 48, 66];

/**
 * A private key as ssh2 writes it, in the strict form: without what decrypting left
 * behind its end, and an elliptic key without the sign byte in front. OpenSSL takes both
 * as they are, other libraries do not.
 */
export function strictPem(pem: string): string {
  const found = /^-----BEGIN ((?:RSA|EC) PRIVATE KEY)-----\s+([\s\S]*?)-----END/.exec(pem);
  if (found === null) return pem;
  const bytes = Buffer.from(found[2]!, "base64");
  const whole = elementAt(bytes, 0);
  if (whole === undefined) return pem;
  let body: Buffer = bytes.subarray(whole.start, whole.end);
  if (found[1]!.startsWith("EC")) body = withoutSign(body);
  const base64 = element(0x30, body).toString("base64").replace(/.{64}/g, "$&\n");
  return `-----BEGIN ${found[1]}-----\n${base64.trimEnd()}\n-----END ${found[1]}-----\n`;
}

/** A version, the key's bytes, and the rest, which stays as it is. */
function withoutSign(body: Buffer): Buffer {
  const version = elementAt(body, 0);
  const key = version === undefined ? undefined : elementAt(body, version.end);
  if (version === undefined || key === undefined) return body;
  const bytes = body.subarray(key.start, key.end);
  if (bytes[0] !== 0 || !CURVE_LENGTHS.includes(bytes.length - 1)) return body;
  return Buffer.concat([
    body.subarray(0, version.end),
    element(0x04, bytes.subarray(1)),
    body.subarray(key.end),
  ]);
}

/** Where the content of a DER element begins and ends. */
function elementAt(bytes: Buffer, at: number): { start: number; end: number } | undefined {
  const first = bytes[at + 1];
  if (first === undefined) return undefined;
  const more = first < 0x80 ? 0 : first & 0x7f;
  const start = at + 2 + more;
  if (more > 3 || start > bytes.length) return undefined;
  const length = more === 0 ? first : bytes.readUIntBE(at + 2, more);
  return start + length > bytes.length ? undefined : { start, end: start + length };
}

function element(tag: number, content: Uint8Array): Buffer {
  const size = content.length < 0x80 ? 0 : content.length < 0x100 ? 1 : 2;
  const head = Buffer.alloc(2 + size);
  head[0] = tag;
  if (size === 0) head[1] = content.length;
  else {
    head[1] = 0x80 | size;
    head.writeUIntBE(content.length, 2, size);
  }
  return Buffer.concat([head, content]);
}
