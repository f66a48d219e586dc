import { crc32 } from "../../../lib/sweep/record-log.ts";

/** Writes what W&B's client writes: https://github.com/wandb/wandb, datastore.py and wandb_internal.proto. */
const BLOCK = 32 * 1024;

/** A protobuf field: text, bytes (a nested message) or a whole number. */
export function field(number: number, value: string | Uint8Array | number): Uint8Array {
  if (typeof value === "number") return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

export function message(...fields: Uint8Array[]): Uint8Array {
  return Buffer.concat(fields);
}

function varint(value: number): Uint8Array {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Uint8Array.from(bytes);
}

const items = (number: number, values: Record<string, unknown>, nested: boolean) =>
  Object.entries(values).map(([key, value]) => {
    const json = typeof value === "number" ? `${value}` : JSON.stringify(value);
    return field(number, message(field(nested ? 2 : 1, key), field(16, json)));
  });

/** `step` undefined: none is written, as newer versions do. */
export function history(
  values: Record<string, unknown>,
  step?: number,
  nested = false,
): Uint8Array {
  const told = step === undefined
    ? []
    : [field(2, step === 0 ? message() : message(field(1, step)))];
  return message(field(1, 7), field(2, message(...items(1, values, nested), ...told)));
}

export function summary(values: Record<string, unknown>, removed: readonly string[] = []) {
  const gone = removed.map((key) => field(2, message(field(1, key))));
  return message(field(3, message(...items(1, values, true), ...gone)));
}

export function config(values: Record<string, unknown>): Uint8Array {
  return message(field(5, message(...items(1, values, false))));
}

export interface RunFields {
  id: string;
  name?: string;
  config?: Record<string, unknown>;
  startingStep?: number;
  /** Seconds. */
  startedAt?: number;
}

export function run({ id, name, config: values = {}, startingStep, startedAt }: RunFields) {
  return message(field(
    17,
    message(
      field(1, id),
      field(4, message(...items(1, values, false))),
      ...(name === undefined ? [] : [field(8, name)]),
      ...(startingStep === undefined ? [] : [field(14, startingStep)]),
      ...(startedAt === undefined ? [] : [field(17, message(field(1, startedAt), field(2, 5)))]),
    ),
  ));
}

export function defineMetric(name: string, step: string, glob = false): Uint8Array {
  return message(field(12, message(field(glob ? 2 : 1, name), field(4, step))));
}

/** A whole `.wandb` file of these records. */
export function wandbLog(records: readonly Uint8Array[]): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0])];
  let at = 7;
  const chunk = (type: number, data: Uint8Array) => {
    const head = new Uint8Array(7);
    const view = new DataView(head.buffer);
    view.setUint32(0, crc32(Buffer.concat([Uint8Array.of(type), data])), true);
    view.setUint16(4, data.length, true);
    head[6] = type;
    parts.push(head, data);
    at += 7 + data.length;
  };
  for (const record of records) {
    let left = BLOCK - at % BLOCK;
    if (left < 7) {
      parts.push(new Uint8Array(left));
      at += left;
      left = BLOCK;
    }
    if (record.length + 7 <= left) {
      chunk(1, record);
      continue;
    }
    let used = left - 7;
    chunk(2, record.subarray(0, used));
    for (; record.length - used > BLOCK - 7; used += BLOCK - 7) {
      chunk(3, record.subarray(used, used + BLOCK - 7));
    }
    chunk(4, record.subarray(used));
  }
  return Buffer.concat(parts);
}
