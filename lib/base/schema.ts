/** Schemas of data from outside: checked once, typed inside. The one place that names the library. */
export { z } from "zod";
