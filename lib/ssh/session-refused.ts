/** What ssh2 says where the server allows no further session in a connection; it knows it by these words alone. */
export const NO_SESSION = /open failure|prohibited|resource shortage|open failed/i;

/** After a refusal with no session of ours open, one is asked for again after so long, and longer each time. Milliseconds. */
export const REFUSED_MS = 50;
export const MOST_REFUSALS = 16;
