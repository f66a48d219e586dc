import { UserError } from "../base/errors.ts";

/** What a person writes to name a host: `login`, `ana@login`, `login:2222`, `[::1]:22`, `ssh://ana@login`. */
export interface HostName {
  host: string;
  user: string | undefined;
  port: number | undefined;
}

/** Rejects, as UserError, what is no name of a host: never more is passed on than letters of a name. */
export function readHostName(text: string): HostName {
  const found = /^(?:ssh:\/\/)?(?:(.+)@)?(?:\[([^\]]+)\]|([^@[\]]+?))(?::(\d{1,5}))?\/?$/s.exec(
    isBareAddress(text) ? `[${text}]` : text,
  );
  const host = found?.[2] ?? found?.[3];
  const user = found?.[1];
  const port = found?.[4] === undefined ? undefined : Number(found[4]);
  const usable = host !== undefined &&
    /^[^-\s'"`$\\;&<>|(){}*?!#\p{Cc}][^\s'"`$\\;&<>|(){}*?!#\p{Cc}]*$/u.test(host) &&
    (user === undefined || /^[^-'"`;&<>|(){}\s\p{Cc}][^'"`;&<>|(){}\s\p{Cc}]*$/u.test(user)) &&
    (port === undefined || (port >= 1 && port <= 65535));
  if (usable) return { host, user, port };
  throw new UserError(`Cannot use "${text}" as a host: it is no name of one`, {
    hint: "Such as login, ana@login.example.org or login:2222",
  });
}

/** `::1` and `fe80::1%eth0`: more than one colon and no brackets. */
function isBareAddress(text: string): boolean {
  return /^[0-9a-f]*:[0-9a-f:.]*(%\w+)?$/i.test(text) && text.split(":").length > 2;
}

/** As it is written in front of people: `ana@login:2222`. */
export function hostNameText({ host, user, port }: HostName): string {
  const name = host.includes(":") && port !== undefined ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${name}${port === undefined ? "" : `:${port}`}`;
}
