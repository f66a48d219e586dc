import assert from "node:assert/strict";
import test from "node:test";
import { parseLimits, processLimits } from "../../../lib/base/process-limits.ts";

test("soft limits are read by the kernel's names, unlimited as infinity", () => {
  const limits = parseLimits(
    `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              3600                 unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max open files            1024                 524288               files     
Max nice priority         0                    0                    
`,
  );
  assert.deepEqual([...limits], [
    ["Max cpu time", 3600],
    ["Max file size", Infinity],
    ["Max open files", 1024],
    ["Max nice priority", 0],
  ]);
  assert.ok((processLimits().get("Max open files") ?? 0) > 0);
});
